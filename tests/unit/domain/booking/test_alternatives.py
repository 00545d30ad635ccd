"""The nearest time at which a bay is free."""

from __future__ import annotations

from datetime import timedelta

import pytest

from autospot.domain.booking.alternatives import Alternative, BayTaken, nearest_period
from autospot.domain.period import Period
from tests.support.bookings import at, between

STEP = timedelta(minutes=15)


def nearest(wanted: Period, *taken: Period, earliest: int = 6, latest: int = 22) -> Period | None:
    return nearest_period(wanted, taken, at(earliest), at(latest), STEP)


@pytest.mark.parametrize(
    ("wanted", "taken", "found"),
    [
        (between(10, 12), [between(9, 11)], between(11, 13)),
        (between(10, 12), [between(11, 15)], between(9, 11)),
        (between(10, 12), [between(9, 11), between(12, 14)], between(7, 9)),
        (between(10, 12), [between(8, 10), between(11, 12)], between(12, 14)),
        (between(10, 12), [between(0, 24)], None),
        (between(10, 12), [], between(10, 12)),
    ],
)
def test_the_nearest_time_that_is_free(wanted: Period, taken: list[Period], found: Period | None) -> None:
    assert nearest(wanted, *taken) == found


def test_it_begins_on_a_step_and_not_before_now() -> None:
    taken = Period(at(9), at(11, 5))
    assert nearest(between(10, 12), taken) == Period(at(11, 15), at(13, 15))
    assert nearest(between(10, 12), between(11, 23), earliest=10) is None


def test_a_refusal_shows_at_most_three_and_not_whose_promise_it_is() -> None:
    refusal = BayTaken("taken", alternatives=[Alternative(f"B{n}", between(10, 12)) for n in range(5)])
    assert refusal.extensions == {
        "alternatives": [
            {"bay": f"B{n}", "from": "2040-11-26T10:00:00.000Z", "until": "2040-11-26T12:00:00.000Z"} for n in range(3)
        ]
    }
