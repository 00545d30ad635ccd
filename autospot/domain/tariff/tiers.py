"""Prices by length of stay alone: ladders, progressive rates, slabs, flat prices, all as one list of tiers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise
from typing import NamedTuple

from autospot.domain.money import Money, half_up
from autospot.domain.tariff.prices import Flat, Ladder, PerHour, Progressive, Slabs
from autospot.domain.tariff.runs import HOUR_SECONDS, Rule, Run

TierPrice = Ladder | Progressive | Slabs | Flat | PerHour


class Tier(NamedTuple):
    """`units` of `unit_seconds` (None: without end), each owed whole once it has begun; 0 seconds: all the rest."""

    unit_seconds: int
    units: int | None
    rule: Rule


class Level(NamedTuple):
    """Whose price list it is: every amount of the document at `percent`, in `currency`."""

    percent: int
    currency: str

    def of(self, amount: int) -> int:
        """The amount on this list, rounded half up to the minor unit."""
        return half_up(amount * self.percent, 100)

    def words(self, amount: int) -> str:
        """The amount on this list as people write it."""
        return str(Money(self.of(amount), self.currency))


def tiers_of(price: TierPrice, level: Level, unit_minutes: int = 1) -> tuple[Tier, ...]:
    """The price as tiers. `unit_minutes` is the started unit of an hourly price in a band."""
    match price:
        case Flat():
            return (Tier(0, 1, Rule("flat price", level.of(price.price), 0)),)
        case PerHour():
            return (Tier(unit_minutes * 60, None, Rule("", level.of(price.price), HOUR_SECONDS)),)
        case Ladder():
            return tuple(_ladder(price, level))
        case Progressive():
            return tuple(_progressive(price, level))
        case Slabs():
            return tuple(_slabs(price, level))


def _ladder(ladder: Ladder, level: Level) -> Iterator[Tier]:
    for number, step in enumerate(ladder.steps):
        seconds = step.minutes * 60
        order = "each started" if step.repeat else "next" if number else "first"
        rule = Rule(f"{order} {step.minutes} min", level.of(step.price), seconds)
        yield Tier(seconds, None if step.repeat else 1, rule)


def _progressive(progressive: Progressive, level: Level) -> Iterator[Tier]:
    begin = 0
    for rate in progressive.rates:
        end = rate.until_minute
        words = f"over {begin} min" if end is None else f"from {begin} to {end} min" if begin else f"up to {end} min"
        units = None if end is None else (end - begin) // progressive.unit_minutes
        rule = Rule(words, level.of(rate.per_hour), HOUR_SECONDS)
        yield Tier(progressive.unit_minutes * 60, units, rule)
        begin = end or begin


def _slabs(price: Slabs, level: Level) -> Iterator[Tier]:
    """Each slab as what it adds to the one before."""
    ends = [0, *(slab.up_to_minutes for slab in price.slabs)]
    totals = [0, *(level.of(slab.price) for slab in price.slabs)]
    for (begin, end), (before, total) in zip(pairwise(ends), pairwise(totals), strict=True):
        seconds = (end - begin) * 60
        words = f"stay of up to {end} min" if not begin else f"stay of {begin} to {end} min, what it costs more"
        yield Tier(seconds, 1, Rule(words, total - before, seconds))


def lengths(tiers: Sequence[Tier]) -> list[int | None]:
    """Where each tier ends, in seconds; None from the first that has no end."""
    spans = [None if tier.units is None or not tier.unit_seconds else tier.units * tier.unit_seconds for tier in tiers]
    return list(accumulate(spans, lambda end, span: None if end is None or span is None else end + span))


def runs_of(tiers: Sequence[Tier], start: int, end: int, prefix: str = "") -> Iterator[Run]:
    """What staying from `start` to `end` owes, the first tier beginning at `start`."""
    for tier in tiers:
        if start >= end:
            return
        rule = tier.rule._replace(words=_joined(prefix, tier.rule.words)) if prefix else tier.rule
        unit = tier.unit_seconds
        if not unit:
            yield Run(start, 0, 1, rule.shares(0), end, rule)
            return
        count = -((start - end) // unit)
        if tier.units is not None:
            count = min(count, tier.units)
        yield Run(start, unit, count, rule.shares(unit), min(end, start + count * unit), rule)
        start += count * unit


def _joined(prefix: str, words: str) -> str:
    return f"{prefix}: {words}" if words else prefix
