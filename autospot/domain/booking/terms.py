"""What a lot's terms allow: when a booking may be, what may still be changed, what comes back when it is cancelled."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from autospot.domain.booking.booking import Booking
from autospot.domain.booking.life import BookingState, IllegalStep
from autospot.domain.errors import Conflict, InvalidInput
from autospot.domain.lot import BookingTerms
from autospot.domain.period import Period

FULL_PERCENT = 100


def require_bookable(period: Period, terms: BookingTerms, time_zone: str, now: datetime) -> None:
    """`InvalidInput` at `/from` or `/until`, with a code that says which term `period` breaks.

    A start may lie in the step that has just begun, so that "from now" can be said in whole steps.
    """
    step = timedelta(minutes=terms.step_minutes)
    if period.start <= now - step:
        raise InvalidInput("a booking cannot begin in the past", at="/from", code="in_the_past")
    if period.start > now + timedelta(days=terms.horizon_days):
        raise InvalidInput(f"at most {terms.horizon_days} days ahead", at="/from", code="too_far_ahead")
    _require_on_step(period.start, "/from", terms, time_zone)
    require_end(period, terms, time_zone)


def require_end(period: Period, terms: BookingTerms, time_zone: str) -> None:
    """`InvalidInput` at `/until` if `period` ends off the step, or is shorter or longer than the terms allow."""
    _require_on_step(period.until, "/until", terms, time_zone)
    if period.duration < timedelta(minutes=terms.minimum_minutes):
        raise InvalidInput(f"a booking has at least {terms.minimum_minutes} minutes", at="/until", code="too_short")
    if period.duration > timedelta(minutes=terms.maximum_minutes):
        raise InvalidInput(f"a booking has at most {terms.maximum_minutes} minutes", at="/until", code="too_long")


def _require_on_step(instant: datetime, at: str, terms: BookingTerms, time_zone: str) -> None:
    local = instant.astimezone(ZoneInfo(time_zone))
    minutes, rest = local.hour * 60 + local.minute, (local.second, local.microsecond)
    if minutes % terms.step_minutes or any(rest):
        raise InvalidInput(
            f"a booking begins and ends on a multiple of {terms.step_minutes} minutes", at=at, code="not_on_step"
        )


def require_changeable(booking: Booking, after: Period, now: datetime) -> None:
    """Refuses a change that comes too late, or to a booking whose driver has no say in it any more.

    `IllegalStep` once it is over; `Conflict` (code `too_late`) past the deadline, or when the start of a booking that
    has begun would change. A later end is always allowed while the booking lasts.
    """
    if booking.state not in (BookingState.CONFIRMED, BookingState.ACTIVE):
        raise IllegalStep(f"this booking is {booking.state.replace('_', ' ')} and cannot be changed")
    booking.require_changeable()
    begun = booking.state is BookingState.ACTIVE or now >= booking.period.start
    only_longer = after.start == booking.period.start and after.until >= booking.period.until
    deadline = booking.period.start - timedelta(minutes=booking.terms.change_deadline_minutes)
    if only_longer:
        return
    if begun and after.start != booking.period.start:
        raise Conflict("a booking that has begun keeps its start", code="too_late")
    if begun and after.until <= now:
        raise Conflict("a booking cannot end in the past", code="too_late")
    if not begun and now > deadline:
        raise Conflict("it is too late to change this booking", code="too_late")


def refund_percent(booking: Booking, now: datetime) -> int:
    """What share of its price comes back when the driver cancels `booking` now."""
    if now <= free_cancellation_until(booking):
        return FULL_PERCENT
    return booking.terms.late_refund_percent


def free_cancellation_until(booking: Booking) -> datetime:
    """Up to when the driver may cancel for nothing."""
    return booking.period.start - timedelta(minutes=booking.terms.cancel_deadline_minutes)


def refund(paid: int, percent: int) -> int:
    """`percent` of `paid` minor units, rounded down."""
    return paid * percent // FULL_PERCENT
