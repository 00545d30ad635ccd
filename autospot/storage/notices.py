"""`notices`: what a driver or the operators of a lot were told, once per occasion.

Document: `{_id, to, lot, user, what, subject, facts, at}`; the id derives from the occasion, so telling twice is once.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

import orjson
from pymongo import ASCENDING, DESCENDING
from pymongo.errors import PyMongoError

from autospot.domain.notice import Notice
from autospot.storage.mongo import Database, Document, Index, Session, translated

RETENTION = timedelta(days=90)

INDEXES = (
    Index("notices", [("user", ASCENDING), ("at", DESCENDING)]),
    Index("notices", [("lot", ASCENDING), ("to", ASCENDING), ("at", DESCENDING)]),
    Index("notices", [("at", ASCENDING)], {"expireAfterSeconds": int(RETENTION.total_seconds())}),
)


class Notices:
    """Keeps notices and gives them out, newest first."""

    def __init__(self, database: Database) -> None:
        self._collection = database.collection("notices")

    async def tell(self, session: Session, notice: Notice, now: datetime) -> None:
        """Keeps `notice` in the transaction of what it is about."""
        facts = dict(notice.facts)
        occasion = orjson.dumps(
            [notice.to, notice.lot, notice.user, notice.what, notice.subject, facts], option=orjson.OPT_SORT_KEYS
        )
        row: Document = {
            "to": notice.to,
            "lot": notice.lot,
            "user": notice.user,
            "what": notice.what,
            "subject": notice.subject,
            "facts": facts,
            "at": now,
        }
        key = {"_id": f"ntc_{hashlib.sha256(occasion).hexdigest()[:32]}"}
        await self._collection.update_one(key, {"$setOnInsert": row}, upsert=True, session=session)

    async def of_driver(self, user: str, most: int, before: datetime | None = None) -> list[tuple[datetime, Notice]]:
        """The newest `most` notices of a driver, each with its time, told before `before`."""
        criteria: Document = {"user": user, "to": "driver"}
        if before is not None:
            criteria["at"] = {"$lt": before}
        try:
            rows = await self._collection.find(criteria).sort("at", DESCENDING).to_list(most)
        except PyMongoError as error:
            raise translated(error) from error
        return [(row["at"], _notice(row)) for row in rows]


def _notice(row: Document) -> Notice:
    return Notice(row["to"], row["lot"], row["what"], row["subject"], row["user"], row["facts"])
