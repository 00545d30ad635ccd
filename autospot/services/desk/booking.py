"""Making a booking: price it, take the bay, write it down. In this order, so that nothing waits for anything."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from autospot.clock import Clock
from autospot.domain.booking.booking import Booking, Event
from autospot.domain.booking.life import BookingState
from autospot.domain.booking.terms import require_bookable
from autospot.domain.errors import AutoSpotError, Conflict, InvalidInput, NotFound
from autospot.domain.lot import Bay, BayKind
from autospot.domain.period import Period
from autospot.domain.reminding import Leads
from autospot.domain.subscription import PackageUsedUp
from autospot.domain.tariff import Quote
from autospot.live import LiveLot
from autospot.services.accounts.vehicles import Garage
from autospot.services.desk.keeper import Keeper
from autospot.services.desk.register import Register
from autospot.services.desk.till import Prices, price_of
from autospot.storage.bookings import Bookings, IdGivenUp
from autospot.storage.idempotency import Once
from autospot.storage.mongo import Database, Session
from autospot.storage.seat import together

LotOf = Callable[[str], LiveLot]
"""A lot as it is now; `NotFound` if there is none, `Unavailable` while live state is not up to date."""

LeadsOf = Callable[[str], Awaitable[Leads]]
"""How long before something a driver wants to be reminded."""

Payment = Literal["wallet", "card"]
"""`wallet` pays at once; `card` keeps the bay until the payment has come, or the time for it is over."""

ID_TRIES = 3
"""Ids of one request that are tried: an earlier try of it may have lost one by being too slow, or found that the
minutes of a package which its quote counted on had just gone."""


@dataclass(frozen=True, slots=True)
class Request:
    """What a driver asks for: a bay, or the best one of a kind, for a period.

    `quote_hash` is that of the quote the driver has seen; another price is refused. `series` names the series it is
    part of, `offered_until` makes it an offer that must be taken up by then.
    """

    lot: str
    period: Period
    owner: str
    bay: str | None = None
    kind: BayKind | None = None
    vehicle: str | None = None
    payment: Payment = "wallet"
    quote_hash: str | None = None
    destination: str | None = None
    series: str | None = None
    offered_until: datetime | None = None


class BookingDesk:
    """Quotes and books."""

    def __init__(
        self,
        database: Database,
        bookings: Bookings,
        lot_of: LotOf,
        prices: Prices,
        keeper: Keeper,
        register: Register,
        garage: Garage,
        leads_of: LeadsOf,
        clock: Clock,
    ) -> None:
        self._database = database
        self._bookings = bookings
        self._lot_of = lot_of
        self._prices = prices
        self._keeper = keeper
        self._register = register
        self._garage = garage
        self._leads_of = leads_of
        self._clock = clock

    async def quote(self, owner: str, lot: str, bay: str | None, kind: BayKind | None, period: Period) -> Quote | None:
        """What a booking would cost now; None where it is free. Refuses what could not be booked at any price."""
        live = self._lot_of(lot)
        require_bookable(period, live.layout.booking, live.layout.time_zone, self._clock.now())
        return await self._prices.quote(owner, lot, _kind_wanted(live, bay, kind), period)

    async def book(self, request: Request, once: Once[Booking]) -> Booking:
        """A booking, `confirmed` where it costs nothing or the wallet pays, else `held`.

        `InvalidInput` for what the terms do not allow; `BayTaken` with alternatives; `Conflict` (codes `bay_closed`,
        `not_bookable`, `too_many_bookings`, `price_changed`, and `insufficient_funds` of the wallet).
        """
        live = self._lot_of(request.lot)
        require_bookable(request.period, live.layout.booking, live.layout.time_zone, self._clock.now())
        await self._require_vehicle(request)
        for number in range(ID_TRIES):
            booking_id = once.id("bkg", str(number) if number else "")
            try:
                return await self._book_as(booking_id, live, request, once)
            except (IdGivenUp, PackageUsedUp):
                continue
        raise IdGivenUp("this took too long: try again")

    async def _book_as(self, booking_id: str, live: LiveLot, request: Request, once: Once[Booking]) -> Booking:
        now = self._clock.now()
        kind = _kind_wanted(live, request.bay, request.kind)
        quoted, leads = await asyncio.gather(
            self._prices.quote(request.owner, live.lot, kind, request.period), self._leads_of(request.owner)
        )
        _require_same_price(request, quoted)
        if request.bay is not None:
            bay = _bay(live, request.bay)
            promise = await self._keeper.keep(live, bay, booking_id, request.period, now)
        else:
            bay, promise = await self._keeper.keep_any(
                live, kind, booking_id, request.period, now, destination=request.destination
            )
        booking = _new_booking(booking_id, live, bay, promise.id, request, quoted, leads, now)

        async def work(session: Session) -> Booking:
            _, stored = await together(
                session, self._require_room(session, booking), self._register.enter(session, booking, now)
            )
            await once.keep(session, stored)
            return stored

        try:
            return await self._database.shared_transaction(work)
        except AutoSpotError as refusal:
            await self._keeper.let_go(live.lot, bay.bay, promise, refusal)
            raise

    async def _require_room(self, session: Session, booking: Booking) -> None:
        others = await self._bookings.open_for(booking.owner, session=session) - {booking.series}
        if len(others) >= booking.terms.open_per_driver:
            raise Conflict(f"at most {booking.terms.open_per_driver} bookings at a time", code="too_many_bookings")

    async def _require_vehicle(self, request: Request) -> None:
        if request.vehicle is None:
            return
        try:
            await self._garage.get(request.owner, request.vehicle)
        except NotFound:
            raise InvalidInput("this is none of your vehicles", at="/vehicle") from None


def _new_booking(
    booking_id: str,
    live: LiveLot,
    bay: Bay,
    promise: str,
    request: Request,
    quoted: Quote | None,
    leads: Leads,
    now: datetime,
) -> Booking:
    price, terms = price_of(quoted), live.layout.booking
    costs = price.total.amount if price else 0
    waits = request.offered_until is not None or (costs > 0 and request.payment == "card")
    facts = {"bay": bay.bay, **request.period.as_json()}
    return Booking(
        id=booking_id,
        lot=live.lot,
        bay=bay.bay,
        promise=promise,
        kind=bay.kind,
        owner=request.owner,
        vehicle=request.vehicle,
        period=request.period,
        state=BookingState.HELD if waits else BookingState.CONFIRMED,
        made_at=now,
        terms=terms,
        # The start may lie in the step that has begun: what is due at it must still be done.
        handled_until=min(now, request.period.start - timedelta(milliseconds=1)),
        by_kind=request.bay is None,
        price=price,
        paid=0 if waits else costs,
        package_seconds=quoted.package_seconds if quoted else 0,
        hold_until=(request.offered_until or now + timedelta(minutes=terms.unpaid_hold_minutes)) if waits else None,
        series=request.series,
        leads=leads,
        events=(Event(now, "booked", "driver", "", facts),),
    )


def _kind_wanted(live: LiveLot, bay: str | None, kind: BayKind | None) -> BayKind:
    if bay is not None:
        return _bay(live, bay).kind
    if kind is None:
        raise InvalidInput("name a bay or a kind of bay", at="/kind")
    if all(each.kind != kind for each in live.layout.bays):
        raise InvalidInput(f"this lot has no {kind} bays", at="/kind")
    return kind


def _bay(live: LiveLot, code: str) -> Bay:
    found = live.bays.get(code)
    if found is None:
        raise InvalidInput("there is no such bay", at="/bay")
    return live.layout.bays[found.number]


def _require_same_price(request: Request, quoted: Quote | None) -> None:
    if request.quote_hash is not None and (quoted is None or quoted.hash != request.quote_hash):
        raise Conflict("the price has changed: ask for a new quote", code="price_changed")
