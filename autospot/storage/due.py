"""The due-queue's rows: `due`.

A row is anybody's from `at` on. Claiming pushes `at` ahead by the lease, finishing deletes the row, failing pushes `at`
by the back-off: so one index serves everything, and a worker that dies leaves nothing to clean up, its row simply falls
due again. `claim` fences: a worker whose lease ran out can no longer finish, move or bury the row.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection as Names
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pymongo import ASCENDING, DESCENDING, ReadPreference, ReturnDocument
from pymongo.errors import DuplicateKeyError, OperationFailure
from pymongo.read_concern import ReadConcern

from autospot.domain.due import Due
from autospot.storage.mongo import MAJORITY, Database, Document, Index, Session
from autospot.storage.outages import answering

DEAD_ROWS_KEPT = timedelta(days=90)
CANDIDATES = 16
"""Rows that a claim tries in turn: as many may be held by others at that moment before it finds nothing."""
WRITE_CONFLICT = 112

INDEXES = (
    Index("due", [("state", ASCENDING), ("at", ASCENDING)]),
    Index("due", [("dead_at", ASCENDING)], {"expireAfterSeconds": int(DEAD_ROWS_KEPT.total_seconds())}),
)


@dataclass(frozen=True, slots=True)
class Claimed:
    """A row and the proof that it is ours until the lease ends."""

    due: Due
    claim: str


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A row that was given up, with the reason."""

    due: Due
    dead_at: datetime
    reason: str


