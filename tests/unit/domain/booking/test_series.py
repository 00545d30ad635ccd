"""Recurring bookings keep the hours of the clock on the wall."""

from __future__ import annotations

from datetime import date, time
from typing import Any

import pytest

from autospot.domain.booking.series import OCCURRENCES_LIMIT, Pattern, occurrences
from autospot.domain.errors import InvalidInput


def pattern(**changes: Any) -> Pattern:
    fields: dict[str, Any] = {
        "days": frozenset({"tue"}),
        "start": time(8),
        "until": time(17),
        "first": date(2026, 3, 20),
        "last": date(2026, 4, 2),
    }
    return Pattern(**(fields | changes))


def texts(pattern: Pattern, zone: str = "Europe/Berlin") -> list[str]:
    return [f"{each.start:%m-%dT%H:%M}/{each.until:%m-%dT%H:%M}" for each in occurrences(pattern, zone)]


def test_eight_to_five_stays_eight_to_five_when_the_clocks_change() -> None:
    assert texts(pattern()) == ["03-24T07:00/03-24T16:00", "03-31T06:00/03-31T15:00"]


def test_a_night_ends_on_the_next_day_and_is_an_hour_shorter_in_spring() -> None:
    night = pattern(days=frozenset({"sat"}), start=time(22), until=time(6))
    assert texts(night) == ["03-21T21:00/03-22T05:00", "03-28T21:00/03-29T04:00"]


def test_a_skipped_time_begins_at_the_change() -> None:
    skipped = pattern(days=frozenset({"sun"}), start=time(2, 30), until=time(5), first=date(2026, 3, 29))
    assert texts(skipped) == ["03-29T01:00/03-29T03:00"]


def test_what_lies_in_the_skipped_hour_alone_is_left_out() -> None:
    gone = pattern(days=frozenset({"sun"}), start=time(2, 15), until=time(2, 45), last=date(2026, 4, 5))
    assert texts(gone) == ["03-22T01:15/03-22T01:45", "04-05T00:15/04-05T00:45"]


def test_a_time_that_comes_twice_is_the_first_of_the_two() -> None:
    twice = pattern(
        days=frozenset({"sun"}), start=time(2, 30), until=time(4), first=date(2026, 10, 25), last=date(2026, 10, 25)
    )
    assert texts(twice) == ["10-25T00:30/10-25T03:00"]


def test_every_other_week_counts_from_the_week_of_the_first_day() -> None:
    every_other = pattern(days=frozenset({"mon", "fri"}), last=date(2026, 4, 10), every_weeks=2)
    assert [text[:5] for text in texts(every_other)] == ["03-20", "03-30", "04-03"]


@pytest.mark.parametrize(
    ("changes", "at"),
    [
        ({"days": frozenset()}, "/days"),
        ({"last": date(2026, 3, 19)}, "/last"),
        ({"last": date(2026, 3, 20)}, "/last"),
        ({"days": frozenset({"mon", "tue", "wed"}), "last": date(2028, 3, 20)}, "/last"),
    ],
)
def test_a_pattern_without_sense_is_refused(changes: dict[str, Any], at: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        occurrences(pattern(**changes), "Europe/Berlin")
    assert refusal.value.at == at


def test_a_series_is_bounded() -> None:
    daily = pattern(days=frozenset({"mon", "tue", "wed", "thu", "fri", "sat", "sun"}), last=date(2026, 7, 17))
    assert len(occurrences(daily, "Europe/Berlin")) == OCCURRENCES_LIMIT
