"""Prices by time of day and day of week, laid over a stay."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from heapq import heappop, heappush
from itertools import islice, takewhile
from typing import NamedTuple

from autospot.domain.tariff.localtime import LocalCalendar
from autospot.domain.tariff.prices import Band, Bands, PerHour, RoundingScope
from autospot.domain.tariff.runs import HOUR_SECONDS, SHARES, Owed, Room, Rule, Run, capped
from autospot.domain.tariff.tiers import Level, Tier, runs_of, tiers_of
from autospot.domain.tariff.timeline import Timeline

NO_PRICE = Rule("no price at this time", 0, HOUR_SECONDS)


class BandTerms(NamedTuple):
    """A band ready for reckoning. `rate` is its hourly price, `tiers` hold any price, `limit` is its cap in shares."""

    window: Band
    tiers: tuple[Tier, ...]
    rate: Rule
    limit: int | None
    cap_words: str


class BandList(NamedTuple):
    """All bands of a price; of those open at once the first one holds."""

    scope: RoundingScope
    unit_seconds: int
    bands: tuple[BandTerms, ...]


class Stretch(NamedTuple):
    """Offsets `[start, until)` in one occurrence of one band; None where no band is open."""

    start: int
    until: int
    band: BandTerms | None

    @property
    def rate(self) -> Rule:
        """The hourly price in force."""
        return self.band.rate if self.band else NO_PRICE


def band_list(price: Bands, level: Level) -> BandList:
    """The bands of a price at one price level."""
    return BandList(
        price.rounding_scope,
        price.unit_minutes * 60,
        tuple(_terms(band, level, price.unit_minutes) for band in price.bands),
    )


def _terms(band: Band, level: Level, unit_minutes: int) -> BandTerms:
    hourly = level.of(band.price.price) if isinstance(band.price, PerHour) else 0
    return BandTerms(
        window=band,
        tiers=tiers_of(band.price, level, unit_minutes),
        rate=Rule(band.name, hourly, HOUR_SECONDS),
        limit=None if band.cap is None else level.of(band.cap) * SHARES,
        cap_words="" if band.cap is None else f"{band.name}: at most {level.words(band.cap)}",
    )


def stretches(bands: BandList, calendar: LocalCalendar, stay: Timeline) -> list[Stretch]:
    """The whole stay, divided by what is in force."""
    laid = (
        Stretch(stay.offset_at(start), stay.offset_at(until), band)
        for start, until, band in _painted(bands.bands, calendar, stay.entry, stay.exit)
    )
    return [stretch for stretch in laid if stretch.start < stretch.until]


def _painted(
    bands: Sequence[BandTerms], calendar: LocalCalendar, start: int, until: int
) -> Iterator[tuple[int, int, BandTerms | None]]:
    """`[start, until)` as instants, divided at every edge where another occurrence comes into force."""
    occurrences = sorted(
        (begin, number, end)
        for number, band in enumerate(bands)
        for begin, end in calendar.occurrences(band.window, start, until)
    )
    edges = {start, *(edge for begin, _, end in occurrences for edge in (begin, end))}
    opened: list[tuple[int, int, int]] = []  # (number, begin, end): the first listed band on top
    taken = 0
    since, holding = start, None
    for edge in sorted(edge for edge in edges if start <= edge < until):
        while taken < len(occurrences) and occurrences[taken][0] <= edge:
            begin, number, end = occurrences[taken]
            heappush(opened, (number, begin, end))
            taken += 1
        while opened and opened[0][2] <= edge:
            heappop(opened)
        now = opened[0] if opened else None
        if now != holding and since < edge:
            yield since, edge, bands[holding[0]] if holding else None
        if now != holding:
            since, holding = edge, now
    yield since, until, bands[holding[0]] if holding else None


def owed_in(bands: BandList, laid: Sequence[Stretch], start: int, end: int) -> Owed:
    """What the offsets `[start, end)` of a stay owe, priced on their own, under the caps of the bands."""
    here = _clipped(laid, start, end)
    runs = list(_RUNS[bands.scope](here, bands.unit_seconds))
    if all(stretch.band is None or stretch.band.limit is None for stretch in here):
        return Owed(runs, runs, [])
    rooms = [
        Room(stretch.start, stretch.band.limit, stretch.band.cap_words)
        if stretch.band
        else Room(stretch.start, None, "")
        for stretch in here
    ]
    return Owed(runs, *capped(runs, rooms, end))


def _clipped(laid: Sequence[Stretch], start: int, end: int) -> list[Stretch]:
    first = bisect_right(laid, start, key=lambda stretch: stretch.until)
    shared = takewhile(lambda stretch: stretch.start < end, islice(laid, first, None))
    return [Stretch(max(begin, start), min(until, end), band) for begin, until, band in shared]


def _by_band(here: Sequence[Stretch], _unit_seconds: int) -> Iterator[Run]:
    """Each stretch on its own: its price begins with it, and its last unit is counted up in it."""
    for start, until, band in here:
        if band is None:
            yield Run(start, 0, 1, 0, until, NO_PRICE)
        else:
            yield from runs_of(band.tiers, start, until, band.window.name)


def _by_block(here: Sequence[Stretch], unit_seconds: int) -> Iterator[Run]:
    """Units from the beginning on, each priced by the stretch in which it begins."""
    origin, end = here[0].start, here[-1].until
    for stretch in here:
        first = -((origin - stretch.start) // unit_seconds)
        count = -((origin - stretch.until) // unit_seconds) - first
        if count:
            start = origin + first * unit_seconds
            until = min(start + count * unit_seconds, end)
            yield Run(start, unit_seconds, count, stretch.rate.shares(unit_seconds), until, stretch.rate)


def _by_session(here: Sequence[Stretch], unit_seconds: int) -> Iterator[Run]:
    """Second by second; what is missing to a whole unit at the end is owed at the last stretch's price."""
    for stretch in here:
        count = stretch.until - stretch.start
        yield Run(stretch.start, 1, count, stretch.rate.shares(1), stretch.until, stretch.rate)
    last = here[-1]
    surplus = -(last.until - here[0].start) % unit_seconds
    if surplus:
        rule = last.rate._replace(words=f"{last.rate.words}: counted up to {unit_seconds // 60} min")
        yield Run(last.until - 1, surplus, 1, rule.shares(surplus), last.until, rule)


_RUNS = {"band": _by_band, "block": _by_block, "session": _by_session}