class DueRows:
    """Reads and writes `due`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._rows = database.collection("due")

    async def put(self, due: Due, *, session: Session | None = None) -> None:
        """Adds a row; one of the same kind and key that waits already stays as it is."""
        row = _row(due)
        try:
            with answering(session):
                await self._rows.update_one(
                    {"_id": row.pop("_id")}, {"$setOnInsert": row}, upsert=True, session=session
                )
        except DuplicateKeyError:
            if session is not None:
                raise
            return  # somebody else put it at the same moment

    async def ensure(self, due: Due, *, session: Session | None = None) -> None:
        """Sees to it that somebody begins to work on the row at the earliest of the times that were asked for and did
        not come yet, and once more at the latest of them: what was looked at before its time, or by somebody who was at
        it already, is looked at again. A dead letter lives again."""
        row = _row(due)
        fields = {name: {"$literal": row[name]} for name in ("kind", "key", "payload")}
        works, waits = {"$gt": ["$claim", None]}, {"$eq": ["$state", "waiting"]}
        earlier = {"$cond": [waits, {"$min": ["$at", due.at]}, due.at]}
        later = [
            {"case": works, "then": {"$max": ["$again_at", due.at]}},
            {"case": {"$and": [waits, {"$ne": ["$at", due.at]}]}, "then": {"$max": ["$again_at", "$at", due.at]}},
            {"case": waits, "then": {"$ifNull": ["$again_at", "$$REMOVE"]}},
        ]
        change = {
            **fields,
            "state": "waiting",
            "at": {"$cond": [works, "$at", earlier]},
            "attempts": {"$cond": [waits, "$attempts", 0]},
            "again_at": {"$switch": {"branches": later, "default": "$$REMOVE"}},
        }
        try:
            with answering(session):
                await self._rows.update_one(
                    {"_id": row["_id"]}, [{"$set": change}, {"$unset": "dead_at"}], upsert=True, session=session
                )
        except DuplicateKeyError:
            if session is not None:
                raise
            await self.ensure(due)  # somebody else put it at the same moment

    async def move(self, due: Due, *, session: Session | None = None) -> None:
        """Adds a row, or replaces the one of the same kind and key, which then is nobody's claim any more."""
        row = _row(due)
        with answering(session):
            await self._rows.replace_one({"_id": row["_id"]}, row, upsert=True, session=session)

    async def cancel(self, kind: str, key: str, *, session: Session | None = None) -> bool:
        """Removes a row; False if there is none."""
        with answering(session):
            result = await self._rows.delete_one({"_id": _id(kind, key)}, session=session)
        return bool(result.deleted_count)

    async def claim(self, kinds: Names[str], now: datetime, lease: timedelta) -> Claimed | None:
        """The row of one of `kinds` that has been due longest, ours for `lease`; None if there is none.

        A row that somebody's open transaction holds is passed over. That may be the transaction of a process that was
        killed: the server ends it after `transactionLifetimeLimitSeconds`, and until then the row must not keep the
        others from being done.
        """
        wanted = {"state": "waiting", "at": {"$lte": now}, "kind": {"$in": list(kinds)}}
        with answering():
            cursor = self._rows.find(wanted, {"_id": 1}).sort("at", ASCENDING).limit(CANDIDATES)
            async for candidate in cursor:
                claimed = await self._claim_one(candidate["_id"], now, lease)
                if claimed is not None:
                    return claimed
        return None

    async def _claim_one(self, row_id: str, now: datetime, lease: timedelta) -> Claimed | None:
        claim = secrets.token_hex(8)
        change = {"$set": {"at": now + lease, "claim": claim}, "$inc": {"attempts": 1}}
        # In a transaction a row that is held refuses at once (112); a plain update would wait until it is let go.
        async with await self._database.client.start_session() as session:
            session.start_transaction(ReadConcern("snapshot"), MAJORITY, ReadPreference.PRIMARY)
            try:
                row = await self._rows.find_one_and_update(
                    {"_id": row_id, "state": "waiting", "at": {"$lte": now}},
                    change,
                    return_document=ReturnDocument.AFTER,
                    session=session,
                )
                await session.commit_transaction()
            except OperationFailure as error:
                if error.code == WRITE_CONFLICT:
                    return None
                raise
        return None if row is None else Claimed(_due(row), claim)

    async def finish(self, claimed: Claimed, *, session: Session | None = None) -> bool:
        """Removes a row that is done; one that is wanted once more (`ensure`) falls due again. False if it is no longer
        ours: then its effects must not count."""
        ours = _ours(claimed)
        with answering(session):
            done = await self._rows.delete_one({**ours, "again_at": {"$exists": False}}, session=session)
            if done.deleted_count:
                return True
            again: list[Document] = [{"$set": {"at": "$again_at", "attempts": 0}}, {"$unset": ["claim", "again_at"]}]
            kept = await self._rows.update_one({**ours, "again_at": {"$exists": True}}, again, session=session)
        return bool(kept.modified_count)

    async def retry(self, claimed: Claimed, at: datetime, reason: str) -> None:
        """Gives a row back until `at`."""
        change = {"$set": {"at": at, "reason": reason}, "$unset": {"claim": ""}}
        with answering():
            await self._rows.update_one(_ours(claimed), change)

    async def bury(self, claimed: Claimed, now: datetime, reason: str) -> None:
        """Makes a row a dead letter."""
        change = {"$set": {"state": "dead", "dead_at": now, "reason": reason}, "$unset": {"claim": ""}}
        with answering():
            await self._rows.update_one(_ours(claimed), change)

    async def next_at(self, kinds: Names[str]) -> datetime | None:
        """When the next row of `kinds` falls due, which may be past; None if none waits."""
        with answering():
            row = await self._rows.find_one(
                {"state": "waiting", "kind": {"$in": list(kinds)}}, {"at": 1}, sort=[("at", ASCENDING)]
            )
        return None if row is None else row["at"]

    async def earliest(self) -> datetime | None:
        """From when on the row that waits for the earliest time is anybody's; None if none waits."""
        with answering():
            row = await self._rows.find_one({"state": "waiting"}, {"at": 1}, sort=[("at", ASCENDING)])
        return None if row is None else row["at"]

    async def dead_by_kind(self) -> Mapping[str, int]:
        """How many dead letters there are, by kind; only kinds that have some."""
        steps: list[Document] = [{"$match": {"state": "dead"}}, {"$group": {"_id": "$kind", "count": {"$sum": 1}}}]
        with answering():
            return {row["_id"]: row["count"] async for row in self._rows.aggregate(steps)}

    async def dead(self, most: int, *, kind: str | None = None) -> Sequence[DeadLetter]:
        """The dead letters, newest first, at most `most`; only those of `kind` where one is named."""
        wanted = {"state": "dead"} if kind is None else {"state": "dead", "kind": kind}
        with answering():
            cursor = self._rows.find(wanted).sort("dead_at", DESCENDING).limit(most)
            return [DeadLetter(_due(row), row["dead_at"], row["reason"]) async for row in cursor]

    async def revive(self, kind: str, key: str, now: datetime) -> bool:
        """Gives a dead letter all its attempts again, from `now`; False if there is no such dead letter."""
        change = {
            "$set": {"state": "waiting", "at": now, "attempts": 0},
            "$unset": {"dead_at": "", "until": "", "again_at": ""},
        }
        with answering():
            result = await self._rows.update_one({"_id": _id(kind, key), "state": "dead"}, change)
        return bool(result.modified_count)


def _id(kind: str, key: str) -> str:
    return f"{kind}:{key}"


def _ours(claimed: Claimed) -> Mapping[str, Any]:
    return {"_id": _id(claimed.due.kind, claimed.due.key), "claim": claimed.claim}


def _row(due: Due) -> Document:
    row = {
        "_id": _id(due.kind, due.key),
        "kind": due.kind,
        "key": due.key,
        "state": "waiting",
        "at": due.at,
        "payload": dict(due.payload),
        "attempts": 0,
    }
    return row if due.until is None else {**row, "until": due.until}


def _due(row: Document) -> Due:
    return Due(row["kind"], row["key"], row["at"], row["payload"], row["attempts"], row.get("until"))
