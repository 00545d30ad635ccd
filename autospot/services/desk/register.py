"""The register: where a booking is written, and everything that follows from it in the same transaction.

What follows is derived from the booking before and after: the claim on the screens, the money, the row in the
due-queue, the promise that is to be given back. So whoever changes a booking (the desk, the attendant, the timekeeper)
decides what it becomes and nothing else.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from autospot.domain.booking.booking import Booking
from autospot.domain.booking.moments import claim_of, next_moment, shown_from
from autospot.domain.due import Backoff, Due
from autospot.domain.errors import NotFound
from autospot.domain.instant import to_ms
from autospot.domain.lot import BayKind
from autospot.domain.notice import Notice
from autospot.domain.people_half import PeopleHalf
from autospot.domain.subscription import Drawn
from autospot.services.clockwork import Clockwork, DueKind, Schedule
from autospot.services.desk.till import Packages, Till, bill_of
from autospot.storage.bookings import Bookings
from autospot.storage.calendars import Calendars
from autospot.storage.claims import Claims, Edit
from autospot.storage.mongo import Session
from autospot.storage.waiting import WaitingList

WRITER = "desk"

Tell = Callable[[Session, Notice, datetime], Awaitable[None]]
"""Passes a notice on, in the transaction of what it is about."""


@dataclass(frozen=True, slots=True)
class BookingDue:
    """Something in the life of this booking falls due."""

    booking_id: str


@dataclass(frozen=True, slots=True)
class GivenBack:
    """A promise that its booking no longer needs."""

    lot: str
    bay: str
    promise: str


BOOKING_DUE = DueKind("booking", BookingDue, backoff=Backoff(attempts=60, first_seconds=1.0, longest_seconds=300.0))
"""Sixty tries over about four hours."""


@dataclass(frozen=True, slots=True)
class BayFreed:
    """Some bay of this kind may have come free for some time: those who wait for one may have it."""

    lot: str
    kind: BayKind


BAY_FREED = DueKind("bay_freed", BayFreed)

GIVE_BACK = DueKind("give_back", GivenBack)
GIVE_BACK_AFTER = timedelta(seconds=5)
"""A promise is given back at once after the transaction; this row does it where the process died in between."""


class Register:
    """Writes bookings. `enter` and `store` are part of the caller's transaction, `give_back` comes after it."""

    def __init__(
        self,
        bookings: Bookings,
        calendars: Calendars,
        claims: Claims,
        wishes: WaitingList,
        schedule: Schedule,
        clockwork: Clockwork,
        till: Till,
        packages: Packages,
        tell: Tell,
    ) -> None:
        self._wishes = wishes
        self._bookings = bookings
        self._calendars = calendars
        self._claims = claims
        self._schedule = schedule
        self._till = till
        self._packages = packages
        self.tell = tell
        clockwork.at_least_once(GIVE_BACK, self._give_back_due)

    async def enter(
        self, session: Session, booking: Booking, now: datetime, *, instead_of: Booking | None = None
    ) -> Booking:
        """Stores a new booking and returns it as stored. What was paid for the one `instead_of` which it is there, it
        takes over, minutes of packages included."""
        is_claimed = _is_claimed(booking, now)
        after = replace(booking, claimed=is_claimed) if is_claimed != booking.claimed else booking
        if instead_of is not None:
            await self._till.hand_over(session, instead_of, after)
        else:
            drawn = await self._drawn_anew(session, after)
            after = replace(after, drawn=drawn) if drawn else after
        await self._till.settle(session, bill_of(after), instead_of.paid if instead_of else 0, after.paid, now)
        await self._bookings.add(after, session=session)
        await self._claim(session, None, after, now)
        await self._arm(session, after)
        return after

    async def store(
        self, session: Session, before: Booking, booking: Booking, now: datetime, *, moves_money: bool = True
    ) -> Booking:
        """Stores what became of `before` and returns it as stored. `PreconditionFailed` if `before` is not what stands
        in the database; `InsufficientFunds` and `PackageUsedUp` where more is to be paid than there is."""
        after = replace(booking, claimed=_is_claimed(booking, now))
        if moves_money:
            after = replace(after, drawn=await self._drawn(session, before, after))
        # Before the money: of two who change one version the second hears that, not that its payment was made.
        await self._bookings.replace(before, after, session=session)
        if moves_money:
            await self._till.settle(session, bill_of(after), before.paid, after.paid, now)
        await self._claim(session, before, after, now)
        await self._arm(session, after)
        if not after.is_open or before.promise != after.promise:
            given = GivenBack(before.lot, before.bay, before.promise)
            await self._schedule.put(GIVE_BACK, before.promise, now + GIVE_BACK_AFTER, given, session=session)
            await self._offer_around(session, before, now)
        return after

    async def _drawn(self, session: Session, before: Booking, after: Booking) -> tuple[Drawn, ...]:
        """What packages pay of the stay from now on. Minutes that stay in use are not given back in between: their
        period may be over. A stay at another time or of another kind is another matter."""
        if (before.kind, before.period.start) != (after.kind, after.period.start):
            await self._packages.give_back_package(session, before.drawn)
            return await self._drawn_anew(session, after)
        kept, given = _split(before.drawn, after.package_seconds)
        await self._packages.give_back_package(session, given)
        more = after.package_seconds - before.package_seconds
        return (*kept, *await self._used(session, after, more)) if more > 0 else kept

    async def _drawn_anew(self, session: Session, booking: Booking) -> tuple[Drawn, ...]:
        return await self._used(session, booking, booking.package_seconds)

    async def _used(self, session: Session, booking: Booking, seconds: int) -> tuple[Drawn, ...]:
        if not seconds:
            return ()
        owner, lot, kind, period = booking.owner, booking.lot, booking.kind, booking.period
        return tuple(await self._packages.use_package(session, owner, lot, kind, period, seconds))

    async def look_again(self, booking: Booking, at: datetime) -> None:
        """Has what falls due for `booking` done at `at`."""
        await self._schedule.move(BOOKING_DUE, booking.id, at, BookingDue(booking.id))

    async def load(self, session: Session, booking_id: str, *, owner: str | None = None) -> Booking:
        """A booking inside a transaction; `NotFound` if there is none, or none of `owner`."""
        booking = await self._bookings.find(booking_id, owner=owner, session=session)
        if booking is None:
            raise no_such_booking()
        return booking

    async def give_back(self, before: Booking, after: Booking) -> None:
        """Gives back the promise that `after`, as stored, no longer needs."""
        if not after.is_open or before.promise != after.promise:
            await self._calendars.give_back(before.lot, before.bay, before.promise)

    async def _offer_around(self, session: Session, freed: Booking, now: datetime) -> None:
        """Has the waiting list looked at, once the promise is given back for certain."""
        if await self._wishes.is_waited_for(freed.lot, freed.kind, session=session):
            row, at = BayFreed(freed.lot, freed.kind), now + GIVE_BACK_AFTER
            await self._schedule.ensure(BAY_FREED, f"{freed.lot}:{freed.kind}", at, row, session=session)

    async def _claim(self, session: Session, before: Booking | None, after: Booking, now: datetime) -> None:
        edits: list[tuple[str, Edit]] = []
        if before is not None and before.claimed and (not after.claimed or before.bay != after.bay):
            edits.append((before.bay, lambda half: half.without(before.id)))
        if after.claimed and (before is None or not before.claimed or _claims_otherwise(before, after)):
            edits.append((after.bay, lambda half: _claimed(half, after)))
        if edits:
            await self._claims.edit(session, WRITER, after.lot, edits, to_ms(now))

    async def _arm(self, session: Session, booking: Booking) -> None:
        at = next_moment(booking)
        if at is None:
            await self._schedule.cancel(BOOKING_DUE, booking.id, session=session)
        else:
            await self._schedule.move(BOOKING_DUE, booking.id, at, BookingDue(booking.id), session=session)

    async def _give_back_due(self, given: GivenBack, due: Due) -> None:  # noqa: ARG002 - the queue's handlers take both
        await self._calendars.give_back(given.lot, given.bay, given.promise)


def _split(drawn: Sequence[Drawn], seconds: int) -> tuple[tuple[Drawn, ...], tuple[Drawn, ...]]:
    """The first `seconds` of what was drawn, and the rest."""
    kept, rest, left = list[Drawn](), list[Drawn](), seconds
    for each in drawn:
        share = min(left, each.seconds)
        kept += [replace(each, seconds=share)] if share else []
        rest += [replace(each, seconds=each.seconds - share)] if share < each.seconds else []
        left -= share
    return tuple(kept), tuple(rest)


def _is_claimed(booking: Booking, now: datetime) -> bool:
    return booking.is_open and shown_from(booking) <= now < booking.period.until


def _claims_otherwise(before: Booking, after: Booking) -> bool:
    return (before.bay, before.period) != (after.bay, after.period)


def _claimed(half: PeopleHalf, booking: Booking) -> PeopleHalf:
    return half.claimed(claim_of(booking), to_ms(booking.period.start))


def no_such_booking() -> NotFound:
    return NotFound("there is no such booking")
