"""The stream of signals tells of rows that fall due soon, whoever wrote them, and of no others."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from autospot.domain.due import Due
from autospot.storage import schema
from autospot.storage.due import DueRows
from autospot.storage.mongo import Database
from autospot.storage.signals import SOON, Resync, RowPut, follow_signals

SECOND = timedelta(seconds=1)


async def test_rows_are_told_of_when_they_fall_due_soon(mongo_url: str, mongo_db_name: str) -> None:
    database = Database(mongo_url, mongo_db_name)
    await database.prepare(schema.DECLARED)
    rows, now = DueRows(database), datetime.now(UTC)
    told: list[datetime] = []
    try:
        async with asyncio.timeout(20):
            async for signal in follow_signals(database):
                if isinstance(signal, Resync):
                    await rows.put(Due("reminder", "in an hour", now + timedelta(hours=1), {}))
                    await rows.move(Due("reminder", "just beyond", now + SOON + 30 * SECOND, {}))
                    await rows.move(Due("reminder", "just within", now + SOON - 30 * SECOND, {}))
                    await rows.move(Due("reminder", "in an hour", now, {}))  # what was far is brought forward
                if isinstance(signal, RowPut):
                    told.append(signal.at)
                if len(told) == 2:
                    break
    finally:
        database.close()
    wanted = [now + SOON - 30 * SECOND, now]
    assert [abs(one - other) < SECOND for one, other in zip(told, wanted, strict=True)] == [True, True]
