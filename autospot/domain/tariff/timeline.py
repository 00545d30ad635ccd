"""A stay in seconds: which of them are charged, which are covered, and the way between the two clocks.

The wall clock runs on through covered time (a subscription, a minutes package); the tariff's clock stands still. A
position on the tariff's clock is an *offset*: chargeable seconds since entry. Instants are whole seconds since 1970.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from autospot.domain.errors import InvalidInput
from autospot.domain.instant import EPOCH
from autospot.domain.period import Period

FIRST_YEAR, LAST_YEAR = 1970, 2199
"""Years in which stays are priced: where time zones and holidays mean something."""

STAY_LIMIT_DAYS = 5 * 366
"""The longest stay that is priced. Nobody parks for five years; a typing error does."""

COVERAGE_LIMIT = 1000
"""Most covered periods of one quote."""

SECOND = timedelta(seconds=1)

CoveredBy = Literal["subscription", "minutes package"]


class Covered(NamedTuple):
    """`[start, until)` of the stay that costs nothing, and why."""

    start: int
    until: int
    by: CoveredBy


def whole_second(instant: datetime) -> int:
    """The second an aware instant lies in. Fees are reckoned from what a receipt shows, and it shows seconds."""
    return (instant - EPOCH) // SECOND


@dataclass(frozen=True, slots=True)
class Timeline:
    """The chargeable `spans` of a stay, in order, each with the offset at which it begins."""

    entry: int
    exit: int
    spans: tuple[tuple[int, int], ...]
    offsets: tuple[int, ...]
    covered: tuple[Covered, ...] = ()

    @property
    def seconds(self) -> int:
        """All chargeable seconds."""
        return self.offsets[-1] + self.spans[-1][1] - self.spans[-1][0] if self.spans else 0

    def offset_at(self, instant: int) -> int:
        """Chargeable seconds from entry until `instant`."""
        number = bisect_right(self.spans, instant, key=lambda span: span[0]) - 1
        if number < 0:
            return 0
        start, until = self.spans[number]
        return self.offsets[number] + min(instant, until) - start

    def instant_at(self, offset: int) -> int:
        """When the chargeable second `offset` begins; after covered time where both begin together."""
        number = bisect_right(self.offsets, offset) - 1
        return min(self.spans[number][0] + offset - self.offsets[number], self.exit)

    def end_at(self, offset: int) -> int:
        """When the chargeable second before `offset` ends; before covered time where both end together."""
        number = max(bisect_left(self.offsets, offset) - 1, 0)
        return min(self.spans[number][0] + offset - self.offsets[number], self.exit)


def timeline(period: Period, coverage: Sequence[Period] = ()) -> Timeline:
    """The timeline of a stay. Covered periods may overlap and reach beyond it.

    `InvalidInput` for years outside `FIRST_YEAR` to `LAST_YEAR`, a stay over `STAY_LIMIT_DAYS`, or more covered periods
    than `COVERAGE_LIMIT`.
    """
    if period.start.year < FIRST_YEAR or period.until.year > LAST_YEAR:
        raise InvalidInput(f"stays are priced in the years {FIRST_YEAR} to {LAST_YEAR}", at="/from")
    if period.duration.days >= STAY_LIMIT_DAYS:
        raise InvalidInput(f"a stay is priced up to {STAY_LIMIT_DAYS} days", at="/until")
    if len(coverage) > COVERAGE_LIMIT:
        raise InvalidInput(f"at most {COVERAGE_LIMIT} covered periods", at="/coverage")
    entry, leave = whole_second(period.start), whole_second(period.until)
    covered = tuple(_merged(coverage, entry, leave))
    edges = [entry, *(edge for part in covered for edge in (part.start, part.until)), leave]
    return _assembled(entry, leave, zip(edges[::2], edges[1::2], strict=True), covered)


def uncovered(entry: int, leave: int) -> Timeline:
    """A stay from one second since 1970 to another, all of it chargeable."""
    return _assembled(entry, leave, [(entry, leave)], ())


def after_package(stay: Timeline, package_seconds: int) -> Timeline:
    """The same stay with its first `package_seconds` chargeable seconds paid by a minutes package."""
    if package_seconds <= 0 or not stay.seconds:
        return stay
    cut = stay.end_at(min(package_seconds, stay.seconds))
    paid = [Covered(start, min(until, cut), "minutes package") for start, until in stay.spans if start < cut]
    left = [(max(start, cut), until) for start, until in stay.spans]
    return _assembled(stay.entry, stay.exit, left, tuple(sorted([*stay.covered, *paid])))


def _merged(coverage: Iterable[Period], entry: int, leave: int) -> list[Covered]:
    merged: list[Covered] = []
    for part in sorted(coverage):
        start, until = max(whole_second(part.start), entry), min(whole_second(part.until), leave)
        if merged and start <= merged[-1].until:
            merged[-1] = merged[-1]._replace(until=max(until, merged[-1].until))
        elif start < until:
            merged.append(Covered(start, until, "subscription"))
    return merged


def _assembled(entry: int, leave: int, candidates: Iterable[tuple[int, int]], covered: tuple[Covered, ...]) -> Timeline:
    spans = tuple((start, until) for start, until in candidates if start < until)
    offsets: list[int] = []
    total = 0
    for start, until in spans:
        offsets.append(total)
        total += until - start
    return Timeline(entry, leave, spans, tuple(offsets), covered)
