"""What people send about bookings, sessions and assignments, and what they are told."""

from __future__ import annotations

from datetime import date, time
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from api.contract import Input, Output
from api.guidance_views import BayWish
from api.pages import PageQuery
from api.values import Instant
from autospot.domain.assignment import Assignment, AssignmentState
from autospot.domain.booking.alternatives import BayTaken
from autospot.domain.booking.booking import Booking, By
from autospot.domain.booking.life import BookingState
from autospot.domain.booking.series import Pattern, Weekday
from autospot.domain.booking.terms import free_cancellation_until
from autospot.domain.ids import Code
from autospot.domain.lot import BayKind
from autospot.domain.money import Money
from autospot.domain.parking_session import ParkingSession, SessionKind, SessionState
from autospot.services.desk.booking import Payment
from autospot.services.desk.series import Refused, Series
from autospot.services.parking import Cost

VehicleId = Annotated[str, Field(pattern=r"^veh_[0-9a-f]{32}$")]
FROM = Field(alias="from", description="multiples of the lot's step, on its own clock")


class BookingPath(Input):
    """A booking."""

    id: str = Field(pattern=r"^bkg_[0-9a-f]{32}$")


class SessionPath(Input):
    """A session."""

    id: str = Field(pattern=r"^ses_[0-9a-f]{32}$")


class AssignmentPath(Input):
    """An assignment."""

    id: str = Field(pattern=r"^asg_[0-9a-f]{32}$")


class _Place(Input):
    lot: Code
    bay: Code | None = Field(None, description="a bay, or leave it out and name a kind")
    kind: BayKind | None = None

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if (self.bay is None) == (self.kind is None):
            raise ValueError("name a bay or a kind of bay, one of the two")
        return self


class BookingBody(_Place):
    """A stay to be booked."""

    from_: Instant = FROM
    until: Instant
    vehicle: VehicleId | None = None
    payment: Payment = Field("wallet", description="`card` keeps the bay for some minutes until it is paid")
    quote: str | None = Field(None, pattern=r"^[0-9a-f]{64}$", description="`hash` of the quote: no other price")
    destination: Code | None = Field(None, description="door that the best bay of a kind shall be near")


class SeriesBody(_Place):
    """Recurring bookings, in the lot's own time."""

    days: list[Weekday] = Field(min_length=1, max_length=7)
    start: time = Field(examples=["08:00"])
    until: time = Field(description="at or before `start`: on the next day", examples=["17:00"])
    first: date
    last: date
    every_weeks: int = Field(1, ge=1, le=12)
    vehicle: VehicleId | None = None

    def pattern(self) -> Pattern:
        return Pattern(frozenset(self.days), self.start, self.until, self.first, self.last, self.every_weeks)


class BookingChange(Input):
    """What is to be different; left out stays as it is."""

    from_: Instant | None = Field(None, alias="from")
    until: Instant | None = None
    bay: Code | None = None
    vehicle: VehicleId | None = None


class ExtensionBody(Input):
    """A later end."""

    until: Instant


class BookingsQuery(PageQuery):
    """Which bookings; all where nothing is said."""

    state: list[BookingState] = Field([], max_length=10)
    lot: Code | None = None
    from_: Instant | None = Field(None, alias="from", description="that last beyond this")
    until: Instant | None = Field(None, description="that begin before this")
    series: str | None = Field(None, pattern=r"^srs_[0-9a-f]{32}$")


class OperatorBookingsQuery(BookingsQuery):
    """Which bookings of one's lots."""

    bay: Code | None = None


class SessionBody(Input):
    """I am parked at a bay: by lot and bay, or by the code on its sign."""

    lot: Code | None = None
    bay: Code | None = None
    code: str | None = Field(None, max_length=150, examples=["autospot:harbour/B001"])
    vehicle: VehicleId | None = None

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if (self.code is None) == (self.lot is None) or (self.lot is None) != (self.bay is None):
            raise ValueError("give lot and bay, or code")
        return self


class AssignmentBody(BayWish):
    """A wish for the nearest suitable bay, now."""


class EventView(Output):
    """One thing that happened to a booking."""

    at: Instant
    what: str = Field(examples=["moved", "arrive"])
    by: By
    reason: str
    facts: dict[str, Any]


