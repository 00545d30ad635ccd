"""A period is half-open, aware, in UTC, and never empty."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from autospot.domain.errors import InvalidInput
from autospot.domain.period import Period


def hour(number: float) -> datetime:
    return datetime(2026, 6, 1, tzinfo=UTC) + timedelta(hours=number)


def period(start: float, until: float) -> Period:
    return Period(hour(start), hour(until))


def test_its_start_belongs_to_it_and_its_end_does_not():
    assert period(8, 9).contains(hour(8))
    assert not period(8, 9).contains(hour(9))
    assert not period(8, 9).contains(hour(7.99))


@pytest.mark.parametrize(
    ("other", "shared"),
    [
        (period(6, 8), None),
        (period(10, 12), None),
        (period(6, 9), period(8, 9)),
        (period(9, 12), period(9, 10)),
        (period(8.5, 9), period(8.5, 9)),
        (period(0, 24), period(8, 10)),
        (period(8, 10), period(8, 10)),
    ],
)
def test_two_periods_share_time_or_do_not_seen_from_either_side(other: Period, shared: Period | None):
    here = period(8, 10)
    assert here.intersection(other) == shared
    assert other.intersection(here) == shared
    assert here.overlaps(other) is (shared is not None)
    assert other.overlaps(here) is (shared is not None)


def test_it_covers_what_lies_wholly_inside():
    assert period(8, 10).covers(period(8, 10))
    assert period(8, 10).covers(period(9, 9.5))
    assert not period(8, 10).covers(period(7, 9))
    assert not period(8, 10).covers(period(9, 10.5))


def test_the_same_instants_in_another_zone_are_the_same_period():
    new_york = Period(
        hour(8).astimezone(ZoneInfo("America/New_York")), hour(9).astimezone(timezone(timedelta(hours=5)))
    )
    assert new_york == period(8, 9)
    assert hash(new_york) == hash(period(8, 9))
    assert new_york.start.tzinfo is UTC


def test_its_duration_is_real_time_when_the_clocks_go_back():
    berlin = ZoneInfo("Europe/Berlin")
    night = Period(datetime(2026, 10, 25, 1, 30, tzinfo=berlin), datetime(2026, 10, 25, 3, 30, tzinfo=berlin))
    assert night.duration == timedelta(hours=3)


@pytest.mark.parametrize(
    ("start", "until", "at"),
    [
        (hour(8).replace(tzinfo=None), hour(9), "/from"),
        (hour(8), hour(9).replace(tzinfo=None), "/until"),
        (hour(8), hour(8), "/until"),
        (hour(9), hour(8), "/until"),
        (datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=5))), hour(8), "/from"),
        (hour(8), datetime(9999, 12, 31, 23, tzinfo=timezone(-timedelta(hours=5))), "/until"),
    ],
)
def test_naive_empty_reversed_and_endless_periods_are_refused_by_name(start: datetime, until: datetime, at: str):
    with pytest.raises(InvalidInput) as refusal:
        Period(start, until)
    assert refusal.value.at == at


def test_a_naive_instant_is_never_compared():
    with pytest.raises(InvalidInput):
        period(8, 9).contains(datetime(2026, 6, 1, 8))  # noqa: DTZ001 - the naive datetime is the point


def test_periods_sort_by_start_then_by_end():
    assert sorted([period(9, 10), period(8, 12), period(8, 9)]) == [period(8, 9), period(8, 12), period(9, 10)]


def test_it_shows_itself_under_the_names_of_the_contract():
    assert period(8, 9).as_json() == {"from": "2026-06-01T08:00:00.000Z", "until": "2026-06-01T09:00:00.000Z"}
