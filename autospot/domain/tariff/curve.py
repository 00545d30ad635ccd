"""The price as a function of the length of stay, for one entry: only the points at which it changes.

Why that is exact without trying every second: between two *events* the price cannot change, because all that it is
made of stays the same. Events are the second after a unit begins (a charge is owed once its unit has begun), the second
after a band or a cap's window begins, every whole unit under session rounding, the edges of an offer's exit window, the
end of its longest stay, and the end of free minutes. All of them are known from the rules; the price is reckoned at
each, and equal neighbours are dropped.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import chain, pairwise

from autospot.domain.errors import InvalidInput
from autospot.domain.period import Period
from autospot.domain.tariff.bands import BandList, stretches
from autospot.domain.tariff.charges import parts_of, restarts
from autospot.domain.tariff.localtime import LocalCalendar
from autospot.domain.tariff.model import Tariff
from autospot.domain.tariff.pricelist import OfferTerms, PriceList, price_list
from autospot.domain.tariff.quote import fee
from autospot.domain.tariff.timeline import Timeline, timeline, uncovered

EVENTS_LIMIT = 25_000
"""Most events of one curve: two weeks by the minute. A longer curve is an `InvalidInput`."""


def curve(tariff: Tariff, entry: datetime, until: datetime, *, kind: str | None = None) -> list[tuple[int, int]]:
    """`(elapsed_seconds, amount)` for stays from `entry` that end by `until`: a stay of that many seconds, or of more
    up to the next point, costs this total in minor units. The first point is a stay of one second.
    """
    prices, longest = price_list(tariff, kind), timeline(Period(entry, until))
    points: list[tuple[int, int]] = []
    for elapsed in events(prices, longest):
        amount = fee(tariff, prices, uncovered(longest.entry, longest.entry + elapsed))
        if not points or points[-1][1] != amount:
            points.append((elapsed, amount))
    return points


def events(prices: PriceList, longest: Timeline) -> list[int]:
    """Every length of stay, up to the longest, at which the price may differ from that of one second less."""
    found = {1, prices.free_seconds + 1}
    for event in chain.from_iterable(_events_of(offer, prices.calendar, longest) for offer in prices.offers):
        if len(found) > EVENTS_LIMIT:
            raise InvalidInput(f"a curve has at most {EVENTS_LIMIT} events; ask for fewer hours", at="/until")
        found.add(event)
    return sorted(event for event in found if 0 < event <= longest.seconds)


def _events_of(offer: OfferTerms, calendar: LocalCalendar, longest: Timeline) -> Iterator[int]:
    if isinstance(offer.price, BandList) and offer.price.scope == "session":
        for start, end in pairwise(restarts(offer, calendar, longest)):
            yield from range(start + 1, end + 1, offer.price.unit_seconds)
        for stretch in stretches(offer.price, calendar, longest):
            yield stretch.start + 1
    else:
        for run in chain.from_iterable(part.runs for part in parts_of(offer, calendar, longest)):
            for unit in range(run.units):
                yield run.start + unit * run.unit_seconds + 1
    for cap in offer.caps:
        yield from (edge + 1 for edge in cap.edges(calendar, longest))
    if offer.max_stay_seconds is not None:
        yield offer.max_stay_seconds + 1
    if offer.exit is not None:
        for edges in calendar.occurrences(offer.exit, longest.entry, longest.exit + 1):
            yield from (edge - longest.entry for edge in edges)
