"""A database of its own for each proof, gone afterwards."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from autospot.storage.mongo import Database
from autospot.storage.schema import DECLARED


@pytest.fixture
async def database(mongo_url: str) -> AsyncIterator[Database]:
    database = Database(mongo_url, f"proof_{uuid4().hex}")
    await database.prepare(DECLARED)
    yield database
    await database.client.drop_database(database.name)
    database.close()
