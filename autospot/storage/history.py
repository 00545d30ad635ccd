"""`bay_history`: every reading that changed or witnessed a bay, one row each, written once whatever is repeated.

Row: `{_id: "lot/bay/at/boot.seq/value", lot, bay, at, occupied}`. The id begins with what people ask by, so one index
serves both the uniqueness and the reading, and a row costs one index entry less to write.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from datetime import timedelta

from pymongo import ASCENDING, DESCENDING
from pymongo.errors import BulkWriteError, PyMongoError

from autospot.domain.change import SensorChange
from autospot.domain.history import BayEvent
from autospot.domain.instant import from_ms, to_ms
from autospot.storage.mongo import Database, Document, Index, translated

RETENTION = timedelta(days=400)
"""A year and a month: this month can be compared with the same one a year ago."""

INDEXES = (Index("bay_history", [("at", ASCENDING)], {"expireAfterSeconds": int(RETENTION.total_seconds())}),)

_DUPLICATE_KEY = 11000
_LAST_MS = 99_999_999_999_999


class BayHistory:
    """Writes and reads the rows."""

    def __init__(self, database: Database) -> None:
        self._collection = database.collection("bay_history")

    async def keep(self, rows: Iterable[tuple[str, SensorChange]]) -> None:
        """Adds `(lot, change)` rows; rows that are there already are left alone. `Unavailable` in an outage."""
        documents = [_encode(lot, change) for lot, change in rows]
        if not documents:
            return
        try:
            await self._collection.insert_many(documents, ordered=False)
        except BulkWriteError as error:
            if any(each["code"] != _DUPLICATE_KEY for each in error.details["writeErrors"]):
                raise
        except PyMongoError as error:
            raise translated(error) from error

    async def newest_first(self, lot: str, bay: str, before_ms: int | None = None) -> AsyncIterator[BayEvent]:
        """Events of one bay, newest first, with an event time before `before_ms`."""
        last = _LAST_MS if before_ms is None else before_ms
        criteria = {"_id": {"$gte": f"{lot}/{bay}/", "$lt": f"{lot}/{bay}/{last:014d}"}}
        try:
            async for row in self._collection.find(criteria, {"at": 1, "occupied": 1}).sort("_id", DESCENDING):
                yield BayEvent(to_ms(row["at"]), row["occupied"])
        except PyMongoError as error:
            raise translated(error) from error


def _encode(lot: str, change: SensorChange) -> Document:
    # A bay turned unknown has no reading of that moment: its event is the hub's word, dated by `since`.
    at_ms = change.since_ms if change.occupied is None else change.at_ms
    if at_ms is None:
        raise ValueError("a kept reading has a time")
    value = {None: "u", True: "o", False: "f"}[change.occupied]
    order = "" if change.seq is None else f"{change.boot}.{change.seq}"
    return {
        "_id": f"{lot}/{change.bay}/{at_ms:014d}/{order}/{value}",
        "lot": lot,
        "bay": change.bay,
        "at": from_ms(at_ms),
        "occupied": change.occupied,
    }
