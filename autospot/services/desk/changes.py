"""What a driver does with a booking: take it up, change it, extend it, cancel it."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime

from autospot.clock import Clock
from autospot.domain.booking.alternatives import Promise
from autospot.domain.booking.booking import Booking, By
from autospot.domain.booking.life import BookingState, Step
from autospot.domain.booking.terms import FULL_PERCENT, refund, refund_percent, require_bookable, require_end
from autospot.domain.booking.terms import require_changeable as require_changeable_to
from autospot.domain.errors import AutoSpotError, Conflict, InvalidInput, NotFound, PreconditionFailed
from autospot.domain.instant import MILLISECOND
from autospot.domain.lot import Bay
from autospot.domain.money import Money
from autospot.domain.period import Period
from autospot.domain.subscription import PackageUsedUp
from autospot.domain.tariff import Quote
from autospot.live import LiveLot
from autospot.services.accounts.vehicles import Garage
from autospot.services.desk.booking import LotOf
from autospot.services.desk.keeper import Keeper
from autospot.services.desk.register import Register, no_such_booking
from autospot.services.desk.till import Prices, price_of
from autospot.storage.bookings import Bookings
from autospot.storage.idempotency import Once
from autospot.storage.mongo import Database, Session

CHANGE_TRIES = 3


@dataclass(frozen=True, slots=True)
class Change:
    """What is to be different; None stays as it is."""

    period: Period | None = None
    bay: str | None = None
    vehicle: str | None = None


class BookingChanges:
    """Changes bookings for their drivers. Somebody else's booking is `NotFound`."""

    def __init__(
        self,
        database: Database,
        bookings: Bookings,
        lot_of: LotOf,
        prices: Prices,
        keeper: Keeper,
        register: Register,
        garage: Garage,
        clock: Clock,
    ) -> None:
        self._database = database
        self._bookings = bookings
        self._lot_of = lot_of
        self._prices = prices
        self._keeper = keeper
        self._register = register
        self._garage = garage
        self._clock = clock

    async def confirm(self, owner: str, booking_id: str, once: Once[Booking]) -> Booking:
        """Takes up what is held, paying from the wallet. `IllegalStep` unless it is held, `InsufficientFunds`."""
        now = self._clock.now()

        def confirmed(booking: Booking) -> Booking:
            costs = booking.price.total.amount if booking.price else 0
            return booking.after(Step.CONFIRM, now, "driver", paid=costs, hold_until=None, handled_until=now)

        return await self._step(owner, booking_id, confirmed, now, once)

    async def cancel(
        self, owner: str, booking_id: str, once: Once[Booking], *, versions: Collection[int] | None = None
    ) -> Booking:
        """Gives the bay back, and of the price what the terms say. `IllegalStep` once the driver is there."""
        now = self._clock.now()
        return await self._step(
            owner, booking_id, lambda booking: cancelled_by_driver(booking, now), now, once, versions=versions
        )

    async def _step(
        self,
        owner: str,
        booking_id: str,
        decide: Callable[[Booking], Booking],
        now: datetime,
        once: Once[Booking],
        *,
        versions: Collection[int] | None = None,
    ) -> Booking:
        async def work(session: Session) -> tuple[Booking, Booking]:
            before = await self._register.load(session, booking_id, owner=owner)
            _require_version(before, versions)
            after = await self._register.store(session, before, decide(before), now)
            await once.keep(session, after)
            return before, after

        before, after = await self._database.transaction(work)
        await self._register.give_back(before, after)
        return after

    async def extend(
        self, owner: str, booking_id: str, until: datetime, once: Once[Booking], *, since: datetime | None = None
    ) -> Booking:
        """Moves the end to `until`, which must be later. Refusals as for `change`. With `since` only a booking that
        ends then, else `Conflict` (code `offer_over`); one that ends at `until` already stays as it is."""

        def change(before: Booking) -> Change:
            if since is not None and before.period.until == until:
                return Change()
            if since is not None and before.period.until != since:
                raise offer_is_over()
            if until <= before.period.until:
                raise InvalidInput("an extension ends later than the booking", at="/until")
            return Change(period=Period(before.period.start, until))

        return await self._until_it_holds_still(owner, booking_id, change, "extended", once, None)

    async def change(
        self,
        owner: str,
        booking_id: str,
        change: Change,
        once: Once[Booking],
        *,
        versions: Collection[int] | None = None,
    ) -> Booking:
        """Changes times, bay or vehicle. The new time is taken first and the old one given back after, so a refusal
        leaves everything as it was. The price is that of the whole new booking; the difference is paid or refunded.

        `BayTaken` with alternatives; `Conflict` (codes `too_late`, `illegal_step`, `bay_closed`, …); `InvalidInput`;
        `PreconditionFailed` if it is none of `versions`, or changes while it is being changed.
        """
        return await self._until_it_holds_still(owner, booking_id, lambda _before: change, "changed", once, versions)

    async def difference(self, booking: Booking, period: Period) -> Money | None:
        """What `booking` would cost more for `period`; None if it is free of charge."""
        if booking.price is None:
            return None
        quoted = await self._quote(booking, _bay_of(self._lot_of(booking.lot), booking.bay), period)
        return quoted.total - booking.price.total if quoted else None

    async def _until_it_holds_still(
        self,
        owner: str,
        booking_id: str,
        change: Callable[[Booking], Change],
        what: str,
        once: Once[Booking],
        versions: Collection[int] | None,
    ) -> Booking:
        """What falls due may change the booking meanwhile: that is no reason to refuse somebody who did not say which
        version he wants to change."""
        for number in range(CHANGE_TRIES):
            before = await self._find(owner, booking_id)
            _require_version(before, versions)
            try:
                return await self._change(before, change(before), what, once)
            except PackageUsedUp:
                if number == CHANGE_TRIES - 1:
                    raise
            except PreconditionFailed:
                if versions is not None or number == CHANGE_TRIES - 1:
                    raise
        raise AssertionError("unreachable")

    async def _change(self, before: Booking, change: Change, what: str, once: Once[Booking]) -> Booking:
        now, live = self._clock.now(), self._lot_of(before.lot)
        period = change.period or before.period
        bay = _bay_of(live, change.bay or before.bay)
        await self._require_allowed(before, change, period, live, now)
        moves = (bay.bay, period) != (before.bay, before.period)
        if not moves and change.vehicle in (None, before.vehicle):
            await self._database.transaction(lambda session: once.keep(session, before))
            return before
        promise = await self._keeper.keep(live, bay, before.id, period, now) if moves else None
        booking = _changed(before, bay, period, promise, change.vehicle, what, now)
        if moves:
            booking = _repriced(before, booking, await self._quote(before, bay, period))

        async def work(session: Session) -> Booking:
            after = await self._register.store(session, before, booking, now)
            await once.keep(session, after)
            return after

        try:
            after = await self._database.transaction(work)
        except AutoSpotError as refusal:
            if promise is not None:
                await self._keeper.let_go(live.lot, bay.bay, promise, refusal)
            raise
        await self._register.give_back(before, after)
        return after

    async def _require_allowed(
        self, before: Booking, change: Change, period: Period, live: LiveLot, now: datetime
    ) -> None:
        if change.vehicle is not None:
            try:
                await self._garage.get(before.owner, change.vehicle)
            except NotFound:
                raise InvalidInput("this is none of your vehicles", at="/vehicle") from None
        require_changeable_to(before, period, now)
        if before.state is BookingState.ACTIVE and change.bay not in (None, before.bay):
            raise InvalidInput("you are parked there: the bay cannot be changed any more", at="/bay")
        if period.start != before.period.start:
            require_bookable(period, before.terms, live.layout.time_zone, now)
        elif period != before.period:
            require_end(period, before.terms, live.layout.time_zone)

    async def _quote(self, before: Booking, bay: Bay, period: Period) -> Quote | None:
        if before.price is None:
            return None
        owner, lot = before.owner, before.lot
        if period.start != before.period.start:
            return await self._prices.quote(owner, lot, bay.kind, period, own=before.drawn)
        version = before.price.tariff_version
        if bay.kind != before.kind:
            return await self._prices.quote_under(version, owner, lot, bay.kind, period, own=before.drawn)
        drawn = before.package_seconds
        return await self._prices.quote_under(version, owner, lot, bay.kind, period, drawn_seconds=drawn)

    async def _find(self, owner: str, booking_id: str) -> Booking:
        booking = await self._bookings.find(booking_id, owner=owner)
        if booking is None:
            raise no_such_booking()
        return booking


