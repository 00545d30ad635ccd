"""Parking without a booking: "I am parked at…" by bay or by the code on its sign, or an arrival on the bay that was
assigned; cost so far; stop; settle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from autospot.clock import Clock
from autospot.domain.bay import Claim
from autospot.domain.booking.life import BookingState
from autospot.domain.booking.moments import Presence, Seen, presence
from autospot.domain.errors import Conflict, InvalidInput, NotFound, Unavailable
from autospot.domain.instant import from_ms, to_ms
from autospot.domain.ledger import InsufficientFunds
from autospot.domain.lot import Bay
from autospot.domain.money import Money
from autospot.domain.notice import Notice
from autospot.domain.parking_session import ParkingSession, SessionState
from autospot.domain.payment.payment import Subject
from autospot.domain.period import Period
from autospot.domain.subscription import PackageUsedUp
from autospot.domain.tariff import Quote
from autospot.services.accounts.vehicles import Garage
from autospot.services.assigning import Assigning, session_of
from autospot.services.desk.booking import LotOf
from autospot.services.desk.register import Register
from autospot.services.desk.stays import Stays
from autospot.services.desk.till import SESSION, Bill, Prices, Till, words_of
from autospot.storage.bookings import Bookings
from autospot.storage.claims import Claims
from autospot.storage.idempotency import Once
from autospot.storage.mongo import Database, Session
from autospot.storage.sessions import SessionQuery, Sessions

WRITER = "parking"

ARRIVAL_BEFORE_SESSION = timedelta(minutes=15)
"""A session begins when the sensor saw the vehicle come, if that was not longer ago than this."""

IN_DOUBT = timedelta(minutes=10)
"""How long after an arrival on an assigned bay its driver may say that it was not he: stopped within it, the session
costs nothing and the operator is told that somebody else stands there."""

QUOTE_TRIES = 5
"""How often a stay is quoted again at its end because another one has just used minutes of the same package."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a session has cost up to `until`; `quote` explains it, None where parking is free."""

    until: datetime
    total: Money | None
    quote: Quote | None


