"""Bookings: book, list, change, extend, cancel; pass and calendar entry. For drivers their own."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TypedDict

from api.accounts import versions_of
from api.booking_files import calendar_entry, pass_svg
from api.booking_views import (
    BookingBody,
    BookingChange,
    BookingPath,
    BookingsQuery,
    BookingView,
    ExtensionBody,
    OperatorBookingsQuery,
    OperatorBookingView,
    SeriesBody,
    SeriesView,
    booking_view,
    operator_booking_view,
    series_view,
)
from api.call import Call
from api.contract import File, Idempotency, Reply, operation
from api.current import NO_SUCH_LOT, NOT_LIVE, CurrentLots
from api.pages import Page, cursor_after, instant_at
from autospot.domain.access import Action, lots_within
from autospot.domain.booking.alternatives import BayTaken
from autospot.domain.booking.booking import Booking
from autospot.domain.booking.life import BookingState, IllegalStep
from autospot.domain.errors import Conflict, InvalidInput
from autospot.domain.ledger import InsufficientFunds
from autospot.domain.period import Period
from autospot.services.desk.booking import Request
from autospot.services.desk.changes import Change
from autospot.services.desk.office import Office
from autospot.services.desk.register import no_such_booking
from autospot.storage.bookings import BookingQuery, IdGivenUp
from autospot.storage.idempotency import Unkept

BROKEN_TERMS = InvalidInput("a booking has at least 15 minutes", at="/until", code="too_short")
TAKEN = BayTaken("bay B001 is taken at that time")
CLOSED = Conflict("bay B001 is closed: repainting", code="bay_closed")
NOT_BOOKABLE = Conflict("bay B001 is kept for drivers who just come", code="not_bookable")
TOO_MANY = Conflict("at most 5 bookings at a time", code="too_many_bookings")
PRICE_CHANGED = Conflict("the price has changed: ask for a new quote", code="price_changed")
TOO_LATE = Conflict("it is too late to change this booking", code="too_late")
TOO_MANY_CHANGES = Conflict("this booking was changed too often: make a new one", code="too_many_changes")
NO_MONEY = InsufficientFunds("there is not enough in it that is free")
OVER = IllegalStep("this booking is cancelled: cancel is not possible any more")
SLOW = IdGivenUp("this took too long: try again")
SERIES_REFUSED = Conflict("none of the days can be had", code="series_refused")

_BOOKING_ERRORS = (NO_SUCH_LOT, BROKEN_TERMS, TAKEN, CLOSED, NOT_BOOKABLE, TOO_MANY, PRICE_CHANGED, NO_MONEY, SLOW)


class _Asked(TypedDict):
    states: Sequence[BookingState]
    overlapping: tuple[datetime | None, datetime | None]
    series: str | None
    before: tuple[datetime, str] | None


class BookingOperations:
    """Everything about bookings."""

    def __init__(self, office: Office, current: CurrentLots) -> None:
        self._office = office
        self._current = current

    @operation(
        "POST /v1/bookings",
        summary="Book a bay, or the best one of a kind",
        tag="bookings",
        access=Action.DRIVE,
        status=201,
        idempotency=Idempotency.MONEY,
        etag=True,
        errors=(*_BOOKING_ERRORS, NOT_LIVE),
    )
    async def book(self, call: Call, body: BookingBody) -> Reply[BookingView]:
        """`confirmed` at once where it is free or paid from the wallet; `held` until it is paid by card. A bay that is
        taken is a 409 with up to three `alternatives`."""
        once = call.once(_replied)
        await self._office.desk.book(_request(call, body, Period(body.from_, body.until)), once)
        return once.kept

    @operation(
        "POST /v1/booking-series",
        summary="Book the same hours on many days",
        tag="bookings",
        access=Action.DRIVE,
        status=201,
        idempotency=Idempotency.MONEY,
        errors=(*_BOOKING_ERRORS, SERIES_REFUSED, NOT_LIVE),
    )
    async def book_series(self, call: Call, body: SeriesBody) -> SeriesView:
        """Every day is a booking of its own, paid from the wallet; days that cannot be had stand in `conflicts` with
        what could be. The hours on the lot's clock stay the same when the clocks change. All of it counts as one open
        booking."""
        once = call.once(series_view)

        def asked(period: Period) -> Request:
            owner = call.principal.user_id
            return Request(body.lot, period, owner, bay=body.bay, kind=body.kind, vehicle=body.vehicle)

        await self._office.series.book(body.pattern(), asked, body.lot, once)
        return once.kept

    @operation("GET /v1/bookings", summary="My bookings", tag="bookings", access=Action.DRIVE)
    async def list_bookings(self, call: Call, query: BookingsQuery) -> Page[BookingView]:
        """The latest start first."""
        lots = None if query.lot is None else {query.lot}
        found = BookingQuery(owner=call.principal.user_id, lots=lots, **_asked(query))
        bookings = await self._office.bookings.newest(found, query.limit + 1)
        page, cursor = _page(bookings, query.limit)
        return Page(data=[booking_view(booking) for booking in page], next_cursor=cursor)

    @operation(
        "GET /v1/bookings/{id}",
        summary="One booking with its history",
        tag="bookings",
        access=Action.DRIVE,
        etag=True,
        errors=(no_such_booking(),),
    )
    async def get(self, call: Call, path: BookingPath) -> Reply[BookingView]:
        """Every event, with who made it happen and why."""
        return _replied(await self._own(call, path))

    @operation(
        "PATCH /v1/bookings/{id}",
        summary="Change times, bay or vehicle",
        tag="bookings",
        access=Action.DRIVE,
        etag=True,
        if_match=True,
        errors=(
            no_such_booking(),
            BROKEN_TERMS,
            TAKEN,
            CLOSED,
            NOT_BOOKABLE,
            TOO_LATE,
            TOO_MANY_CHANGES,
            NO_MONEY,
            OVER,
        ),
    )
    async def change(self, call: Call, path: BookingPath, body: BookingChange) -> Reply[BookingView]:
        """All of it or nothing. The difference in price is paid from the wallet or comes back to it."""
        booking = await self._own(call, path)
        period = None
        if body.from_ is not None or body.until is not None:
            period = Period(body.from_ or booking.period.start, body.until or booking.period.until)
        changed = await self._office.changes.change(
            call.principal.user_id,
            path.id,
            Change(period, body.bay, body.vehicle),
            Unkept(),
            versions=versions_of(call.if_match),
        )
        return _replied(changed)

    @operation(
        "POST /v1/bookings/{id}/extend",
        summary="Stay longer",
        tag="bookings",
        access=Action.DRIVE,
        idempotency=Idempotency.MONEY,
        etag=True,
        errors=(no_such_booking(), BROKEN_TERMS, TAKEN, CLOSED, TOO_MANY_CHANGES, NO_MONEY, OVER),
    )
    async def extend(self, call: Call, path: BookingPath, body: ExtensionBody) -> Reply[BookingView]:
        """Also while parked. The rest is paid from the wallet."""
        once = call.once(_replied)
        await self._office.changes.extend(call.principal.user_id, path.id, body.until, once)
        return once.kept

    @operation(
        "POST /v1/bookings/{id}/cancel",
        summary="Give the bay back",
        tag="bookings",
        access=Action.DRIVE,
        idempotency=Idempotency.MONEY,
        etag=True,
        errors=(no_such_booking(), OVER),
    )
    async def cancel(self, call: Call, path: BookingPath) -> Reply[BookingView]:
        """What comes back follows the terms: see `free_cancellation_until` and `late_refund_percent`. The last event of
        the history says how much it was."""
        once = call.once(_replied)
        await self._office.changes.cancel(call.principal.user_id, path.id, once)
        return once.kept

    @operation(
        "POST /v1/bookings/{id}/confirm",
        summary="Take up what is held",
        tag="bookings",
        access=Action.DRIVE,
        idempotency=Idempotency.MONEY,
        etag=True,
        errors=(no_such_booking(), NO_MONEY, OVER),
    )
    async def confirm(self, call: Call, path: BookingPath) -> Reply[BookingView]:
        """An offer of the waiting list, or a booking that waits for a card: paid from the wallet instead."""
        once = call.once(_replied)
        await self._office.changes.confirm(call.principal.user_id, path.id, once)
        return once.kept

    @operation(
        "GET /v1/bookings/{id}/pass",
        summary="The pass as a QR code",
        tag="bookings",
        access=Action.DRIVE,
        media=("image/svg+xml",),
        errors=(no_such_booking(),),
    )
    async def pass_(self, call: Call, path: BookingPath) -> File:
        """For the reader at the gate. Whoever has the picture has the booking: it is not shown to anybody else."""
        return File(pass_svg(await self._own(call, path)), "image/svg+xml")

    @operation(
        "GET /v1/bookings/{id}/calendar",
        summary="The booking for a calendar",
        tag="bookings",
        access=Action.DRIVE,
        media=("text/calendar",),
        errors=(no_such_booking(), NOT_LIVE),
    )
    async def calendar(self, call: Call, path: BookingPath) -> File:
        """iCalendar; loaded again after a change it replaces the entry."""
        booking = await self._own(call, path)
        entry = calendar_entry(booking, self._current.lot(booking.lot).layout)
        return File(entry, "text/calendar", name=f"{booking.id}.ics")

    @operation(
        "GET /v1/operator/bookings",
        summary="Bookings of my lots",
        tag="operator",
        access=Action.SEE_LOT,
    )
    async def list_of_lots(self, call: Call, query: OperatorBookingsQuery) -> Page[OperatorBookingView]:
        """The latest start first. Plates and names are not shown: vehicles and drivers appear under their ids."""
        lots = lots_within(call.principal, Action.SEE_LOT)
        if query.lot is not None:
            lots = frozenset({query.lot}) if lots is None else lots & {query.lot}
        found = BookingQuery(lots=lots, bay=query.bay, **_asked(query))
        bookings = await self._office.bookings.newest(found, query.limit + 1)
        page, cursor = _page(bookings, query.limit)
        return Page(data=[operator_booking_view(booking) for booking in page], next_cursor=cursor)

    async def _own(self, call: Call, path: BookingPath) -> Booking:
        booking = await self._office.bookings.find(path.id, owner=call.principal.user_id)
        if booking is None:
            raise no_such_booking()
        return booking


def _replied(booking: Booking) -> Reply[BookingView]:
    return Reply(booking_view(booking), etag=str(booking.version), location=f"/v1/bookings/{booking.id}")


def _request(call: Call, body: BookingBody, period: Period) -> Request:
    return Request(
        lot=body.lot,
        period=period,
        owner=call.principal.user_id,
        bay=body.bay,
        kind=body.kind,
        vehicle=body.vehicle,
        payment=body.payment,
        quote_hash=body.quote,
        destination=body.destination,
    )


def _asked(query: BookingsQuery) -> _Asked:
    return {
        "states": query.state,
        "overlapping": (query.from_, query.until),
        "series": query.series,
        "before": instant_at(query.cursor),
    }


def _page(bookings: Sequence[Booking], limit: int) -> tuple[Sequence[Booking], str | None]:
    page = bookings[:limit]
    more = len(bookings) > limit
    return page, cursor_after(page[-1].period.start, page[-1].id) if more else None
