"""What bookings, sessions and wishes hold of a person: for the export of one's own data, and for closing an account."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from autospot.domain.booking.booking import Booking
from autospot.domain.booking.life import OPEN
from autospot.domain.instant import rfc3339
from autospot.domain.parking_session import ParkingSession, SessionState
from autospot.storage.bookings import BookingQuery, Bookings
from autospot.storage.sessions import SessionQuery, Sessions

ROWS_LIMIT = 10_000
"""Most bookings and sessions of one person in an export: ten a day for three years."""


class ParkingData:
    """The sections and the objection that `OwnData` asks for."""

    def __init__(self, bookings: Bookings, sessions: Sessions) -> None:
        self._bookings = bookings
        self._sessions = sessions

    async def bookings(self, owner: str) -> Sequence[Mapping[str, Any]]:
        """Every booking with its events, the latest start first."""
        return [_booking(each) for each in await self._bookings.newest(BookingQuery(owner=owner), ROWS_LIMIT)]

    async def sessions(self, owner: str) -> Sequence[Mapping[str, Any]]:
        """Every session, the latest first."""
        return [_session(each) for each in await self._sessions.newest(SessionQuery(owner), ROWS_LIMIT)]

    async def objection(self, owner: str) -> str | None:
        """Why the account cannot be closed yet."""
        if await self._bookings.newest(BookingQuery(owner=owner, states=sorted(OPEN)), 1):
            return "you have an open booking: cancel it first"
        unsettled = (SessionState.RUNNING, SessionState.ENDED)
        if await self._sessions.newest(SessionQuery(owner, unsettled), 1):
            return "you have a parking session that runs or is not paid"
        return None


def _booking(booking: Booking) -> Mapping[str, Any]:
    return {
        "id": booking.id,
        "lot": booking.lot,
        "bay": booking.bay,
        "vehicle": booking.vehicle,
        "state": booking.state.value,
        **booking.period.as_json(),
        "paid": booking.paid,
        "events": [
            {"at": rfc3339(each.at), "what": each.what, "by": each.by, "reason": each.reason} for each in booking.events
        ],
    }


def _session(parked: ParkingSession) -> Mapping[str, Any]:
    return {
        "id": parked.id,
        "lot": parked.lot,
        "bay": parked.bay,
        "vehicle": parked.vehicle,
        "booking": parked.booking,
        "state": parked.state.value,
        "began_at": rfc3339(parked.began_at),
        "ended_at": rfc3339(parked.ended_at) if parked.ended_at else None,
        "fee": dict(parked.fee.as_json()) if parked.fee else None,
    }
