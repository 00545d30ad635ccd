"""Recurring bookings: each day is a booking of its own; the days that cannot be had are named, with what could be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from autospot.domain.booking.booking import Booking
from autospot.domain.booking.series import Pattern, occurrences
from autospot.domain.errors import AutoSpotError, Conflict, InvalidInput
from autospot.domain.period import Period
from autospot.services.desk.booking import BookingDesk, LotOf, Request
from autospot.storage.bookings import Bookings
from autospot.storage.idempotency import Once
from autospot.storage.mongo import Database, Session


@dataclass(frozen=True, slots=True)
class Refused:
    """A day of a series that could not be booked, and why."""

    period: Period
    refusal: AutoSpotError


@dataclass(frozen=True, slots=True)
class Series:
    """What came of a series."""

    id: str
    booked: tuple[Booking, ...]
    refused: tuple[Refused, ...]


class SeriesDesk:
    """Books every day of a pattern that can be had."""

    def __init__(self, database: Database, bookings: Bookings, desk: BookingDesk, lot_of: LotOf) -> None:
        self._database = database
        self._bookings = bookings
        self._desk = desk
        self._lot_of = lot_of

    async def book(self, pattern: Pattern, asked: Callable[[Period], Request], lot: str, once: Once[Series]) -> Series:
        """Books the days one after the other; `asked` makes the request of one. A day that is refused holds up no
        other; a series of which no day can be had is a `Conflict` (code `series_refused`). Tried again after a crash,
        it goes on where it was. Counts as one open booking."""
        series_id = once.id("srs")
        booked: list[Booking] = []
        refused: list[Refused] = []
        for number, period in enumerate(occurrences(pattern, self._lot_of(lot).layout.time_zone)):
            try:
                booked.append(await self._one(replace(asked(period), series=series_id), _Day(once, number)))
            except (Conflict, InvalidInput) as refusal:
                if refusal.retryable:
                    raise
                refused.append(Refused(period, refusal))
        if not booked:
            raise Conflict(
                f"none of the days can be had; the first: {refused[0].refusal.message}", code="series_refused"
            )
        made = Series(series_id, tuple(booked), tuple(refused))
        await self._database.transaction(lambda session: once.keep(session, made))
        return made

    async def _one(self, request: Request, once: _Day) -> Booking:
        earlier = await self._bookings.find(once.id("bkg"), owner=request.owner)
        return earlier or await self._desk.book(request, once)


class _Day:
    """`Once` of one day: ids of its own, no answer of its own."""

    def __init__(self, series: Once[Series], number: int) -> None:
        self._series = series
        self._number = number

    def id(self, prefix: str, part: str = "") -> str:
        return self._series.id(prefix, f"{self._number}:{part}")

    async def keep(self, session: Session, result: Booking) -> None:
        """The series keeps one answer for all its days."""
