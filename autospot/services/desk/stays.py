"""Stays: what an arrival, a departure or nobody at all makes of a booking and its session, with the money."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from autospot.domain.booking.booking import Booking, By
from autospot.domain.booking.life import Step
from autospot.domain.booking.moments import Seen
from autospot.domain.errors import Unavailable
from autospot.domain.instant import from_ms
from autospot.domain.ledger import InsufficientFunds
from autospot.domain.money import Money
from autospot.domain.notice import Notice
from autospot.domain.parking_session import ParkingSession, SessionState
from autospot.domain.period import Period
from autospot.domain.subscription import PackageUsedUp
from autospot.services.accounts.vehicles import Garage
from autospot.services.desk.register import Register
from autospot.services.desk.till import Prices
from autospot.storage.mongo import Database, Session
from autospot.storage.sessions import Sessions

QUOTE_TRIES = 5
"""How often a stay is quoted again at its end because another one has just used minutes of the same package."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How a booking ends: the step, when the vehicle left, what is to be paid in the end, and what of
    packages is used."""

    step: Step
    by: By
    reason: str
    left_at: datetime
    owed: int
    package_seconds: int


class Stays:
    """Arrivals and departures of booked drivers. Each method takes the booking as read and returns it as stored;
    `PreconditionFailed` if it changed meanwhile."""

    def __init__(
        self, database: Database, sessions: Sessions, register: Register, prices: Prices, garage: Garage
    ) -> None:
        self._database = database
        self._sessions = sessions
        self._register = register
        self._prices = prices
        self._garage = garage

    async def arrive(self, before: Booking, seen: Seen, now: datetime, *, rev: int = 0) -> Booking:
        """The holder is there: the booking is active, a session runs."""
        at = from_ms(seen.since_ms) if seen.since_ms is not None else now
        session_id = f"ses_{before.id.removeprefix('bkg_')}"  # one booking, one session
        after = before.after(
            Step.ARRIVE,
            now,
            "attendant",
            _how(before, at),
            arrived_at=at,
            session=session_id,
            seen_rev=max(rev, before.seen_rev),
            handled_until=max(now, before.handled_until) if now >= before.period.start else before.handled_until,
        )
        parked = ParkingSession(
            id=session_id,
            owner=before.owner,
            lot=before.lot,
            bay=before.bay,
            bay_kind=before.kind,
            kind="booked",
            began_at=at,
            vehicle=before.vehicle,
            booking=before.id,
            tariff_version=before.price.tariff_version if before.price else None,
        )

        async def work(session: Session) -> Booking:
            stored = await self._register.store(session, before, after, now)
            await self.begin(session, parked, now)
            if parked.vehicle is not None:
                await self._garage.parked(parked.vehicle, max(at, before.period.until), session=session)
            return stored

        return await self._database.transaction(work)

    async def begin(self, session: Session, parked: ParkingSession, now: datetime) -> None:
        """Begins a session whose vehicle was seen to come, and tells its driver. Whatever session runs on the bay, or
        with the vehicle, ended when this one began, unseen; it costs what it would have cost."""
        for stale in await self._sessions.in_the_way(parked, session=session):
            ended = await self._ended_unseen(session, stale, parked.began_at)
            await self._sessions.replace(stale, ended, session=session)
            facts = {} if ended.state is SessionState.SETTLED else {"unpaid": True}
            notice = Notice("driver", stale.lot, "session_ended", stale.id, stale.owner, facts)
            await self._register.tell(session, notice, now)
        await self._sessions.add(parked, session=session)
        notice = Notice("driver", parked.lot, "session_began", parked.id, parked.owner, {"bay": parked.bay})
        await self._register.tell(session, notice, now)

    async def _ended_unseen(self, session: Session, stale: ParkingSession, at: datetime) -> ParkingSession:
        ended = stale.ended(at)
        if stale.booking is not None or stale.tariff_version is None or at <= stale.began_at:
            return ended.settled(None, stale.paid)
        owner, lot, kind, stay = stale.owner, stale.lot, stale.bay_kind, Period(stale.began_at, at)
        quoted = await self._prices.quote_under(stale.tariff_version, owner, lot, kind, stay, session=session)
        if quoted.package_seconds:  # what the quote saw is there: both are of one transaction
            await self._prices.packages.use_package(session, owner, lot, kind, stay, quoted.package_seconds)
        fee = quoted.total
        return replace(ended, fee=fee) if fee.amount > stale.paid else ended.settled(fee, stale.paid)

    async def leave(self, before: Booking, seen: Seen, now: datetime, *, rev: int = 0) -> Booking:
        """The holder has left. An overstay costs what the whole stay costs more than the booking."""
        left_at = from_ms(seen.since_ms) if seen.since_ms is not None else now
        seen_booking = replace(before, seen_rev=max(rev, before.seen_rev))
        for _ in range(QUOTE_TRIES):
            try:
                return await self._end(seen_booking, before, await self._leaving(before, left_at), now)
            except PackageUsedUp:
                continue
        raise Unavailable("the minutes of a package keep going: look again")

    async def _leaving(self, before: Booking, left_at: datetime) -> Ending:
        grace = timedelta(minutes=before.terms.late_leave_minutes)
        if left_at <= before.period.until + grace:
            return _ending(before, Step.LEAVE, "attendant", "left in time", left_at)
        reason = f"left {_minutes(left_at - before.period.until)} late"
        ending = _ending(before, Step.LEAVE, "attendant", reason, left_at)
        return await self._with_overstay(before, ending)

    async def finish(self, before: Booking, now: datetime) -> Booking:
        """The time is over and nobody can tell: nothing more is owed."""
        ending = _ending(before, Step.FINISH, "clock", "the time is over", before.period.until)
        return await self._end(before, before, ending, now)

    async def miss(self, before: Booking, now: datetime) -> Booking:
        """Nobody came: the price is kept, and the fee of the terms is due where there is a price at all."""
        fee = before.terms.no_show_fee if before.price else 0
        ending = _ending(before, Step.MISS, "clock", "nobody came", now)
        return await self._end(before, before, replace(ending, owed=before.paid + fee), now)

    async def _end(self, booking: Booking, before: Booking, ending: Ending, now: datetime) -> Booking:
        try:
            stored = await self._ended(booking, before, ending, now)
        except InsufficientFunds:
            # Who cannot pay leaves all the same; the session says what is still owed.
            stored = await self._ended(booking, before, replace(ending, owed=before.paid), now, still_owed=ending.owed)
        await self._register.give_back(before, stored)
        return stored

    async def _ended(
        self, booking: Booking, before: Booking, ending: Ending, now: datetime, *, still_owed: int = 0
    ) -> Booking:
        more = ending.owed - before.paid
        facts = {"unpaid": still_owed - before.paid} if still_owed else {"charged": more} if more else {}
        kept = {"paid": ending.owed, "package_seconds": ending.package_seconds, "left_at": ending.left_at}
        after = booking.after(ending.step, now, ending.by, ending.reason, **kept).with_facts(**facts)
        what = "no_show" if ending.step is Step.MISS else "session_ended"

        async def work(session: Session) -> Booking:
            stored = await self._register.store(session, before, after, now)
            if before.session is not None:
                await self._end_session(session, before.session, stored, ending, still_owed)
            notice = Notice("driver", before.lot, what, before.id, before.owner, facts)
            await self._register.tell(session, notice, now)
            return stored

        return await self._database.transaction(work)

    async def _end_session(
        self, session: Session, session_id: str, booking: Booking, ending: Ending, still_owed: int
    ) -> None:
        parked = await self._sessions.find(session_id, session=session)
        if parked is None or parked.ended_at is not None:
            return
        ended = replace(parked.ended(ending.left_at), booked=booking.paid)
        fee = Money(max(ending.owed, still_owed), booking.price.total.currency) if booking.price else None
        after = replace(ended, fee=fee, paid=booking.paid) if still_owed else ended.settled(fee, booking.paid)
        await self._sessions.replace(parked, after, session=session)
        if parked.vehicle is not None:
            await self._garage.parked(parked.vehicle, ending.left_at, session=session)

    async def _with_overstay(self, booking: Booking, ending: Ending) -> Ending:
        """The ending with what the whole stay costs more than what was agreed, in money and in minutes of packages."""
        if booking.price is None:
            return ending
        whole = await self._prices.quote_under(
            booking.price.tariff_version,
            booking.owner,
            booking.lot,
            booking.kind,
            Period(booking.period.start, ending.left_at),
            drawn_seconds=booking.package_seconds,
        )
        more = max(0, whole.total.amount - booking.price.total.amount)
        seconds = max(booking.package_seconds, whole.package_seconds)
        return replace(ending, owed=ending.owed + more, package_seconds=seconds)


def _ending(booking: Booking, step: Step, by: By, reason: str, left_at: datetime) -> Ending:
    """An ending that costs no more than what was paid."""
    return Ending(step, by, reason, left_at, booking.paid, booking.package_seconds)


def _how(booking: Booking, at: datetime) -> str:
    if at < booking.period.start:
        return f"{_minutes(booking.period.start - at)} early"
    late = at - booking.period.start
    return f"{_minutes(late)} late" if late >= timedelta(minutes=1) else "on time"


def _minutes(span: timedelta) -> str:
    """Minutes as people say them, one at least."""
    minutes = max(1, int(span.total_seconds() // 60))
    return "1 minute" if minutes == 1 else f"{minutes} minutes"
