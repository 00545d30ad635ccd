"""A town of two lots, and its API."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from api.lots import Lots
from autospot.storage.history import BayHistory
from autospot.storage.mongo import Database
from tests.support.api import RunningApi, running_api
from tests.support.lot_town import Town, a_garage
from tests.support.lots import a_lot


@pytest.fixture
def town() -> Town:
    return Town(a_lot("harbour", 6, kinds=("general", "ev")), a_garage())


@pytest.fixture
async def database(mongo_url: str, mongo_db_name: str) -> AsyncIterator[Database]:
    database = Database(mongo_url, mongo_db_name)
    yield database
    database.close()


@pytest.fixture
async def history(database: Database) -> BayHistory:
    return BayHistory(database)


@pytest.fixture
async def api(town: Town, history: BayHistory) -> AsyncIterator[RunningApi]:
    async with running_api(Lots(town.current, history), clock=town.clock) as running:
        yield running
