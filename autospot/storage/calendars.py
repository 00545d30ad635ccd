"""`calendars`: one document per bay with every promise of it. No two promises of a bay overlap, by construction.

A promise is made by one update of one document whose filter finds the bay only while nothing overlaps; MongoDB makes
such updates one after the other, so of any number of callers for one time exactly one gets it. No transaction ever
touches a calendar: 430 to 580 bookings a second without a retry, against 96 with everything in one transaction (32
clients, five bays). Updates that wait at the same moment go in one call; each stays an update of its own.

Document: `{_id: "lot/bay", lot, bay, promised_at, holds: [{id, ref, from, until, at}]}`; `ref` is the booking or
assignment that the bay is kept for, `at` when the promise was made, `promised_at` the latest of these. A `ref` has two
promises for the moment in which it changes its time.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pymongo import ASCENDING, UpdateOne
from pymongo.collection import Collection as DriverCollection
from pymongo.errors import BulkWriteError

from autospot.domain.booking.alternatives import BayTaken, Promise
from autospot.domain.errors import Conflict, Unavailable
from autospot.domain.period import Period
from autospot.storage.batches import Batches
from autospot.storage.mongo import Database, Document, Index
from autospot.storage.outages import answering, inserted

HOLDS_LIMIT = 5_000
"""Most promises of one bay at a time, about 500 KB: fifty a day for a hundred days. Further ones are refused."""

KEPT_AFTER_END = timedelta(hours=1)
"""How long a promise stays in the calendar after its end; nothing can overlap it any more. Pruned by a promise of the
bay, the first in each such time, so a calendar is bounded by what lies ahead."""

PRUNED_LIMIT = 100_000
"""Calendars of which is remembered when they were pruned: some 20 MB. Then all are forgotten, and pruned once more."""

LOOKS_AT_ONCE = 4
"""Looks for taken bays that are under way together: one at a large lot does not hold up all others."""

TRIES = 5
"""How often a promise is tried whose refusal cannot be explained: what stood in the way was given back meanwhile."""

INDEXES = (
    Index("calendars", [("lot", ASCENDING)]),
    # An index of `holds.at` would be reckoned anew for every promise of the bay whenever one is added.
    Index("calendars", [("promised_at", ASCENDING)]),
)


@dataclass(frozen=True, slots=True)
class PromisedBay:
    """A promise and its bay."""

    lot: str
    bay: str
    promise: Promise


class Calendars:
    """Makes promises and gives them back."""

    def __init__(self, database: Database) -> None:
        self._calendars = database.collection("calendars")
        self._wishes: Batches[UpdateOne, bool] = Batches(self._write)
        self._looks: Batches[tuple[str, Period], frozenset[str]] = Batches(self._taken, at_once=LOOKS_AT_ONCE)
        self._pruned_at: dict[str, datetime] = {}

    async def promise(self, lot: str, bay: str, promise: Promise) -> None:
        """Keeps the bay for `promise`; promises of the same `ref` do not stand in its way. `BayTaken` with the promise
        that overlaps, `Conflict` (code `calendar_full`)."""
        is_to_be_pruned = self._is_to_be_pruned(_id(lot, bay), promise.made_at)
        change = [_pruned_with(lot, bay, promise)] if is_to_be_pruned else _with(lot, bay, promise)
        wish = UpdateOne(_free(lot, bay, promise), change, upsert=True)
        for _ in range(TRIES):
            if await self._wishes.ask(wish):
                return
            with answering():
                document = await self._calendars.find_one({"_id": _id(lot, bay)})
            if document is None:
                continue
            if overlapping := _overlapping(document, promise):
                raise BayTaken(f"bay {bay} is taken at that time", because=overlapping)
            if len(document["holds"]) >= HOLDS_LIMIT:
                raise Conflict(f"bay {bay} has too many bookings ahead", code="calendar_full")
        raise Unavailable(f"bay {bay} is being asked for by too many at once")

    def _is_to_be_pruned(self, calendar: str, now: datetime) -> bool:
        """True once per calendar and `KEPT_AFTER_END`, and when it is new to this process."""
        if calendar in self._pruned_at and now - self._pruned_at[calendar] < KEPT_AFTER_END:
            return False
        if len(self._pruned_at) >= PRUNED_LIMIT:
            self._pruned_at.clear()
        self._pruned_at[calendar] = now
        return True

    async def _write(self, wishes: Sequence[UpdateOne]) -> Sequence[bool]:
        """Whether each wish is granted. One whose bay has a calendar that its filter does not let through becomes an
        insertion of that calendar, which is refused because there is one: so each refusal is told by itself."""
        try:
            with answering():
                await self._calendars.bulk_write(wishes, ordered=False)
        except BulkWriteError as error:
            return inserted(error, len(wishes))
        return [True] * len(wishes)

    async def give_back(self, lot: str, bay: str, promise_id: str) -> None:
        """Removes one promise; nothing if it is gone already."""
        with answering():
            await self._calendars.update_one({"_id": _id(lot, bay)}, {"$pull": {"holds": {"id": promise_id}}})

    async def promises(self, lot: str, bay: str) -> Sequence[Promise]:
        """Every promise of a bay, in the order of time."""
        with answering():
            document = await self._calendars.find_one({"_id": _id(lot, bay)})
        return sorted(_promises(document), key=lambda each: each.period) if document else []

    async def taken(self, lot: str, period: Period) -> frozenset[str]:
        """The bays of a lot that are promised for some of `period`."""
        return await self._looks.ask((lot, period))

    async def _taken(self, asked: Sequence[tuple[str, Period]]) -> Sequence[frozenset[str]]:
        """One look for each lot and period, all of them in one visit."""

        def look(calendars: DriverCollection[Document]) -> dict[tuple[str, Period], frozenset[str]]:
            return {each: frozenset(row["bay"] for row in calendars.find(*_promised(*each))) for each in set(asked)}

        with answering():
            found = await self._calendars.visit(look)
        return [found[each] for each in asked]

    async def made_between(self, start: datetime, until: datetime) -> AsyncIterator[PromisedBay]:
        """Every promise that was made from `start` on and before `until`."""
        made = {"$and": [{"$gte": ["$$each.at", start]}, {"$lt": ["$$each.at", until]}]}
        holds = {"$filter": {"input": "$holds", "as": "each", "cond": made}}
        with answering():
            async for row in self._calendars.find(
                {"promised_at": {"$gte": start}}, {"lot": 1, "bay": 1, "holds": holds}
            ):
                for promise in _promises(row):
                    yield PromisedBay(row["lot"], row["bay"], promise)


def _id(lot: str, bay: str) -> str:
    return f"{lot}/{bay}"


def _free(lot: str, bay: str, promise: Promise) -> Document:
    """Finds the bay if no promise of another `ref` overlaps, and there is room for one more."""
    others = {
        "from": {"$lt": promise.period.until},
        "until": {"$gt": promise.period.start},
        "ref": {"$ne": promise.ref},
    }
    return {
        "_id": _id(lot, bay),
        "holds": {"$not": {"$elemMatch": others}},
        f"holds.{HOLDS_LIMIT - 1}": {"$exists": False},
    }


def _pruned_with(lot: str, bay: str, promise: Promise) -> Document:
    """Adds the promise and drops those that are long over: rewrites them all. The first one begins the calendar."""
    current = {"$gt": ["$$each.until", promise.made_at - KEPT_AFTER_END]}
    kept = {"$filter": {"input": {"$ifNull": ["$holds", []]}, "as": "each", "cond": current}}
    holds = {"$concatArrays": [kept, [{"$literal": _hold(promise)}]]}
    latest = {"$max": ["$promised_at", promise.made_at]}
    return {"$set": {"lot": {"$literal": lot}, "bay": {"$literal": bay}, "promised_at": latest, "holds": holds}}


def _with(lot: str, bay: str, promise: Promise) -> Document:
    """Adds the promise to what is there."""
    return {
        "$push": {"holds": _hold(promise)},
        "$max": {"promised_at": promise.made_at},
        "$setOnInsert": {"lot": lot, "bay": bay},
    }


def _promised(lot: str, period: Period) -> tuple[Document, Document]:
    """Filter and fields that find the bays of a lot that are promised for some of `period`."""
    overlap = {"$elemMatch": {"from": {"$lt": period.until}, "until": {"$gt": period.start}}}
    return {"lot": lot, "holds": overlap}, {"_id": 0, "bay": 1}


def _hold(promise: Promise) -> dict[str, Any]:
    period = promise.period
    return {
        "id": promise.id,
        "ref": promise.ref,
        "from": period.start,
        "until": period.until,
        "at": promise.made_at,
    }


def _promises(document: Document) -> list[Promise]:
    return [Promise(row["ref"], Period(row["from"], row["until"]), row["at"], row["id"]) for row in document["holds"]]


def _overlapping(document: Document, wanted: Promise) -> Promise | None:
    return next(
        (each for each in _promises(document) if each.ref != wanted.ref and each.period.overlaps(wanted.period)), None
    )
