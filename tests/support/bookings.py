"""Bookings for tests: a day with plain times, and a booking that a test changes in one respect."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from autospot.domain.booking.booking import Booking
from autospot.domain.booking.life import BookingState
from autospot.domain.instant import to_ms
from autospot.domain.lot import BookingTerms
from autospot.domain.period import Period

MONDAY = datetime(2040, 11, 26, tzinfo=UTC)
"""A day on which nobody changes the clock, so far ahead that MongoDB itself removes nothing of it as expired."""


def at(hour: int, minute: int = 0, *, day: int = 0) -> datetime:
    """A time of that Monday, or `day` days later."""
    return MONDAY + timedelta(days=day, hours=hour, minutes=minute)


def ms(hour: int, minute: int = 0) -> int:
    return to_ms(at(hour, minute))


def between(start: int, until: int, *, day: int = 0) -> Period:
    """From one full hour to another."""
    return Period(at(start, day=day), at(until, day=day))


def a_booking(**changes: Any) -> Booking:
    """A confirmed booking of B00000 in the harbour, from 10 to 12, made at 8."""
    fields: dict[str, Any] = {
        "id": "bkg_" + "1" * 32,
        "lot": "harbour",
        "bay": "B00000",
        "promise": "prm_" + "1" * 32,
        "kind": "general",
        "owner": "usr_dora",
        "vehicle": None,
        "period": between(10, 12),
        "state": BookingState.CONFIRMED,
        "made_at": at(8),
        "terms": BookingTerms(),
        "handled_until": at(8),
    }
    return Booking(**(fields | changes))