class Parking:
    """Sessions: those that drivers start, and the cost of all of them. Somebody else's session is `NotFound`."""

    def __init__(
        self,
        database: Database,
        sessions: Sessions,
        bookings: Bookings,
        claims: Claims,
        lot_of: LotOf,
        prices: Prices,
        till: Till,
        stays: Stays,
        assigning: Assigning,
        register: Register,
        garage: Garage,
        clock: Clock,
    ) -> None:
        self._database = database
        self._sessions = sessions
        self._bookings = bookings
        self._claims = claims
        self._lot_of = lot_of
        self._prices = prices
        self._till = till
        self._stays = stays
        self._assigning = assigning
        self._register = register
        self._garage = garage
        self._clock = clock

    async def begin(
        self, owner: str, lot: str, bay: str, vehicle: str | None, once: Once[ParkingSession]
    ) -> ParkingSession:
        """A running session of `owner` on a bay; of his booking, if he has one there now.

        `Conflict` (codes `bay_in_use`, `vehicle_parked`, `bay_claimed` where the bay is promised to somebody else,
        `bay_closed`); `InvalidInput` for a bay or vehicle that is not there.
        """
        now, place = self._clock.now(), self._bay(lot, bay)
        if vehicle is not None:
            await self._require_vehicle(owner, vehicle)
        booked = await self._begin_booked(owner, lot, bay, now, once)
        if booked is not None:
            return booked
        assigned = await self._assigning.waiting_on(owner, lot, bay)
        await self._require_unclaimed(lot, bay, now, but=assigned.id if assigned else None)
        parked = await self._new_session(once.id("ses"), owner, lot, place, vehicle, now)

        async def work(session: Session) -> ParkingSession:
            await self._sessions.add(parked, session=session)
            # Nothing changes on the screens; the attendants of all processes learn to watch the bay.
            await self._claims.edit(session, WRITER, lot, [(bay, lambda half: half)], to_ms(now), tell=True)
            if assigned is not None:
                await self._assigning.fulfil(session, assigned, now)
            if vehicle is not None:
                await self._garage.parked(vehicle, now, session=session)
            await once.keep(session, parked)
            return parked

        begun = await self._database.transaction(work)
        if assigned is not None:
            await self._assigning.give_back(assigned)
        return begun

    async def arrived(self, claim: Claim, seen: Seen, now: datetime) -> None:
        """What the sensor says of the bay that `claim` assigns: if its driver has come, his session runs."""
        assignment = await self._assigning.come_to(claim, seen)
        if assignment is None:
            return
        owner, lot, bay = assignment.owner, assignment.lot, assignment.bay
        parked = await self._new_session(session_of(assignment), owner, lot, self._bay(lot, bay), None, now)

        async def work(session: Session) -> None:
            await self._assigning.fulfil(session, assignment, now)
            await self._stays.begin(session, parked, now)

        await self._database.transaction(work)
        await self._assigning.give_back(assignment)

    async def _begin_booked(
        self, owner: str, lot: str, bay: str, now: datetime, once: Once[ParkingSession]
    ) -> ParkingSession | None:
        seen = Seen(True, to_ms(now))
        own = [each for each in await self._bookings.open_on(lot, bay) if each.owner == owner]
        booking = next((each for each in own if presence(each, seen) is Presence.HOLDER), None)
        if booking is None:
            return None
        if booking.state is BookingState.CONFIRMED:
            booking = await self._stays.arrive(booking, seen, now)
        parked = await self._sessions.find(booking.session, owner=owner) if booking.session else None
        if parked is not None:
            await self._database.transaction(lambda session: once.keep(session, parked))
        return parked

    async def _require_unclaimed(self, lot: str, bay: str, now: datetime, *, but: str | None) -> None:
        live = self._lot_of(lot).bays[bay]
        if live.closure is not None:
            raise Conflict(f"bay {bay} is closed: {live.closure.reason}", code="bay_closed")
        for standing in (await self._claims.of(lot, bay)).claims:
            if standing.claim.until_ms > to_ms(now) and standing.claim.ref != but:
                raise Conflict(f"bay {bay} is promised to somebody else now", code="bay_claimed")

    async def _new_session(
        self, session_id: str, owner: str, lot: str, bay: Bay, vehicle: str | None, now: datetime
    ) -> ParkingSession:
        live = self._lot_of(lot).bays[bay.bay]
        began_at = now
        if live.occupied and live.since_ms is not None and now - from_ms(live.since_ms) <= ARRIVAL_BEFORE_SESSION:
            began_at = min(now, from_ms(live.since_ms))
        first = Period(began_at, now + timedelta(seconds=1))
        quoted = await self._prices.quote(owner, lot, bay.kind, first)
        covered = await self._prices.coverage(owner, lot, bay.kind, first)
        return ParkingSession(
            id=session_id,
            owner=owner,
            lot=lot,
            bay=bay.bay,
            bay_kind=bay.kind,
            kind="pass" if covered else "app",
            began_at=began_at,
            vehicle=vehicle,
            tariff_version=quoted.tariff_version if quoted else None,
        )

    async def find(self, owner: str, session_id: str) -> ParkingSession:
        """One of the driver's sessions."""
        parked = await self._sessions.find(session_id, owner=owner)
        if parked is None:
            raise no_such_session()
        return parked

    async def cost(self, parked: ParkingSession) -> Cost:
        """What the session has cost until now, or in the end."""
        until = parked.ended_at or max(self._clock.now(), parked.began_at + timedelta(seconds=1))
        if parked.state is SessionState.SETTLED:
            return Cost(until, parked.fee, None)
        booking = await self._bookings.find(parked.booking) if parked.booking else None
        quoted = await self._quote(parked, until, drawn_seconds=booking.package_seconds if booking else 0)
        if quoted is None:
            return Cost(until, None, None)
        agreed = booking.price.total if booking and booking.price else None
        total = quoted.total if agreed is None else max(agreed, quoted.total)
        return Cost(until, total, quoted)

    async def stop(self, owner: str, session_id: str, once: Once[ParkingSession]) -> ParkingSession:
        """Ends a session and settles it; for nothing while it is in doubt whose it is (`IN_DOUBT`). `Conflict` (code
        `illegal_step`) if it is over, and (code `booked`) for that of a booking, which ends when the vehicle leaves."""
        parked = await self.find(owner, session_id)
        if parked.booking is not None:
            raise Conflict("this session ends when you leave the bay, or with its booking", code="booked")
        now = self._clock.now()
        if now - parked.began_at <= IN_DOUBT and await self._assigning.was_come_to(session_id):
            return await self._disown(parked, now, once)
        return await self._end(parked, now, once)

    async def _disown(self, before: ParkingSession, now: datetime, once: Once[ParkingSession]) -> ParkingSession:
        """Nobody but a sensor said that it was this driver who came: he need not pay for somebody else."""
        after = before.ended(now).settled(None, 0)

        async def work(session: Session) -> ParkingSession:
            await self._sessions.replace(before, after, session=session)
            notice = Notice("operator", before.lot, "bay_misused", before.id, facts={"bay": before.bay})
            await self._register.tell(session, notice, now)
            await once.keep(session, after)
            return after

        return await self._database.transaction(work)

    async def seen(self, lot: str, bay: str, seen: Seen, now: datetime) -> None:
        """What the sensor says of a bay on which a session may run: its vehicle has left, or not."""
        if seen.occupied is not False:
            return
        parked = await self._sessions.running_on(lot, bay)
        if parked is None or parked.booking is not None:
            return
        left_at = from_ms(seen.since_ms) if seen.since_ms is not None else now
        if left_at > parked.began_at:
            await self._end(parked, left_at, None)

    async def _end(self, before: ParkingSession, at: datetime, once: Once[ParkingSession] | None) -> ParkingSession:
        for _ in range(QUOTE_TRIES):
            try:
                return await self._settled(before, before.ended(at), await self._quote(before, at), once)
            except PackageUsedUp:
                continue
        raise Unavailable("the minutes of a package keep going: try again")

    async def _settled(
        self,
        before: ParkingSession,
        ended: ParkingSession,
        quoted: Quote | None,
        once: Once[ParkingSession] | None,
    ) -> ParkingSession:
        fee = quoted.total if quoted else None
        settled = ended.settled(fee, fee.amount if fee else 0)
        try:
            return await self._store(before, settled, quoted, once)
        except InsufficientFunds:
            # Who cannot pay leaves all the same; the session says what is owed.
            return await self._store(before, replace(ended, fee=fee), quoted, once)

    async def _store(
        self,
        before: ParkingSession,
        after: ParkingSession,
        quoted: Quote | None,
        once: Once[ParkingSession] | None,
    ) -> ParkingSession:
        now = self._clock.now()

        async def work(session: Session) -> ParkingSession:
            await self._use_package(session, after, quoted)
            await self._till.settle(session, _bill(after, quoted), before.paid, after.paid, now)
            await self._sessions.replace(before, after, session=session)
            if after.vehicle is not None and after.ended_at is not None:
                await self._garage.parked(after.vehicle, after.ended_at, session=session)
            facts = {} if after.state is SessionState.SETTLED else {"unpaid": True}
            notice = Notice("driver", after.lot, "session_ended", after.id, after.owner, facts)
            await self._register.tell(session, notice, now)
            if once is not None:
                await once.keep(session, after)
            return after

        return await self._database.transaction(work)

    async def _use_package(self, session: Session, parked: ParkingSession, quoted: Quote | None) -> None:
        if quoted is not None and quoted.package_seconds:
            await self._prices.packages.use_package(
                session, parked.owner, parked.lot, parked.bay_kind, quoted.period, quoted.package_seconds
            )

    async def _quote(self, parked: ParkingSession, until: datetime, *, drawn_seconds: int = 0) -> Quote | None:
        if parked.tariff_version is None or until <= parked.began_at:
            return None
        period = Period(parked.began_at, until)
        return await self._prices.quote_under(
            parked.tariff_version, parked.owner, parked.lot, parked.bay_kind, period, drawn_seconds=drawn_seconds
        )

    async def _require_vehicle(self, owner: str, vehicle: str) -> None:
        try:
            await self._garage.get(owner, vehicle)
        except NotFound:
            raise InvalidInput("this is none of your vehicles", at="/vehicle") from None

    def _bay(self, lot: str, bay: str) -> Bay:
        live = self._lot_of(lot)
        if bay not in live.bays:
            raise InvalidInput("there is no such bay", at="/bay")
        return live.layout.bays[live.bays[bay].number]

    async def of(self, owner: str, before: tuple[datetime, str] | None, most: int) -> Sequence[ParkingSession]:
        """The driver's sessions, the latest first."""
        return await self._sessions.newest(SessionQuery(owner, before=before), most)


def _bill(parked: ParkingSession, quoted: Quote | None) -> Bill | None:
    if quoted is None:
        return None
    subject, words = Subject(SESSION, parked.id), words_of(parked.lot, parked.bay)
    currency, vat_rate = quoted.total.currency, quoted.vat_basis_points
    return Bill(subject, parked.version, parked.owner, parked.lot, currency, vat_rate, words)


def no_such_session() -> NotFound:
    return NotFound("there is no such session")
