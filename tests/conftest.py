"""Fixtures for all tests. Under pytest-xdist each worker process has its own servers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from uuid import uuid4

import pymongo
import pytest

from autospot.embedded.programs import BrokerKind
from tests.support.services import BrokerServer, MongodServer, Server, started


@pytest.fixture(scope="session")
def _mongod(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MongodServer]:
    server = started(lambda: MongodServer(tmp_path_factory.mktemp("mongod")))
    yield server
    server.kill()


@pytest.fixture(scope="session")
def mongo_url(_mongod: MongodServer) -> str:
    """The shared mongod, a replica set of one. Not to be killed: see `make_mongod`."""
    return _mongod.url


@pytest.fixture
def mongo_db_name(mongo_url: str) -> Iterator[str]:
    """The name of a database of this test alone, dropped after it."""
    name = f"test_{uuid4().hex}"
    yield name
    with pymongo.MongoClient[dict[str, object]](mongo_url) as client:
        client.drop_database(name)


@pytest.fixture(scope="session")
def _broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrokerServer]:
    server = started(lambda: BrokerServer(tmp_path_factory.mktemp("broker")))
    yield server
    server.kill()


@pytest.fixture(scope="session")
def broker_url(_broker: BrokerServer) -> str:
    """The shared broker, anonymous: use lots of your own so that tests do not hear each other."""
    return _broker.url


@pytest.fixture
def make_mongod(tmp_path: Path) -> Iterator[Callable[..., MongodServer]]:
    """Start a mongod that the test may kill: `make_mongod()`, with `cache_gb=` if it matters."""
    servers: list[Server] = []
    number = count(1)

    def make(*, cache_gb: float = 0.25) -> MongodServer:
        server = started(lambda: MongodServer(tmp_path / f"mongod-{next(number)}", cache_gb=cache_gb))
        servers.append(server)
        return server

    yield make
    for server in servers:
        server.kill()


@pytest.fixture
def make_broker(tmp_path: Path) -> Iterator[Callable[..., BrokerServer]]:
    """Start a broker that the test may kill: `make_broker()`, with `kind="nats"` or `with_users=True` if it matters."""
    servers: list[Server] = []
    number = count(1)

    def make(*, kind: BrokerKind | None = None, with_users: bool = False) -> BrokerServer:
        server = started(lambda: BrokerServer(tmp_path / f"broker-{next(number)}", kind=kind, with_users=with_users))
        servers.append(server)
        return server

    yield make
    for server in servers:
        server.kill()
