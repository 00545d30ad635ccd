"""What is measured: AutoSpot and its peers, each one command line over the same broker and database."""

from __future__ import annotations

import functools
import importlib.util
import json
import os
import secrets
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from bench.processes import OWN_CODE, BenchError, Child, answers_http, free_port
from bench.schedule import Load
from bench.stack import Broker, Database

NODE_FOLDER: Final = Path(__file__).parent / "peers" / "node"
READY_SECONDS: Final = 60.0
IMPORT_SECONDS: Final = 900.0
INSTALL_SECONDS: Final = 300.0
NODE_FLAGS: Final = ("--max-semi-space-size=32",)
"""A larger young generation: readings die young, and with Node's default they are copied at every scavenge."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where one run happens: its broker, its database, its port, its log folder."""

    broker: Broker
    database: Database
    database_name: str
    http_port: int
    folder: Path

    @property
    def http_url(self) -> str:
        """The base address of the system under test."""
        return f"http://127.0.0.1:{self.http_port}"


def place_for(broker: Broker, database: Database, database_name: str, folder: Path) -> Place:
    """A place with a port that is free now."""
    return Place(broker, database, database_name, free_port(), folder)


@dataclass(frozen=True, slots=True)
class System:
    """A hub that can be put under load.

    `slow`: it saturates far below the others and gets rates of its own. `product`: it is AutoSpot, with lots to import
    and REST to compare. `extra`: it runs only when asked for by name. The environment is added to the process's own.
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    slow: bool = False
    product: bool = False
    extra: bool = False

    def start(self, place: Place, ready_seconds: float = READY_SECONDS) -> tuple[Child, float]:
        """The running process and the seconds from its start until `/readyz` said yes."""
        child = Child(self.name, self.command, place.folder / "system.log", self._environment(place))
        try:
            took = child.wait_ready(lambda: answers_http(f"{place.http_url}/readyz"), ready_seconds)
        except BenchError:
            child.stop()
            raise
        return child, took

    def _environment(self, place: Place) -> dict[str, str]:
        addresses = product_environment(place) if self.product else peer_environment(place)
        return {**addresses, **self.environment}


def product_environment(place: Place) -> dict[str, str]:
    """The settings that AutoSpot is given, as any operator would."""
    return {
        "AUTOSPOT_MONGO_URL": place.database.url,
        "AUTOSPOT_MONGO_DB": place.database_name,
        "AUTOSPOT_MQTT_URL": place.broker.url,
        "AUTOSPOT_HTTP_HOST": "127.0.0.1",
        "AUTOSPOT_HTTP_PORT": str(place.http_port),
        "AUTOSPOT_SOCKETS_PER_ADDRESS": "100000",
        "AUTOSPOT_SECRET_KEY": secrets.token_hex(32),
    }


def peer_environment(place: Place) -> dict[str, str]:
    """The same for the peers."""
    return {
        "BENCH_MONGO_URL": place.database.url,
        "BENCH_MONGO_DB": place.database_name,
        "BENCH_MQTT_PORT": str(place.broker.port),
        "BENCH_HTTP_PORT": str(place.http_port),
        "NODE_ENV": "production",
    }


def autospot_command() -> tuple[str, ...]:
    """The `autospot` program that belongs to the Python that runs the benchmark."""
    return (str(Path(sys.executable).with_name("autospot")),)


def product(serve_command: str | None = None) -> System:
    """AutoSpot itself; `serve_command` replaces `autospot serve`."""
    command = tuple(shlex.split(serve_command)) if serve_command else (*autospot_command(), "serve")
    return System("autospot", command, product=True)


def import_lots(place: Place, load: Load) -> float:
    """Give AutoSpot's database the lots of `load`, through its command line; the seconds the import took."""
    lot_file = place.folder / "lots.json"
    generate = [
        *autospot_command(),
        "lots",
        "generate",
        "--lots",
        str(load.lots),
        "--bays",
        str(load.bays),
        "--prefix",
        "L",
    ]
    environment = {**os.environ, **product_environment(place)}
    with lot_file.open("wb") as sink:
        subprocess.run(generate, stdout=sink, env=environment, check=True, timeout=IMPORT_SECONDS)
    with Child(
        "lots import", [*autospot_command(), "lots", "import", lot_file], place.folder / "import.log", environment
    ) as child:
        took = child.wait_end(IMPORT_SECONDS)
    lot_file.unlink()
    return took


def python_systems() -> list[System]:
    """The naive Python peer (aiomqtt and motor, one update and one send per message); none without aiomqtt."""
    if importlib.util.find_spec("aiomqtt") is None:
        return []
    return [System("python naive", (sys.executable, "-m", "bench.peers.naive_hub"), OWN_CODE, slow=True)]


def node_systems() -> list[System]:
    """The Node.js peers; none where node is not installed."""
    node = shutil.which("node")
    if node is None:
        return []
    install_node_peers()
    tuned = str(NODE_FOLDER / "tuned.mjs")
    return [
        System("node naive", (node, *NODE_FLAGS, str(NODE_FOLDER / "naive.mjs")), slow=True),
        System("node tuned", (node, *NODE_FLAGS, tuned)),
        System("node tuned, shows first", (node, *NODE_FLAGS, tuned), {"SHOW": "first"}, extra=True),
        System("node log-first", (node, *NODE_FLAGS, str(NODE_FOLDER / "logfirst.mjs"))),
    ]


@functools.cache
def install_node_peers() -> None:
    """Fetch what package-lock.json names, once; what is there already is left alone."""
    marker = NODE_FOLDER / "node_modules" / ".package-lock.json"
    lock = NODE_FOLDER / "package-lock.json"
    if marker.exists() and marker.stat().st_mtime >= lock.stat().st_mtime:
        return
    command = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
    try:
        subprocess.run(command, cwd=NODE_FOLDER, check=True, capture_output=True, timeout=INSTALL_SECONDS)
    except subprocess.CalledProcessError as error:
        raise BenchError(f"npm ci failed in {NODE_FOLDER}:\n{error.stderr.decode(errors='replace')}") from error
    marker.touch()


def node_versions() -> dict[str, str]:
    """Exact versions of the libraries that the Node.js peers stand on."""
    lock = json.loads((NODE_FOLDER / "package-lock.json").read_text())
    wanted = json.loads((NODE_FOLDER / "package.json").read_text())["dependencies"]
    return {name: lock["packages"][f"node_modules/{name}"]["version"] for name in wanted}
