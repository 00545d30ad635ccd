"""Recurring bookings: "every Tuesday from 8 to 17 until June", in the wall time of the lot."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, time, timedelta
from itertools import islice
from typing import Literal
from zoneinfo import ZoneInfo

from autospot.domain.errors import InvalidInput
from autospot.domain.period import Period
from autospot.domain.tariff.localtime import DAY_MINUTES, LocalCalendar, in_utc

OCCURRENCES_LIMIT = 120
"""Most bookings of one series."""

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True, slots=True)
class Pattern:
    """Which days, and from when to when on the clock of the lot.

    `first` and `last` are dates, both included. An `until` at or before `start` is on the next day. `every_weeks` 2 is
    every other week, counted from the week of `first`.
    """

    days: frozenset[Weekday]
    start: time
    until: time
    first: date
    last: date
    every_weeks: int = 1

    def __post_init__(self) -> None:
        if not self.days:
            raise InvalidInput("name at least one day", at="/days")
        if self.last < self.first:
            raise InvalidInput("the last day must not be before the first", at="/last")
        if self.start.tzinfo is not None or self.until.tzinfo is not None:
            raise InvalidInput("times of day are in the lot's own time: without an offset", at="/start")


def occurrences(pattern: Pattern, time_zone: str) -> Sequence[Period]:
    """The periods of `pattern`, oldest first.

    The hours on the wall stay the same when the clocks change. A time that is skipped begins at the change; one that
    comes twice is the first of the two. `InvalidInput` at `/last` for more than `OCCURRENCES_LIMIT`, and for none.
    """
    found = list(islice(_periods(pattern, ZoneInfo(time_zone)), OCCURRENCES_LIMIT + 1))
    if len(found) > OCCURRENCES_LIMIT:
        raise InvalidInput(f"a series has at most {OCCURRENCES_LIMIT} bookings", at="/last")
    if not found:
        raise InvalidInput("no such day lies between the first and the last", at="/last")
    return found


def _periods(pattern: Pattern, zone: ZoneInfo) -> Iterator[Period]:
    calendar = LocalCalendar(zone)
    overnight = DAY_MINUTES if pattern.until <= pattern.start else 0
    for day in _days(pattern):
        start = calendar.first_instant(day, _minute(pattern.start))
        until = calendar.first_instant(day, _minute(pattern.until) + overnight)
        if start < until:  # else both fall into the hour that is skipped
            yield Period(in_utc(start), in_utc(until))


def _days(pattern: Pattern) -> Iterator[date]:
    monday = pattern.first - timedelta(days=pattern.first.weekday())
    for number in range((pattern.last - pattern.first).days + 1):
        day = pattern.first + timedelta(days=number)
        week = (day - monday).days // 7
        if WEEKDAYS[day.weekday()] in pattern.days and week % pattern.every_weeks == 0:
            yield day


def _minute(wall: time) -> int:
    return wall.hour * 60 + wall.minute