class BookingView(Output):
    """A booking."""

    id: str
    lot: Code
    bay: Code
    kind: BayKind
    by_kind: bool
    state: BookingState
    from_: Instant = Field(serialization_alias="from")
    until: Instant
    vehicle: str | None
    price: Money | None = Field(description="null: free of charge")
    paid: Money | None
    package_seconds: int = Field(description="how much of it is paid by minutes packages")
    made_at: Instant
    hold_until: Instant | None = Field(description="until when it must be paid or taken up")
    free_cancellation_until: Instant
    late_refund_percent: int = Field(description="what share of the price a cancellation gives back after that")
    arrived_at: Instant | None
    left_at: Instant | None
    session: str | None
    series: str | None
    moved_from: str | None
    moved_to: str | None
    history: list[EventView]


class OperatorBookingView(BookingView):
    """A booking, to those who run the lot."""

    owner: str


class AlternativeView(Output):
    """What could be had instead."""

    bay: Code
    from_: Instant = Field(serialization_alias="from")
    until: Instant


class RefusedDay(Output):
    """A day of a series that could not be booked."""

    from_: Instant = Field(serialization_alias="from")
    until: Instant
    code: str
    detail: str
    alternatives: list[AlternativeView]


class SeriesView(Output):
    """What came of a series."""

    id: str
    booked: list[BookingView]
    conflicts: list[RefusedDay]


class SessionView(Output):
    """A stay. `cost` is what it has cost so far, and in the end."""

    id: str
    lot: Code
    bay: Code
    kind: SessionKind
    state: SessionState
    began_at: Instant
    ended_at: Instant | None
    vehicle: str | None
    booking: str | None
    cost: Money | None = Field(description="null: free of charge")
    paid: Money | None
    lines: list[dict[str, Any]]


class AssignmentView(Output):
    """A bay that is kept for a driver on the way."""

    id: str
    lot: Code
    bay: Code
    state: AssignmentState
    made_at: Instant
    until: Instant


def booking_view(booking: Booking) -> BookingView:
    return BookingView(**_booking_fields(booking))


def operator_booking_view(booking: Booking) -> OperatorBookingView:
    return OperatorBookingView(owner=booking.owner, **_booking_fields(booking))


def _booking_fields(booking: Booking) -> dict[str, Any]:
    currency = booking.price.total.currency if booking.price else None
    copied = (
        "id lot bay kind by_kind state vehicle package_seconds made_at hold_until arrived_at left_at"
        " session series moved_from moved_to"
    )
    return {
        **{name: getattr(booking, name) for name in copied.split()},
        "from_": booking.period.start,
        "until": booking.period.until,
        "price": booking.price.total if booking.price else None,
        "paid": Money(booking.paid, currency) if currency else None,
        "free_cancellation_until": free_cancellation_until(booking),
        "late_refund_percent": booking.terms.late_refund_percent,
        "history": [
            EventView(at=each.at, what=each.what, by=each.by, reason=each.reason, facts=dict(each.facts))
            for each in booking.events
        ],
    }


def series_view(series: Series) -> SeriesView:
    return SeriesView(
        id=series.id,
        booked=[booking_view(booking) for booking in series.booked],
        conflicts=[_refused_day(refused) for refused in series.refused],
    )


def _refused_day(refused: Refused) -> RefusedDay:
    refusal = refused.refusal
    others = refusal.alternatives if isinstance(refusal, BayTaken) else ()
    return RefusedDay(
        from_=refused.period.start,
        until=refused.period.until,
        code=refusal.code,
        detail=refusal.message,
        alternatives=[
            AlternativeView(bay=each.bay, from_=each.period.start, until=each.period.until) for each in others
        ],
    )


def session_view(parked: ParkingSession, cost: Cost) -> SessionView:
    return SessionView(
        id=parked.id,
        lot=parked.lot,
        bay=parked.bay,
        kind=parked.kind,
        state=parked.state,
        began_at=parked.began_at,
        ended_at=parked.ended_at,
        vehicle=parked.vehicle,
        booking=parked.booking,
        cost=cost.total,
        paid=Money(parked.paid, cost.total.currency) if cost.total else None,
        lines=[line.as_json() for line in cost.quote.lines] if cost.quote else [],
    )


def assignment_view(assignment: Assignment) -> AssignmentView:
    return AssignmentView(
        id=assignment.id,
        lot=assignment.lot,
        bay=assignment.bay,
        state=assignment.state,
        made_at=assignment.made_at,
        until=assignment.period.until,
    )
