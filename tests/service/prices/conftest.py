"""A database for the tests of this folder: its indexes are made once a module, its documents go after each test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from uuid import uuid4

import pymongo
import pytest

from autospot.storage.mongo import Database
from autospot.storage.schema import DECLARED


@pytest.fixture(scope="module")
def prices_db_name(mongo_url: str) -> Iterator[str]:
    name = f"prices_{uuid4().hex}"
    asyncio.run(prepare(mongo_url, name))
    yield name
    with pymongo.MongoClient[dict[str, object]](mongo_url) as client:
        client.drop_database(name)


async def prepare(url: str, name: str) -> None:
    database = Database(url, name)
    await database.prepare(DECLARED)
    database.close()


@pytest.fixture
async def database(mongo_url: str, prices_db_name: str) -> AsyncIterator[Database]:
    database = Database(mongo_url, prices_db_name)
    yield database
    raw = database.collection("due").database
    for name in await raw.list_collection_names(filter={"options.capped": {"$ne": True}}):
        if await raw[name].find_one({}, {"_id": 1}) is not None:
            await raw[name].delete_many({})
    database.close()
