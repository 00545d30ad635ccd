"""Where the clock on the wall meets real time: band edges, calendar days, public holidays.

Instants are whole seconds since 1970-01-01T00:00:00Z. Only this module looks at a time zone. One rule covers both
changes of the clock: a local time begins *at the first instant at which the clock shows it or a later one of its day*.
So a time that is skipped in spring begins at the change, and one that comes twice in autumn begins at its first coming
and ends at the first coming of its end. Edges in order on the clock are in order in real time: no gap, no overlap.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Protocol
from zoneinfo import ZoneInfo

from holidays import country_holidays

DAY = timedelta(days=1)
DAY_MINUTES = 24 * 60
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
HOLIDAY = "holiday"


class DailyWindow(Protocol):
    """A stretch of the day in minutes from midnight, on some days. `end_minute` may lie past the next midnight."""

    @property
    def days(self) -> Collection[str]: ...
    @property
    def from_(self) -> int: ...
    @property
    def end_minute(self) -> int: ...


def holiday_problem(country: str, subdivision: str | None) -> str | None:
    """Why no holidays are known for this place, or None if they are."""
    try:
        country_holidays(country, subdiv=subdivision)
    except NotImplementedError:
        where = country if subdivision is None else f"{country}-{subdivision}"
        return f"no public holidays are known for {where}"
    return None


@lru_cache(maxsize=512)  # a year of one place; building it costs 0.3 ms
def _public_holidays(country: str, subdivision: str | None, year: int) -> frozenset[date]:
    return frozenset(country_holidays(country, subdiv=subdivision, years=year))


@lru_cache(maxsize=16_384)  # an edge of one day; twenty years of one tariff with two bands
def _first_instant(zone: ZoneInfo, day: date, minute: int) -> int:
    shown = datetime.combine(day, time.min) + timedelta(minutes=minute)
    first, second = (int(shown.replace(tzinfo=zone, fold=fold).timestamp()) for fold in (0, 1))
    if first <= second:  # an ordinary time, or the first of two
        return first
    # Skipped: `second` lies before the change and `first` after it.
    return second + bisect_left(
        range(second, first),
        True,
        key=lambda instant: datetime.fromtimestamp(instant, zone).replace(tzinfo=None) >= shown,
    )


@dataclass(frozen=True, slots=True)
class LocalCalendar:
    """The days of one time zone, with the public holidays of a place (`country` None for a calendar without).

    `extra` dates are holidays too, `working` dates are not.
    """

    zone: ZoneInfo
    country: str | None = None
    subdivision: str | None = None
    extra: frozenset[date] = frozenset()
    working: frozenset[date] = frozenset()

    def day_of(self, day: date) -> str:
        """`mon` to `sun`, or `holiday`."""
        return HOLIDAY if self._is_holiday(day) else WEEKDAYS[day.weekday()]

    def date_at(self, instant: int) -> date:
        """What the calendar on the wall shows."""
        return datetime.fromtimestamp(instant, self.zone).date()

    def first_instant(self, day: date, minute: int = 0) -> int:
        """When `day` begins, or its `minute`-th minute on the clock (past 1440: on a later day)."""
        later, minute = divmod(minute, DAY_MINUTES)
        return _first_instant(self.zone, day + later * DAY, minute)

    def midnights(self, start: int, until: int) -> list[int]:
        """The beginnings of days strictly between two instants."""
        return [instant for day in self._days(start, until) if start < (instant := self.first_instant(day)) < until]

    def occurrences(self, window: DailyWindow, start: int, until: int) -> Iterator[tuple[int, int]]:
        """Each `[begin, end)` of the window that shares time with `[start, until)`, whole, in order."""
        for day in self._days(start, until):
            if self.day_of(day) not in window.days:
                continue
            begin, end = self.first_instant(day, window.from_), self.first_instant(day, window.end_minute)
            if begin < end and begin < until and start < end:
                yield begin, end

    def is_within(self, window: DailyWindow, instant: int) -> bool:
        """True if the window is open at `instant`."""
        return next(self.occurrences(window, instant, instant + 1), None) is not None

    def _is_holiday(self, day: date) -> bool:
        if self.country is None or day in self.working:
            return False
        return day in self.extra or day in _public_holidays(self.country, self.subdivision, day.year)

    def _days(self, start: int, until: int) -> Iterator[date]:
        # One day more on either side: a window begins on the day before, and a clock set back at midnight shows
        # yesterday's date again.
        day, last = self.date_at(start) - DAY, self.date_at(until) + DAY
        while day <= last:
            yield day
            day += DAY


def in_utc(instant: int) -> datetime:
    """The aware UTC datetime of whole seconds since the epoch."""
    return datetime.fromtimestamp(instant, UTC)
