"""Offers bound to clock times: flat prices without end, and prices that drop when an exit window opens."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from autospot.domain.money import Money
from autospot.domain.tariff.explain import duration_text, local_text
from autospot.domain.tariff.lint.finding import Finding
from autospot.domain.tariff.lint.places import PricePlace
from autospot.domain.tariff.localtime import DAY, LocalCalendar, in_utc
from autospot.domain.tariff.model import DayCap, Offer, Tariff
from autospot.domain.tariff.pricelist import DAY_SECONDS, PriceList, price_list
from autospot.domain.tariff.prices import EVERY_DAY, MINUTES_LIMIT, Bands, Flat, Window
from autospot.domain.tariff.quote import fee
from autospot.domain.tariff.timeline import uncovered

HORIZON_DAYS = 8
"""How far back from an opening an entry is looked for."""


def offer_findings(tariff: Tariff, places: Sequence[PricePlace]) -> Iterator[Finding]:
    """Findings about each offer of a tariff that has several."""
    for place in places:
        offer = place.offer
        if offer is None:
            continue
        at = place.at.removesuffix("/price")
        if _unlimited(offer, place):
            message = f"{offer.name!r} is one price for stays of any length: max_stay_minutes is missing"
            yield Finding("offer_unlimited", at, message)
        if offer.exit is not None:
            yield from _drop(tariff, offer, offer.exit, at, places)


def _unlimited(offer: Offer, place: PricePlace) -> bool:
    bound = offer.entry is not None or offer.exit is not None
    endless = offer.max_stay_minutes is None and place.restarts_seconds is None
    return bound and endless and isinstance(offer.price, Flat)


def _drop(tariff: Tariff, offer: Offer, window: Window, at: str, places: Sequence[PricePlace]) -> Iterator[Finding]:
    """Whether the price falls at the opening of the exit window.

    The opening is tried on the days of a week and after every change of the clocks in a year, with the entries that
    matter, for every price level. If no fall shows, that is a proof where the offer is one price and the others depend
    on the length of stay alone, since the longest stay is among those tried; elsewhere the finding says that a fall was
    not found and cannot be ruled out.
    """
    for prices, entry, opening in _trials(tariff, offer, window, places):
        before, after = (fee(tariff, prices, uncovered(entry, leave)) for leave in (opening - 1, opening))
        if after < before:
            begun = local_text(in_utc(entry).astimezone(prices.calendar.zone))
            message = (
                f"for entry at {begun}, a stay of {duration_text(opening - entry - 1)} costs "
                f"{Money(before, tariff.currency)} and one second more {Money(after, tariff.currency)}"
            )
            yield Finding("price_falls", f"{at}/exit", message)
            return
    if not _decidable(tariff, offer, places):
        message = "no fall of the price was found when this window opens, but none can be ruled out"
        yield Finding("price_may_fall", f"{at}/exit", message)


def _trials(
    tariff: Tariff, offer: Offer, window: Window, places: Sequence[PricePlace]
) -> Iterator[tuple[PriceList, int, int]]:
    """Price lists, entries and openings to try."""
    for kind in (None, *tariff.kinds):
        prices = price_list(tariff, kind)
        for opening in _openings(tariff, prices.calendar, window):
            for entry in _entries(prices.calendar, offer, opening, places):
                yield prices, entry, opening


def _openings(tariff: Tariff, calendar: LocalCalendar, window: Window) -> Iterator[int]:
    for day in _days(tariff.valid_from, calendar):
        if calendar.day_of(day) in window.days:
            yield calendar.first_instant(day, window.from_)


def _days(valid_from: date, calendar: LocalCalendar) -> list[date]:
    """A week, and as much after each change of the clocks in the year that follows."""
    week = [timedelta(days=number) for number in range(HORIZON_DAYS)]
    year = [valid_from + timedelta(days=number) for number in range(HORIZON_DAYS, HORIZON_DAYS + 365)]
    changes = [day for day in year if calendar.first_instant(day + DAY) - calendar.first_instant(day) != DAY_SECONDS]
    return sorted({day + further for day in (year[0], *changes) for further in week})


def _entries(calendar: LocalCalendar, offer: Offer, opening: int, places: Sequence[PricePlace]) -> Iterator[int]:
    """Entries at which a stay until the opening may have the offer; of each window of entry the earliest one first."""
    longest = min((offer.max_stay_minutes or MINUTES_LIMIT) * 60, HORIZON_DAYS * DAY_SECONDS)
    earliest, latest = opening - longest, opening - 2
    entered = [(earliest, opening)]
    if offer.entry is not None:
        entered = list(calendar.occurrences(offer.entry, earliest, opening))
    bands = [band for place in places if isinstance(place.price, Bands) for band in place.price.bands]
    edges = sorted({edge for band in bands for each in calendar.occurrences(band, earliest, opening) for edge in each})
    for begin, end in reversed(entered):
        start, last = max(begin, earliest), min(end - 1, latest)
        yield from (entry for entry in (start, *edges, last) if start <= entry <= last)


def _decidable(tariff: Tariff, offer: Offer, places: Sequence[PricePlace]) -> bool:
    """True if a week of openings holds the longest stay, and the price of it and of all shorter ones is known by it."""
    others = [place.offer for place in places if place.offer is not None and place.offer != offer]
    windows = [window for window in (offer.entry, offer.exit) if window is not None]
    return (
        isinstance(offer.price, Flat)
        and offer.max_stay_minutes is not None
        and offer.max_stay_minutes * 60 < HORIZON_DAYS * DAY_SECONDS
        and all(other.entry is None and other.exit is None for other in others)
        and not any(isinstance(place.price, Bands) for place in places)
        and not any(isinstance(cap, DayCap) for place in places for _, cap in place.caps)
        and all(place.restarts_seconds is None for place in places if place.offer == offer)
        and (tariff.holidays is None or all(set(window.days) == set(EVERY_DAY) for window in windows))
    )
