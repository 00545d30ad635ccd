"""`sessions`: one document per stay. On a bay there is one running session at most, and so for a vehicle."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from pymongo import ASCENDING, DESCENDING
from pymongo.errors import DuplicateKeyError

from autospot.domain.errors import Conflict, PreconditionFailed
from autospot.domain.money import Money
from autospot.domain.parking_session import ParkingSession, SessionState
from autospot.storage.mongo import Database, Document, Index, Session
from autospot.storage.outages import answering

_RUNNING = {"state": "running"}

INDEXES = (
    Index("sessions", [("lot", ASCENDING), ("bay", ASCENDING)], {"unique": True, "partialFilterExpression": _RUNNING}),
    Index(
        "sessions",
        [("vehicle", ASCENDING)],
        {"unique": True, "partialFilterExpression": {**_RUNNING, "vehicle": {"$type": "string"}}},
    ),
    Index("sessions", [("owner", ASCENDING), ("began_at", DESCENDING), ("_id", DESCENDING)]),
    Index("sessions", [("lot", ASCENDING), ("began_at", DESCENDING)]),
)


@dataclass(frozen=True, slots=True)
class SessionQuery:
    """Which sessions. `before` is beginning and id of the last one seen."""

    owner: str
    states: Collection[SessionState] = ()
    before: tuple[datetime, str] | None = None


class Sessions:
    """Reads and writes `sessions`."""

    def __init__(self, database: Database) -> None:
        self._sessions = database.collection("sessions")

    async def add(self, parked: ParkingSession, *, session: Session) -> None:
        """Stores a new one; `Conflict` (codes `bay_in_use`, `vehicle_parked`) where one runs already."""
        try:
            await self._sessions.insert_one(_row(parked), session=session)
        except DuplicateKeyError as error:
            pattern = (error.details or {}).get("keyPattern", {})
            if "vehicle" in pattern:
                raise Conflict("this vehicle is parked already", code="vehicle_parked") from None
            raise Conflict("somebody is parked on this bay already", code="bay_in_use") from None

    async def replace(self, before: ParkingSession, after: ParkingSession, *, session: Session) -> None:
        """Stores what became of `before`; `PreconditionFailed` if it changed since it was read."""
        done = await self._sessions.replace_one(
            {"_id": before.id, "version": before.version}, _row(after), session=session
        )
        if not done.matched_count:
            raise PreconditionFailed("the session changed meanwhile: read it again, then decide")

    async def find(
        self, session_id: str, *, owner: str | None = None, session: Session | None = None
    ) -> ParkingSession | None:
        """One session, with `owner` only if it is his."""
        wanted: Document = {"_id": session_id}
        if owner is not None:
            wanted["owner"] = owner
        with answering(session):
            row = await self._sessions.find_one(wanted, session=session)
        return None if row is None else _session(row)

    async def running_on(self, lot: str, bay: str, *, session: Session | None = None) -> ParkingSession | None:
        """The session that runs on a bay."""
        with answering(session):
            row = await self._sessions.find_one({"lot": lot, "bay": bay, **_RUNNING}, session=session)
        return None if row is None else _session(row)

    async def in_the_way(self, parked: ParkingSession, *, session: Session) -> Sequence[ParkingSession]:
        """The sessions that run on the bay of `parked`, or with its vehicle: two at most."""
        same: list[Document] = [{"lot": parked.lot, "bay": parked.bay}]
        if parked.vehicle is not None:
            same.append({"vehicle": parked.vehicle})
        cursor = self._sessions.find({"$or": same, **_RUNNING}, session=session)
        return [_session(row) async for row in cursor]

    async def running(self) -> AsyncIterator[tuple[str, str]]:
        """Lot and bay of every session that runs."""
        with answering():
            async for row in self._sessions.find(_RUNNING, {"lot": 1, "bay": 1}):
                yield row["lot"], row["bay"]

    async def newest(self, query: SessionQuery, most: int) -> Sequence[ParkingSession]:
        """At most `most` sessions, the latest beginning first."""
        wanted: Document = {"owner": query.owner}
        if query.states:
            wanted["state"] = {"$in": list(query.states)}
        if query.before is not None:
            at, last_id = query.before
            wanted["$or"] = [{"began_at": {"$lt": at}}, {"began_at": at, "_id": {"$lt": last_id}}]
        with answering():
            cursor = self._sessions.find(wanted).sort([("began_at", DESCENDING), ("_id", DESCENDING)]).limit(most)
            return [_session(row) async for row in cursor]


_PLAIN = (
    "owner",
    "lot",
    "bay",
    "bay_kind",
    "kind",
    "began_at",
    "vehicle",
    "booking",
    "tariff_version",
    "ended_at",
    "paid",
    "booked",
    "version",
)


def _row(parked: ParkingSession) -> Document:
    return {
        "_id": parked.id,
        **{name: getattr(parked, name) for name in _PLAIN},
        "state": parked.state.value,
        "fee": dict(parked.fee.as_json()) if parked.fee else None,
    }


def _session(row: Document) -> ParkingSession:
    return ParkingSession(
        id=row["_id"],
        **{name: row[name] for name in _PLAIN},
        state=SessionState(row["state"]),
        fee=Money(row["fee"]["amount"], row["fee"]["currency"]) if row["fee"] else None,
    )
