"""A database for the tests of this folder: its indexes are made once, its documents are gone after each test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from uuid import uuid4

import pymongo
import pytest

from autospot.storage.mongo import Database
from autospot.storage.schema import DECLARED


@pytest.fixture(scope="module")
def bookings_db_name(mongo_url: str) -> Iterator[str]:
    name = f"bookings_{uuid4().hex}"
    yield name
    with pymongo.MongoClient[dict[str, object]](mongo_url) as client:
        client.drop_database(name)


@pytest.fixture
async def database(mongo_url: str, bookings_db_name: str) -> AsyncIterator[Database]:
    database = Database(mongo_url, bookings_db_name)
    await database.prepare(DECLARED)
    yield database
    raw = database.collection("due").database
    for name in await raw.list_collection_names():
        if name not in ("dead_letters", "system.views"):  # capped: nothing can be deleted
            await raw[name].delete_many({})
    database.close()
