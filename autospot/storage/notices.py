"""`notices`: what a driver or the operators of a lot were told, once per occasion.

Document: `{_id, to, lot, user, what, subject, facts, at}`; the id derives from the occasion, so telling twice is once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import orjson
from pymongo import ASCENDING, DESCENDING

from autospot.domain.notice import Notice, ToldNotice
from autospot.storage.mongo import Database, Document, Index, Session
from autospot.storage.outages import answering

RETENTION = timedelta(days=90)

INDEXES = (
    Index("notices", [("user", ASCENDING), ("at", DESCENDING), ("_id", DESCENDING)]),
    Index("notices", [("lot", ASCENDING), ("to", ASCENDING), ("at", DESCENDING)]),
    Index("notices", [("at", ASCENDING)], {"expireAfterSeconds": int(RETENTION.total_seconds())}),
)


class Position(NamedTuple):
    """Where a page of notices ends: several may be told in one millisecond."""

    at: datetime
    id: str


class Notices:
    """Keeps notices and gives them out, newest first."""

    def __init__(self, database: Database) -> None:
        self._collection = database.collection("notices")

    async def keep(self, session: Session, notice: Notice, now: datetime) -> ToldNotice | None:
        """Keeps `notice` in the transaction of what it is about; None if it was told before."""
        told = ToldNotice(_id_of(notice), now, notice)
        row: Document = {
            "to": notice.to,
            "lot": notice.lot,
            "user": notice.user,
            "what": notice.what,
            "subject": notice.subject,
            "facts": dict(notice.facts),
            "at": now,
        }
        done = await self._collection.update_one({"_id": told.id}, {"$setOnInsert": row}, upsert=True, session=session)
        return told if done.upserted_id is not None else None

    async def find(self, notice_id: str) -> ToldNotice | None:
        """One notice."""
        with answering():
            row = await self._collection.find_one({"_id": notice_id})
        return None if row is None else told_notice(row)

    async def of_driver(self, user: str, most: int, after: Position | None = None) -> Sequence[ToldNotice]:
        """The newest `most` notices of a driver that come `after` a position in that order, newest first."""
        criteria: Document = {"user": user, "to": "driver"}
        if after is not None:
            older, same = {"at": {"$lt": after.at}}, {"at": after.at, "_id": {"$lt": after.id}}
            criteria["$or"] = [older, same]
        with answering():
            cursor = self._collection.find(criteria).sort([("at", DESCENDING), ("_id", DESCENDING)])
            return [told_notice(row) for row in await cursor.to_list(most)]

    async def to_drivers_since(self, since: datetime, most: int) -> Sequence[ToldNotice]:
        """What drivers were told from `since` on, the oldest `most` of it, oldest first."""
        with answering():
            cursor = self._collection.find({"at": {"$gte": since}, "to": "driver"}).sort("at", ASCENDING)
            return [told_notice(row) for row in await cursor.to_list(most)]


def told_notice(row: Document) -> ToldNotice:
    """A document as a value."""
    notice = Notice(row["to"], row["lot"], row["what"], row["subject"], row["user"], row["facts"])
    return ToldNotice(row["_id"], row["at"], notice)


def _id_of(notice: Notice) -> str:
    occasion = orjson.dumps(
        [notice.to, notice.lot, notice.user, notice.what, notice.subject, dict(notice.facts)],
        option=orjson.OPT_SORT_KEYS,
    )
    return f"ntc_{hashlib.sha256(occasion).hexdigest()[:32]}"
