"""One browser and one product for all tests of the pages; each test brings lots of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from uuid import uuid4

import pymongo
import pytest
import pytest_asyncio
from playwright.async_api import Browser

from tests.support.browser import chromium
from tests.support.hub import Servers
from tests.support.product import RunningProduct, running_product
from tests.support.services import BrokerServer, started


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as running:
        yield running


@pytest.fixture(scope="session")
def page_servers(mongo_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """What the shared product stands on. A broker of its own: hubs of the same name, as tests start them, would take
    each other's session."""
    broker = started(lambda: BrokerServer(tmp_path_factory.mktemp("pages-broker")))
    name = f"test_{uuid4().hex}"
    yield Servers(mongo_url, name, broker.url)
    broker.kill()
    with pymongo.MongoClient[dict[str, object]](mongo_url) as client:
        client.drop_database(name)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def product(page_servers: Servers) -> AsyncIterator[RunningProduct]:
    """Not to be stopped: tests that stop one start their own."""
    async with running_product(page_servers) as running:
        yield running


@pytest.fixture
def servers(mongo_url: str, mongo_db_name: str, broker_url: str) -> Servers:
    """What a test's own product stands on."""
    return Servers(mongo_url, mongo_db_name, broker_url)
