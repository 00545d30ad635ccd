"""`assignments`: one document per assignment. A document with `void_until` is an id that was given up, as in
`bookings`."""

from __future__ import annotations

from datetime import datetime, timedelta

from pymongo import ASCENDING
from pymongo.errors import DuplicateKeyError

from autospot.domain.assignment import Assignment, AssignmentState
from autospot.domain.errors import Conflict, PreconditionFailed
from autospot.domain.period import Period
from autospot.storage.bookings import VOID_KEPT, IdGivenUp
from autospot.storage.mongo import Database, Document, Index, Session
from autospot.storage.outages import answering

KEPT = timedelta(days=30)
"""How long an assignment is remembered."""

INDEXES = (
    Index("assignments", [("owner", ASCENDING)], {"unique": True, "partialFilterExpression": {"state": "waiting"}}),
    Index("assignments", [("void_until", ASCENDING)], {"expireAfterSeconds": 0}),
    Index("assignments", [("made_at", ASCENDING)], {"expireAfterSeconds": int(KEPT.total_seconds())}),
)
"""The unique one lets a driver have one at a time."""


class Assignments:
    """Reads and writes `assignments`."""

    def __init__(self, database: Database) -> None:
        self._assignments = database.collection("assignments")

    async def add(self, assignment: Assignment, *, session: Session) -> None:
        """Stores a new one; `Conflict` (code `assigned_already`) if its owner has one, `IdGivenUp`."""
        try:
            await self._assignments.insert_one(_row(assignment), session=session)
        except DuplicateKeyError as error:
            if "owner" in (error.details or {}).get("keyPattern", {}):
                raise Conflict("a bay is kept for you already", code="assigned_already") from None
            raise IdGivenUp("this took too long: try again") from None

    async def replace(self, before: Assignment, after: Assignment, *, session: Session) -> None:
        """Stores what became of `before`; `PreconditionFailed` if it changed since it was read."""
        done = await self._assignments.replace_one(
            {"_id": before.id, "version": before.version}, _row(after), session=session
        )
        if not done.matched_count:
            raise PreconditionFailed("the assignment changed meanwhile")

    async def find(
        self, assignment_id: str, *, owner: str | None = None, session: Session | None = None
    ) -> Assignment | None:
        """One assignment, with `owner` only if it is his."""
        wanted: Document = {"_id": assignment_id, "state": {"$exists": True}}
        if owner is not None:
            wanted["owner"] = owner
        with answering(session):
            row = await self._assignments.find_one(wanted, session=session)
        return None if row is None else _assignment(row)

    async def waiting_of(self, owner: str) -> Assignment | None:
        """The assignment that a driver has now."""
        with answering():
            row = await self._assignments.find_one({"owner": owner, "state": "waiting"})
        return None if row is None else _assignment(row)

    async def give_up(self, assignment_id: str, now: datetime) -> bool:
        """Makes sure that no assignment will ever have this id; False if one has it."""
        try:
            with answering():
                await self._assignments.insert_one({"_id": assignment_id, "void_until": now + VOID_KEPT})
        except DuplicateKeyError:
            return await self.find(assignment_id) is None
        return True


_PLAIN = ("owner", "lot", "bay", "promise", "made_at", "version")


def _row(assignment: Assignment) -> Document:
    return {
        "_id": assignment.id,
        **{name: getattr(assignment, name) for name in _PLAIN},
        "from": assignment.period.start,
        "until": assignment.period.until,
        "state": assignment.state.value,
    }


def _assignment(row: Document) -> Assignment:
    return Assignment(
        id=row["_id"],
        **{name: row[name] for name in _PLAIN},
        period=Period(row["from"], row["until"]),
        state=AssignmentState(row["state"]),
    )
