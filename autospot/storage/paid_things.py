"""What bookings, sessions and subscriptions say is paid, held against their payments: added up by MongoDB.

All of it in one session, so in one snapshot, as the rest of an audit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from autospot.storage.audits import FAULTS_LIMIT
from autospot.storage.mongo import Collection, Database, Document, Session


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A thing that says `says` is paid (None: there is no such thing), while its payments keep `kept`."""

    thing_id: str
    says: int | None
    kept: int


_GONE: Final[Document] = {
    "$filter": {
        "input": "$refunds",
        "as": "each",
        "cond": {"$or": ["$$each.to_wallet", {"$ne": ["$$each.state", "failed"]}]},
    }
}
_KEPT: Final[Document] = {
    "$subtract": ["$captured", {"$sum": {"$map": {"input": _GONE, "as": "each", "in": "$$each.amount"}}}]
}
"""As `Payment.kept`, in the words of the database."""

_OWN: Final[Document] = {"$subtract": ["$paid", "$booked"]}
"""What was paid for a session itself."""


class PaidThings:
    """Reads `payments` beside `bookings`, `sessions` and `subscriptions`. At most `FAULTS_LIMIT` of each kind."""

    def __init__(self, database: Database) -> None:
        self._payments = database.collection("payments")
        self._bookings = database.collection("bookings")
        self._sessions = database.collection("sessions")
        self._subscriptions = database.collection("subscriptions")

    async def bookings(self, session: Session) -> Sequence[Disagreement]:
        """Bookings that do not say what their payments keep."""
        return await self._disagreeing(session, "booking", self._bookings, "bookings", "$paid")

    async def sessions(self, session: Session) -> Sequence[Disagreement]:
        """The same of sessions, what was paid with their bookings aside."""
        return await self._disagreeing(session, "session", self._sessions, "sessions", _OWN)

    async def subscriptions(self, session: Session) -> Sequence[Disagreement]:
        """Open subscriptions whose present period no payment keeps anything for; payments of subscriptions that are
        not there."""
        unpaid: list[Document] = [
            {"$match": {"open": True}},
            _join("payments", "payment", "_id", [{"$project": {"kept": _KEPT}}]),
            {"$set": {"kept": {"$sum": "$found.kept"}}},
            {"$match": {"kept": {"$lte": 0}}},
            {"$project": {"says": "$plan.price.amount", "kept": 1}},
        ]
        orphans: list[Document] = [
            *_by_subject("subscription"),
            _join("subscriptions", "_id", "_id", [{"$project": {"_id": 1}}]),
            {"$match": {"found": []}},
        ]
        return [
            *await _found(self._subscriptions, unpaid, session),
            *await _found(self._payments, orphans, session),
        ]

    async def _disagreeing(
        self, session: Session, kind: str, things: Collection, name: str, says: str | Document
    ) -> Sequence[Disagreement]:
        from_payments: list[Document] = [
            *_by_subject(kind),
            _join(name, "_id", "_id", [{"$project": {"says": says}}]),
            {"$set": {"says": {"$first": "$found.says"}}},
            {"$match": {"$expr": {"$ne": ["$says", "$kept"]}}},
        ]
        without_payments: list[Document] = [
            {"$match": {"paid": {"$gt": 0}}},
            {"$set": {"says": says}},
            {"$match": {"says": {"$ne": 0}}},
            _join("payments", "_id", "subject.id", [{"$match": {"subject.kind": kind, "captured": {"$gt": 0}}}]),
            {"$match": {"found": []}},
        ]
        return [
            *await _found(self._payments, from_payments, session),
            *await _found(things, without_payments, session),
        ]


def _by_subject(kind: str) -> list[Document]:
    return [
        {"$match": {"subject.kind": kind, "captured": {"$gt": 0}}},
        {"$group": {"_id": "$subject.id", "kept": {"$sum": _KEPT}}},
    ]


def _join(name: str, local: str, foreign: str, pipeline: list[Document]) -> Document:
    return {
        "$lookup": {"from": name, "localField": local, "foreignField": foreign, "pipeline": pipeline, "as": "found"}
    }


async def _found(collection: Collection, pipeline: list[Any], session: Session) -> list[Disagreement]:
    cursor = collection.aggregate([*pipeline, {"$limit": FAULTS_LIMIT}], session=session)
    return [Disagreement(row["_id"], row.get("says"), row.get("kept", 0)) async for row in cursor]
