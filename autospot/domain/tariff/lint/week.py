"""Bands laid over every kind of day: where none is open, where two are, which never hold, where a fee can fall.

Exact without looking at dates: a day's bands depend only on what day it is and on what day it was yesterday (whose
night reaches over), each a weekday or, with a holiday calendar, a holiday. All such pairs are gone through.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise, product
from typing import NamedTuple

from autospot.domain.money import Money
from autospot.domain.tariff.lint.finding import Finding
from autospot.domain.tariff.localtime import DAY_MINUTES, HOLIDAY, WEEKDAYS
from autospot.domain.tariff.prices import MINUTES_LIMIT, Bands, PerHour, clock_text
from autospot.domain.tariff.runs import SHARES
from autospot.domain.tariff.tiers import Level


class Piece(NamedTuple):
    """Minutes `[start, until)` of a day, and the bands open then, by number, the one that holds first."""

    start: int
    until: int
    open: tuple[int, ...]


class Day(NamedTuple):
    """A day of the week or a holiday, the day before it, and what is open on it."""

    yesterday: str
    name: str
    pieces: list[Piece]


def days_of(price: Bands, *, holidays: bool) -> list[Day]:
    """Every day there can be."""
    pairs = zip((WEEKDAYS[-1], *WEEKDAYS), WEEKDAYS, strict=False)
    alternatives = (product(_or_holiday(before, holidays), _or_holiday(today, holidays)) for before, today in pairs)
    distinct = dict.fromkeys(pair for pairs_of_day in alternatives for pair in pairs_of_day)
    return [Day(yesterday, today, _pieces(price, yesterday, today)) for yesterday, today in distinct]


def _or_holiday(day: str, holidays: bool) -> tuple[str, ...]:
    return (day, HOLIDAY) if holidays else (day,)


def _pieces(price: Bands, yesterday: str, today: str) -> list[Piece]:
    spans = []
    for number, band in enumerate(price.bands):
        if today in band.days:
            spans.append((band.from_, min(band.end_minute, DAY_MINUTES), number))
        if yesterday in band.days and band.end_minute > DAY_MINUTES:
            spans.append((0, band.end_minute - DAY_MINUTES, number))
    edges = sorted({0, DAY_MINUTES, *(edge for span in spans for edge in span[:2])})
    return [
        Piece(start, until, tuple(sorted({number for begin, end, number in spans if begin <= start and until <= end})))
        for start, until in pairwise(edges)
    ]


def gaps(at: str, days: list[Day]) -> Iterator[Finding]:
    """Times at which no band is open, each with the days on which that is so."""
    where: dict[tuple[int, int], list[str]] = defaultdict(list)
    for day in days:
        for piece in day.pieces:
            if not piece.open:
                where[piece.start, piece.until].append(day.name)
    for (start, until), names in sorted(where.items()):
        on = ", ".join(dict.fromkeys(names))
        message = f"no band is open from {clock_text(start)} to {clock_text(until)} on {on}: that time costs nothing"
        yield Finding("band_gap", f"{at}/bands", message)


def overlaps(price: Bands, at: str, days: list[Day]) -> Iterator[Finding]:
    """Pairs of bands that are open at once, each with the first time at which they are."""
    seen: dict[tuple[int, int], tuple[str, Piece]] = {}
    for day in days:
        for piece in day.pieces:
            for later in piece.open[1:]:
                seen.setdefault((piece.open[0], later), (day.name, piece))
    for (holds, yields), (name, piece) in seen.items():
        first, second = price.bands[holds].name, price.bands[yields].name
        when = f"{clock_text(piece.start)} to {clock_text(piece.until)} on {name}"
        message = f"{first!r} and {second!r} overlap, as from {when}: {first!r} holds because it is listed first"
        yield Finding("band_overlap", f"{at}/bands/{yields}", message)


def unreachable(price: Bands, at: str, days: list[Day]) -> Iterator[Finding]:
    """Bands that never hold."""
    held = {piece.open[0] for day in days for piece in day.pieces if piece.open}
    for number, band in enumerate(price.bands):
        if number not in held:
            yield Finding("band_unreachable", f"{at}/bands/{number}", f"{band.name!r} never applies")


def drops(
    price: Bands, at: str, days: list[Day], *, anew_at_midnight: bool, levels: Sequence[Level]
) -> Iterator[Finding]:
    """Where session rounding makes a longer stay cheaper, on any of the price levels.

    The seconds that round a stay up to whole units are owed at the last band's price and under its cap. A stay that
    ends one second after a change of bands has them in the new band instead of the old one. That can lower the fee by
    what they cost in the old band less what they cost in the new one, and, charges being only added otherwise, nothing
    else can.
    """
    if price.rounding_scope != "session":
        return
    changes = {pair for day in days for pair in pairwise(_holding(day))}
    if not anew_at_midnight:
        changes |= {
            (_holding(day)[-1], _holding(following)[0])
            for day in days
            for following in days
            if following.yesterday == day.name and _may_follow(day, following)
        }
    for before, after in sorted(changes, key=lambda pair: (_number(pair[0]), _number(pair[1]))):
        less = max(_loss(price, before, after, level) for level in levels)
        if less > 0:
            much = Money(-(-less // SHARES), levels[0].currency)
            message = (
                f"when {_name(price, before)} gives way to {_name(price, after)}, one second more can cost up to "
                f"{much} less, because the time that is rounded up falls in the last band"
            )
            yield Finding("price_falls", f"{at}/rounding_scope", message)


def _loss(price: Bands, before: int | None, after: int | None, level: Level) -> int:
    """The most, in shares, that rounded-up seconds can cost more in one band than in the other.

    Both costs rise with the seconds until their cap; so their difference is greatest where one of them reaches its cap,
    or at the most seconds there can be.
    """
    (old, old_cap), (new, new_cap) = (_terms(price, band, level) for band in (before, after))
    most = price.unit_minutes * 60 - 1
    turns = [most] + [-(-cap // rate) for rate, cap in ((old, old_cap), (new, new_cap)) if rate]
    return max(min(old * seconds, old_cap) - min(new * seconds, new_cap) for seconds in turns if seconds <= most)


def _terms(price: Bands, band: int | None, level: Level) -> tuple[int, int]:
    """Shares per second (as a price per hour has minor units), and the cap in shares, which may be out of reach."""
    if band is None:
        return 0, 0
    stated, cap = price.bands[band].price, price.bands[band].cap
    rate = level.of(stated.price) if isinstance(stated, PerHour) else 0
    return rate, rate * MINUTES_LIMIT * 60 if cap is None else level.of(cap) * SHARES


def _holding(day: Day) -> list[int | None]:
    return [piece.open[0] if piece.open else None for piece in day.pieces]


def _may_follow(day: Day, following: Day) -> bool:
    """A weekday is followed by the next one, or a holiday in its place; what day a holiday stands for is open."""
    if HOLIDAY in (day.name, following.name):
        return True
    return WEEKDAYS.index(following.name) == (WEEKDAYS.index(day.name) + 1) % len(WEEKDAYS)


def _number(band: int | None) -> int:
    return -1 if band is None else band


def _name(price: Bands, band: int | None) -> str:
    return "time without a band" if band is None else repr(price.bands[band].name)
