"""The timekeeper: does what falls due in the life of a booking, by the tables of `autospot.domain.booking.moments`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta

from autospot.clock import Clock
from autospot.domain.booking.booking import Booking
from autospot.domain.booking.life import BookingState, Step
from autospot.domain.booking.moments import Act, Moment, Seen, act_at, due_moments
from autospot.domain.due import Due
from autospot.domain.errors import PreconditionFailed, Unavailable
from autospot.domain.instant import to_ms
from autospot.domain.notice import Notice
from autospot.live import LiveBay
from autospot.services.clockwork import Clockwork
from autospot.services.desk.booking import LotOf
from autospot.services.desk.moving import Mover
from autospot.services.desk.one_tap import OneTap
from autospot.services.desk.register import BOOKING_DUE, BookingDue, Register
from autospot.services.desk.stays import Stays
from autospot.storage.bookings import Bookings
from autospot.storage.mongo import Database, Session

TRIES = 4
"""How often a booking that changes while it is being looked at is looked at again."""

ATTENDANT_LAG = timedelta(seconds=2)
"""How long to wait for the attendant, which hears of everything within half a second, before looking again."""

HasWatched = Callable[[datetime], Awaitable[bool]]
"""True if everything that sensors said up to then has been considered for bookings."""

_MINDS_CLOSURE = frozenset({Moment.WARN, Moment.MOVE, Moment.START})


class Timekeeper:
    """Handles the rows `booking` of the due-queue.

    Guarantees: a moment is acted on once (what it makes of the booking is stored with `handled_until` in one
    transaction); nobody becomes a no-show before everything that was seen until then has been considered.
    """

    def __init__(
        self,
        database: Database,
        bookings: Bookings,
        lot_of: LotOf,
        register: Register,
        mover: Mover,
        stays: Stays,
        clockwork: Clockwork,
        clock: Clock,
        has_watched: HasWatched,
        one_tap: OneTap,
    ) -> None:
        self._database = database
        self._bookings = bookings
        self._lot_of = lot_of
        self._register = register
        self._mover = mover
        self._stays = stays
        self._clock = clock
        self._has_watched = has_watched
        self._one_tap = one_tap
        self._acts: dict[Act, Callable[[Booking, datetime, Seen], Awaitable[Booking]]] = {
            Act.EXPIRE: self._expire,
            Act.REMIND_START: self._remind_start,
            Act.REMIND_END: self._remind_end,
            Act.ARRIVE: self._arrive,
            Act.WARN: self._warn,
            Act.MOVE_AWAY: self._move_away,
            Act.MISS: self._miss,
            Act.FINISH: self._finish,
            Act.STAYS_ON: self._stays_on,
            Act.OVERSTAY: self._overstay,
        }
        clockwork.at_least_once(BOOKING_DUE, self._due)

    async def _due(self, row: BookingDue, due: Due) -> None:  # noqa: ARG002 - the queue's handlers take both
        for _ in range(TRIES):
            booking = await self._bookings.find(row.booking_id)
            if booking is None:
                return
            try:
                await self._catch_up(booking, self._clock.now())
            except PreconditionFailed:
                continue
            return
        raise Unavailable("the booking keeps changing")

    async def _catch_up(self, booking: Booking, now: datetime) -> None:
        for at, moment in due_moments(booking, now):
            bay = self._bay(booking)
            seen = Seen(bay.occupied, bay.since_ms) if bay else Seen(None, None)
            act = self._act(booking, moment, seen, bay)
            if act is Act.MISS and not await self._has_watched(at):
                await self._register.look_again(booking, now + ATTENDANT_LAG)
                return
            if act in self._acts and act is not None:
                booking = await self._acts[act](booking, now, seen)
                if not booking.is_open:
                    return
        if booking.handled_until < now:
            await self._store(booking, replace(booking, handled_until=now, version=booking.version + 1), now)

    def _bay(self, booking: Booking) -> LiveBay | None:
        return self._lot_of(booking.lot).bays.get(booking.bay)

    def _act(self, booking: Booking, moment: Moment, seen: Seen, bay: LiveBay | None) -> Act | None:
        if booking.state is BookingState.CONFIRMED and moment in _MINDS_CLOSURE and _is_closed(booking, bay):
            return Act.MOVE_AWAY
        return act_at(booking, moment, seen)

    async def _store(self, before: Booking, after: Booking, now: datetime, *notices: Notice) -> Booking:
        async def work(session: Session) -> Booking:
            stored = await self._register.store(session, before, after, now)
            for notice in notices:
                await self._register.tell(session, notice, now)
            return stored

        stored = await self._database.transaction(work)
        await self._register.give_back(before, stored)
        return stored

    async def _expire(self, booking: Booking, now: datetime, _seen: Seen) -> Booking:
        after = booking.after(Step.EXPIRE, now, "clock", "it was not paid or taken up in time", package_seconds=0)
        return await self._store(booking, after, now, _to_driver(booking, "booking_expired"))

    async def _remind_start(self, booking: Booking, now: datetime, _seen: Seen) -> Booking:
        return await self._remind(booking, now, "booking_begins", booking.period.start)

    async def _remind_end(self, booking: Booking, now: datetime, _seen: Seen) -> Booking:
        return await self._remind(booking, now, "booking_ends", booking.period.until, **self._one_tap.facts(booking))

    async def _remind(self, booking: Booking, now: datetime, what: str, of: datetime, **facts: str) -> Booking:
        if now >= of:
            return booking  # too late to help
        after = replace(booking, handled_until=now, version=booking.version + 1)
        return await self._store(booking, after, now, _to_driver(booking, what, **booking.period.as_json(), **facts))

    async def _arrive(self, booking: Booking, now: datetime, seen: Seen) -> Booking:
        return await self._stays.arrive(booking, seen, now)

    async def _warn(self, booking: Booking, now: datetime, _seen: Seen) -> Booking:
        if await self._somebody_may_stay(booking, now):
            return booking
        reason = "somebody else stands on the bay"
        after = booking.noting(now, "warned", "clock", reason, handled_until=now)
        return await self._store(booking, after, now, Notice("operator", booking.lot, "bay_misused", booking.id))

    async def _move_away(self, booking: Booking, now: datetime, _seen: Seen) -> Booking:
        if _is_closed(booking, self._bay(booking)):
            return await self._mover.move(booking, "clock", "the bay is closed", now)
        if await self._somebody_may_stay(booking, now):
            return booking
        return await self._mover.move(booking, "clock", "somebody else stands on the bay", now)

    async def _somebody_may_stay(self, booking: Booking, now: datetime) -> bool:
        """True while the one before on the bay is there by right: his time is not over."""
        return any(
            other.state is BookingState.ACTIVE and other.period.until > now
            for other in await self._bookings.open_on(booking.lot, booking.bay)
        )

    async def _miss(self, booking: Booking, now: datetime, _seen: Seen) -> Booking:
        return await self._stays.miss(booking, now)

    async def _finish(self, booking: Booking, now: datetime, _seen: Seen) -> Booking:
        return await self._stays.finish(booking, now)

    async def _stays_on(self, booking: Booking, now: datetime, _seen: Seen) -> Booking:
        after = booking.noting(now, "time_over", "clock", "the vehicle is still there", handled_until=now)
        return await self._store(booking, after, now, _to_driver(booking, "time_over"))

    async def _overstay(self, booking: Booking, now: datetime, _seen: Seen) -> Booking:
        after = booking.noting(now, "overstayed", "clock", "the time to leave is over too", handled_until=now)
        operator = Notice("operator", booking.lot, "overstay", booking.id)
        return await self._store(booking, after, now, operator, _to_driver(booking, "overstay"))


def _to_driver(booking: Booking, what: str, **facts: str) -> Notice:
    return Notice("driver", booking.lot, what, booking.id, booking.owner, {"bay": booking.bay, **facts})


def _is_closed(booking: Booking, bay: LiveBay | None) -> bool:
    closure = bay.closure if bay else None
    if closure is None:
        return False
    return closure.until_ms is None or closure.until_ms > to_ms(booking.period.start)
