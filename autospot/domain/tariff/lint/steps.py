"""Prices by length of stay: steps that no stay reaches, and ends after which nothing is owed."""

from __future__ import annotations

from collections.abc import Iterator

from autospot.domain.tariff.lint.finding import Finding
from autospot.domain.tariff.lint.places import PricePlace
from autospot.domain.tariff.prices import Bands
from autospot.domain.tariff.tiers import Level, TierPrice, lengths, tiers_of

CLOCK_CHANGE_SECONDS = 2 * 3600
"""No day or band becomes longer by more than this when clocks are set back."""

_ROWS = {"ladder": "steps", "progressive": "rates", "slabs": "slabs"}


def step_findings(place: PricePlace, currency: str) -> Iterator[Finding]:
    """Findings about one price, or about each price of its bands."""
    restarts = place.restarts_seconds
    if not isinstance(place.price, Bands):
        yield from _findings(place.price, place.at, restarts, currency)
        return
    for number, band in enumerate(place.price.bands):
        length = (band.end_minute - band.from_) * 60
        reach = length if restarts is None else min(length, restarts)
        yield from _findings(band.price, f"{place.at}/bands/{number}/price", reach, currency)


def _findings(price: TierPrice, at: str, reach: int | None, currency: str) -> Iterator[Finding]:
    """`reach` is how many seconds the price runs before it begins anew or ends; None for as long as one stays."""
    if price.type not in _ROWS:
        return
    ends = lengths(tiers_of(price, Level(100, currency)))
    for number, start in enumerate([0, *ends[:-1]]):
        row = f"{at}/{_ROWS[price.type]}/{number}"
        if start is None:
            yield Finding("step_unreachable", row, "nobody reaches this step: the one before repeats without end")
        elif reach is not None and start >= reach + CLOCK_CHANGE_SECONDS:
            message = (
                f"nobody reaches this step: it begins after {start // 60} min, the price anew after {reach // 60} min"
            )
            yield Finding("step_unreachable", row, message)
    last = ends[-1]
    if last is not None and (reach is None or last < reach):
        message = f"nothing is owed for time beyond {last // 60} min: no step says what it costs"
        yield Finding("open_end", f"{at}/{_ROWS[price.type]}", message)