def cancelled_by_driver(booking: Booking, now: datetime) -> Booking:
    """`booking`, cancelled at `now` under its terms."""
    percent = refund_percent(booking, now)
    back, minutes_back = refund(booking.paid, percent), refund(booking.package_seconds, percent)
    reason = "in time" if percent == FULL_PERCENT else f"late: {percent} % of the price comes back"
    left = {"paid": booking.paid - back, "package_seconds": booking.package_seconds - minutes_back}
    return _refunding(booking.after(Step.CANCEL, now, "driver", reason, **left), back)


def cancelled_for_trouble(booking: Booking, now: datetime, by: By, reason: str) -> Booking:
    """`booking`, cancelled for no fault of its driver: everything that was paid comes back."""
    cancelled = booking.after(Step.CANCEL, now, by, reason, paid=0, package_seconds=0)
    return _refunding(cancelled, booking.paid)


def _refunding(booking: Booking, amount: int) -> Booking:
    return booking if booking.price is None else booking.with_facts(refund=amount)


def _changed(
    before: Booking,
    bay: Bay,
    period: Period,
    promise: Promise | None,
    vehicle: str | None,
    what: str,
    now: datetime,
) -> Booking:
    facts = {"bay": bay.bay, **period.as_json(), "was": {"bay": before.bay, **before.period.as_json()}}
    after = before.noting(now, what, "driver", "", facts)
    moved = period.start != before.period.start
    return replace(
        after,
        bay=bay.bay,
        kind=bay.kind,
        period=period,
        promise=promise.id if promise else before.promise,
        vehicle=vehicle or before.vehicle,
        handled_until=min(now, period.start - MILLISECOND) if moved else before.handled_until,
    )


def _repriced(before: Booking, booking: Booking, quoted: Quote | None) -> Booking:
    """`booking` at its new price, the difference paid or given back."""
    price = price_of(quoted)
    difference = (price.total.amount if price else 0) - (before.price.total.amount if before.price else 0)
    seconds = quoted.package_seconds if quoted else 0
    after = replace(booking, price=price, paid=before.paid + difference, package_seconds=seconds)
    if difference > 0:
        return after.with_facts(charged=difference)
    return _refunding(after, -difference) if difference else after


def offer_is_over() -> Conflict:
    return Conflict("this link is too old: the booking was changed meanwhile", code="offer_over")


def _bay_of(live: LiveLot, code: str) -> Bay:
    found = live.bays.get(code)
    if found is None:
        raise InvalidInput("there is no such bay", at="/bay")
    return live.layout.bays[found.number]


def _require_version(booking: Booking, versions: Collection[int] | None) -> None:
    if versions is not None and booking.version not in versions:
        raise PreconditionFailed("the booking changed meanwhile: read it again, then decide")
