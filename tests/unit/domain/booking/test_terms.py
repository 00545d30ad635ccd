"""What the terms of a lot allow."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from autospot.domain.booking.booking import CHANGES_LIMIT
from autospot.domain.booking.life import BookingState, IllegalStep
from autospot.domain.booking.terms import refund, refund_percent, require_bookable, require_changeable
from autospot.domain.errors import Conflict, InvalidInput
from autospot.domain.lot import BookingTerms
from autospot.domain.period import Period
from tests.support.bookings import a_booking, at, between

TERMS = BookingTerms(minimum_minutes=30, maximum_minutes=600, horizon_days=30, step_minutes=15)


def code_of(start: datetime, until: datetime, now: datetime, zone: str = "Europe/Berlin") -> tuple[str, str] | None:
    try:
        require_bookable(Period(start, until), TERMS, zone, now)
    except InvalidInput as refusal:
        return refusal.at, refusal.code
    return None


@pytest.mark.parametrize(
    ("start", "until", "refusal"),
    [
        (at(10), at(12), None),
        (at(9), at(10), None),
        (at(8, 45), at(10), ("/from", "in_the_past")),
        (at(10, 10), at(12), ("/from", "not_on_step")),
        (at(10), at(12, 1), ("/until", "not_on_step")),
        (at(10) + timedelta(seconds=1), at(12), ("/from", "not_on_step")),
        (at(10), at(10, 15), ("/until", "too_short")),
        (at(10), at(20), None),
        (at(10), at(20, 15), ("/until", "too_long")),
        (at(9, day=30), at(10, day=30), None),
        (at(9, 15, day=30), at(10, day=30), ("/from", "too_far_ahead")),
    ],
)
def test_a_booking_must_fit_the_terms(start: datetime, until: datetime, refusal: tuple[str, str] | None) -> None:
    assert code_of(start, until, at(9)) == refusal


def test_the_step_that_has_just_begun_may_still_be_booked() -> None:
    assert code_of(at(9), at(10), at(9, 14)) is None
    assert code_of(at(9), at(10), at(9, 15)) == ("/from", "in_the_past")


def test_steps_are_counted_on_the_clock_of_the_lot() -> None:
    assert code_of(at(10, 15), at(12, 15), at(9), "Asia/Kathmandu") is None  # 5:45 ahead of UTC


@pytest.mark.parametrize(("hour", "minute", "percent"), [(8, 0, 100), (9, 0, 100), (9, 1, 50), (10, 20, 50)])
def test_cancelling_is_free_until_the_deadline(hour: int, minute: int, percent: int) -> None:
    assert refund_percent(a_booking(), at(hour, minute)) == percent


def test_a_share_of_a_price_is_rounded_down() -> None:
    assert [refund(paid, 50) for paid in (0, 1, 999)] == [0, 0, 499]


def test_a_booking_that_has_begun_keeps_its_start() -> None:
    active = a_booking(state=BookingState.ACTIVE)
    require_changeable(active, between(10, 13), at(11))
    require_changeable(active, Period(at(10), at(11, 30)), at(11))
    for after in (between(11, 13), Period(at(10), at(10, 45))):
        with pytest.raises(Conflict) as refusal:
            require_changeable(active, after, at(11))
        assert refusal.value.code == "too_late"


def test_after_the_deadline_a_booking_may_only_become_longer() -> None:
    booking = a_booking(terms=BookingTerms(change_deadline_minutes=120))
    require_changeable(booking, between(9, 12), at(8))
    require_changeable(booking, between(10, 13), at(9))
    with pytest.raises(Conflict):
        require_changeable(booking, between(9, 12), at(9))


@pytest.mark.parametrize("state", [BookingState.HELD, BookingState.CANCELLED, BookingState.COMPLETED])
def test_what_is_not_promised_cannot_be_changed(state: BookingState) -> None:
    with pytest.raises(IllegalStep):
        require_changeable(a_booking(state=state), between(10, 13), at(8))


def test_a_history_that_is_full_takes_no_more_changes() -> None:
    booking = a_booking()
    for _ in range(CHANGES_LIMIT):
        require_changeable(booking, between(10, 13), at(8))
        booking = booking.noting(at(8), "changed", "driver")
    with pytest.raises(Conflict) as refusal:
        require_changeable(booking, between(10, 13), at(8))
    assert refusal.value.code == "too_many_changes"
