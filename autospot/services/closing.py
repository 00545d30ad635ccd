"""Closing and opening bays: the operator's half of what people arranged, and what becomes of the bookings under it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from autospot.clock import Clock
from autospot.domain.access import Action, Principal, require
from autospot.domain.audit import SYSTEM, Actor, actor_of
from autospot.domain.bay import Closure
from autospot.domain.booking.booking import Booking
from autospot.domain.booking.life import BookingState, IllegalStep
from autospot.domain.errors import InvalidInput, PreconditionFailed
from autospot.domain.instant import from_ms, to_ms
from autospot.services.audit import Audit
from autospot.services.clockwork import Clockwork, DueKind, Schedule
from autospot.services.desk.booking import LotOf
from autospot.services.desk.moving import Mover
from autospot.storage.bookings import Bookings
from autospot.storage.claims import Claims
from autospot.storage.mongo import Database, Session

WRITER = "closing"

MOVED_AT_ONCE = timedelta(days=1)
"""Bookings that begin within this are moved when their bay is closed; later ones shortly before they begin, if the bay
is still closed then."""


@dataclass(frozen=True, slots=True)
class ClosedBay:
    """A bay whose closure ends."""

    lot: str
    bay: str


OPEN_BAY = DueKind("open_bay", ClosedBay)


class Closing:
    """Takes bays out of service and back."""

    def __init__(
        self,
        database: Database,
        claims: Claims,
        bookings: Bookings,
        lot_of: LotOf,
        mover: Mover,
        audit: Audit,
        schedule: Schedule,
        clockwork: Clockwork,
        clock: Clock,
    ) -> None:
        self._database = database
        self._claims = claims
        self._bookings = bookings
        self._lot_of = lot_of
        self._mover = mover
        self._audit = audit
        self._schedule = schedule
        self._clock = clock
        clockwork.exactly_once(OPEN_BAY, self._end)

    async def close(
        self, principal: Principal, lot: str, bay: str, reason: str, until: datetime | None, request_id: str
    ) -> Sequence[Booking]:
        """Closes a bay, or changes why and until when it is closed. Whoever is parked there stays; bookings that begin
        soon are moved, or cancelled with a credit: what became of them is returned."""
        require(principal, Action.ATTEND_LOT, lot)
        now = self._clock.now()
        if until is not None and until <= now:
            raise InvalidInput("a closure ends in the future", at="/closed/until")
        closure = Closure(reason, to_ms(until) if until is not None else None)
        await self._set(lot, bay, closure, actor_of(principal, request_id), now)
        return [await self._moved(booking, reason, now) for booking in await self._affected(lot, bay, until, now)]

    async def open(self, principal: Principal, lot: str, bay: str, request_id: str) -> None:
        """Opens a bay; nothing happens if it is open."""
        require(principal, Action.ATTEND_LOT, lot)
        await self._set(lot, bay, None, actor_of(principal, request_id), self._clock.now())

    async def _set(self, lot: str, bay: str, closure: Closure | None, actor: Actor, now: datetime) -> None:
        if bay not in self._lot_of(lot).bays:
            raise InvalidInput("there is no such bay", at="/bay")

        async def work(session: Session) -> None:
            before = (await self._claims.of(lot, bay, session=session)).closure
            if before == closure:
                return
            await self._claims.edit(session, WRITER, lot, [(bay, lambda half: half.closed(closure))], to_ms(now))
            if closure is not None and closure.until_ms is not None:
                at = from_ms(closure.until_ms)
                await self._schedule.move(OPEN_BAY, f"{lot}/{bay}", at, ClosedBay(lot, bay), session=session)
            else:
                await self._schedule.cancel(OPEN_BAY, f"{lot}/{bay}", session=session)
            action = "bay.opened" if closure is None else "bay.closed"
            await self._audit.record(
                session, actor, action, bay, now, lot=lot, before=_audited(before), after=_audited(closure)
            )

        await self._database.transaction(work)

    async def _affected(self, lot: str, bay: str, until: datetime | None, now: datetime) -> Sequence[Booking]:
        end = min(until or now + MOVED_AT_ONCE, now + MOVED_AT_ONCE)
        return [
            booking
            for booking in await self._bookings.open_within(lot, bay, (now, end))
            if booking.state is not BookingState.ACTIVE
        ]

    async def _moved(self, booking: Booking, reason: str, now: datetime) -> Booking:
        why = f"the bay is closed: {reason}"
        try:
            if booking.state is BookingState.HELD:
                return await self._mover.cancel(booking, "operator", why, now)
            return await self._mover.move(booking, "operator", why, now)
        except (PreconditionFailed, IllegalStep):
            # It changed at this very moment: the timekeeper looks at the closure before it begins.
            return await self._bookings.find(booking.id) or booking

    async def _end(self, session: Session, closed: ClosedBay, now: datetime) -> None:
        before = (await self._claims.of(closed.lot, closed.bay, session=session)).closure
        if before is None or before.until_ms is None or before.until_ms > to_ms(now):
            return
        edits = [(closed.bay, lambda half: half.closed(None))]
        await self._claims.edit(session, WRITER, closed.lot, edits, to_ms(now))
        await self._audit.record(
            session, SYSTEM, "bay.opened", closed.bay, now, lot=closed.lot, before=_audited(before), after={}
        )


def _audited(closure: Closure | None) -> dict[str, object]:
    return {} if closure is None else {"reason": closure.reason, "until_ms": closure.until_ms}
