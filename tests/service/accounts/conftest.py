"""A database for the tests of this folder: indexes are made once a module, documents are gone after each test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from uuid import uuid4

import pymongo
import pytest

from autospot.clock import SetClock
from autospot.storage.mongo import Database
from autospot.storage.people import DECLARED
from tests.support.clockwork import Worker
from tests.support.people import Town, a_town, present


@pytest.fixture(scope="module")
def people_db_name(mongo_url: str) -> Iterator[str]:
    name = f"town_{uuid4().hex}"
    asyncio.run(prepare(mongo_url, name))
    yield name
    with pymongo.MongoClient[dict[str, object]](mongo_url) as client:
        client.drop_database(name)


async def prepare(url: str, name: str) -> None:
    database = Database(url, name)
    await database.prepare(DECLARED)
    database.close()


@pytest.fixture
async def database(mongo_url: str, people_db_name: str) -> AsyncIterator[Database]:
    database = Database(mongo_url, people_db_name)
    yield database
    # Like all else with the majority: the next test reads what the majority has.
    raw = database.collection("due").database
    for name in await raw.list_collection_names():
        await raw[name].delete_many({})
    database.close()


@pytest.fixture
async def town(database: Database) -> AsyncIterator[Town]:
    town = a_town(database)
    yield town
    town.people.passwords.close()


@pytest.fixture
def clock() -> SetClock:
    """A clock that is set, for the tests of the due-queue."""
    return SetClock(present())


@pytest.fixture
def worker(database: Database, clock: SetClock) -> Worker:
    """A worker of the due-queue by that clock."""
    return Worker(database, clock)
