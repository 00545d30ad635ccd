"""What is offered with the reminder of the end."""

from __future__ import annotations

from datetime import timedelta

import pytest

from autospot.domain.booking.extension import Extension, offered
from autospot.domain.lot import BookingTerms
from tests.support.bookings import a_booking, between


@pytest.mark.parametrize(
    ("terms", "minutes"),
    [
        (BookingTerms(), 30),
        (BookingTerms(step_minutes=20), 40),
        (BookingTerms(step_minutes=60), 60),
        (BookingTerms(maximum_minutes=130), 10),
        (BookingTerms(maximum_minutes=124), None),
        (BookingTerms(maximum_minutes=60), None),
    ],
)
def test_half_an_hour_in_whole_steps_as_far_as_the_terms_go(terms: BookingTerms, minutes: int | None) -> None:
    booking = a_booking(period=between(10, 12), terms=terms)
    until = booking.period.until
    wanted = None if minutes is None else Extension(booking.id, until, until + timedelta(minutes=minutes))
    assert offered(booking) == wanted
