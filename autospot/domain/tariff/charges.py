"""What a stay is charged: the cheapest offer it may have, its runs, and what caps take off. One pure function."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

from autospot.domain.tariff.bands import BandList, owed_in, stretches
from autospot.domain.tariff.localtime import LocalCalendar
from autospot.domain.tariff.pricelist import OfferTerms, PriceList
from autospot.domain.tariff.runs import Owed, Reduction, Run, capped, pieces
from autospot.domain.tariff.tiers import runs_of
from autospot.domain.tariff.timeline import Timeline


class Charges(NamedTuple):
    """The runs in order, as they are before caps, and all reductions; `shares` is what remains, never negative."""

    offer: str
    runs: list[Run]
    reductions: list[Reduction]
    shares: int


def charges(prices: PriceList, stay: Timeline) -> Charges:
    """What the chargeable seconds of a stay owe. None of them, or a stay without any, owe nothing."""
    if not stay.seconds:
        return Charges("", [], [], 0)
    offered = [_priced(offer, prices.calendar, stay) for offer in prices.offers if offer.admits(prices.calendar, stay)]
    return min(offered, key=lambda charge: charge.shares)


def _priced(offer: OfferTerms, calendar: LocalCalendar, stay: Timeline) -> Charges:
    """Each part between restarts priced on its own, then all of it under the caps, one after the other."""
    parts = parts_of(offer, calendar, stay)
    runs = [run for part in parts for run in part.runs]
    kept = [run for part in parts for run in part.kept]
    reductions = [reduction for part in parts for reduction in part.reductions]
    for cap in offer.caps:
        rooms = cap.rooms(calendar, stay)
        kept, taken = capped(kept, rooms, stay.seconds)
        reductions += taken
        runs = [run for _, run in pieces(runs, [room.start for room in rooms])]
    return Charges(offer.name, runs, reductions, sum(run.total for run in kept))


def restarts(offer: OfferTerms, calendar: LocalCalendar, stay: Timeline) -> list[int]:
    """The offsets at which prices begin anew, 0 first, and the end of the stay last."""
    edges = (edge for cap in offer.caps if cap.restarts for edge in cap.edges(calendar, stay))
    return sorted({0, *edges, stay.seconds})


def parts_of(offer: OfferTerms, calendar: LocalCalendar, stay: Timeline) -> list[Owed]:
    """The stay between restarts, each part priced on its own."""
    edges = pairwise(restarts(offer, calendar, stay))
    if isinstance(offer.price, BandList):
        laid = stretches(offer.price, calendar, stay)
        return [owed_in(offer.price, laid, start, end) for start, end in edges]
    return [Owed(runs, runs, []) for start, end in edges for runs in [list(runs_of(offer.price, start, end))]]
