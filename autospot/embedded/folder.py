"""The data folder: who uses it, who wrote it, and where in it each part keeps its things."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from autospot.embedded.errors import EmbeddedError

LAYOUT_VERSION = 1
"""Of what this module describes. Raised when an older AutoSpot could not use a folder any more."""

LOCK_SECONDS = 5.0
"""How long a folder whose last user is dead may take to become free: its parts are being killed."""

POLL_SECONDS = 0.05


@dataclass(frozen=True)
class DataFolder:
    """A folder that this process alone uses. `lock` is the descriptor that says so."""

    path: Path
    lock: int

    def place(self, name: str) -> Path:
        """The folder of one part or purpose, made if need be."""
        place = self.path / name
        place.mkdir(mode=0o700, exist_ok=True)
        return place

    def claim_version(self, mongod_release: str) -> None:
        """Refuse a folder of another version, else leave this one's mark in it.

        mongod opens the files of its own release and the one before, and a step has to be completed by hand
        (`setFeatureCompatibilityVersion`): so the folder stays with the release that made it.
        """
        mark = self.path / "version.json"
        mine = {"layout": LAYOUT_VERSION, "mongod": mongod_release}
        if not mark.exists():
            mark.write_text(json.dumps(mine))
            return
        try:
            found = json.loads(mark.read_text())
        except ValueError:
            found = "something unreadable"
        if found != mine:
            raise EmbeddedError(
                "folder_version",
                f"{self.path} was written by another version: {mark.name} says {found}, this is {mine}. "
                "Choose another folder, or run the version that wrote it.",
            )


@asynccontextmanager
async def used_alone(path: Path) -> AsyncIterator[DataFolder]:
    """Make the folder if need be and hold it.

    The lock is the kernel's (`flock`) on `autospot.lock`: it goes with the last process that has the file open, so
    there are no stale locks, whatever process ids are found in the file or used again. The parts inherit it: a folder
    is not free before the last part of a killed run is gone, and two mongods never meet on the same files.

    Raises EmbeddedError `folder_unusable`, or `folder_in_use` with the holder's process id: at once if that process
    lives, else after LOCK_SECONDS.
    """
    folder = _opened(path)
    try:
        await _take(folder.lock, folder.path)
        yield folder
        os.truncate(folder.lock, 0)
    finally:
        os.close(folder.lock)


def _opened(path: Path) -> DataFolder:
    path = path.absolute()  # the parts have no say in what the current folder is
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(path / "autospot.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise EmbeddedError("folder_unusable", f"cannot use {path} as data folder: {error.strerror}") from error
    return DataFolder(path, lock)


async def _take(lock: int, path: Path) -> None:
    until = time.monotonic() + LOCK_SECONDS
    while not _locked(lock, path):
        holder = _written_pid(lock)
        if holder is not None and _lives(holder):
            raise EmbeddedError("folder_in_use", f"{path} is in use by process {holder}")
        if time.monotonic() > until:
            raise EmbeddedError("folder_in_use", f"{path} is in use by what is left of process {holder}")
        await asyncio.sleep(POLL_SECONDS)
    os.truncate(lock, 0)
    os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)


def _locked(lock: int, path: Path) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        raise EmbeddedError("folder_unusable", f"cannot lock {path}: {error.strerror}") from error
    return True


def _written_pid(lock: int) -> int | None:
    try:
        return int(os.pread(lock, 32, 0))
    except ValueError:
        return None


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True  # somebody else's
    return True
