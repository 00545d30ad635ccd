"""Which machine, which programs, which revision: without them a figure says nothing."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any, Final

import psutil

from bench.stack import Database, mosquitto_binary
from bench.systems import node_versions

LIBRARIES: Final = ("aiohttp", "aiomqtt", "motor", "msgspec", "orjson", "paho-mqtt", "pymongo", "uvloop")


def facts(database: Database, folder: Path) -> dict[str, Any]:
    """Machine, versions and git revision as plain values."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "kernel": platform.release(),
        "file_system": _file_system(folder),
        "load_average": [round(value, 2) for value in os.getloadavg()],
        "python": platform.python_version(),
        "mongod": database.version(),
        "mosquitto": _first_line(str(mosquitto_binary()), "-h"),
        "node": _first_line("node", "--version"),
        "libraries": {name: _version(name) for name in LIBRARIES},
        "node_libraries": node_versions(),
        "revision": _revision(),
    }


def _version(library: str) -> str | None:
    try:
        return importlib.metadata.version(library)
    except importlib.metadata.PackageNotFoundError:
        return None


def _processor() -> str:
    found = re.search(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return found[1] if found else platform.processor()


def _file_system(folder: Path) -> str:
    """The type of the file system that holds `folder`: a journal in memory is no journal."""
    within = [part for part in psutil.disk_partitions(all=True) if folder.resolve().is_relative_to(part.mountpoint)]
    return max(within, key=lambda part: len(part.mountpoint)).fstype if within else "unknown"


def _first_line(program: str, argument: str) -> str | None:
    if shutil.which(program) is None:
        return None
    told = subprocess.run([program, argument], capture_output=True, text=True, check=False, timeout=10).stdout
    return told.partition("\n")[0]


def _revision() -> str | None:
    """The commit that is measured, with a plus sign where files differ from it; None outside a repository."""
    here = Path(__file__).parent
    command = ["git", "-C", str(here), "describe", "--always", "--abbrev=12", "--dirty=+", "--exclude=*"]
    if shutil.which("git") is None:
        return None
    told = subprocess.run(command, capture_output=True, text=True, check=False, timeout=10)
    return told.stdout.strip() or None
