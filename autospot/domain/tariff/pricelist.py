"""A tariff made ready for reckoning: for one kind of bay, in seconds and shares, caps in the order they apply."""

from __future__ import annotations

from typing import NamedTuple
from zoneinfo import ZoneInfo

from autospot.domain.tariff.bands import BandList, band_list
from autospot.domain.tariff.localtime import LocalCalendar
from autospot.domain.tariff.model import (
    Cap,
    CheapestOf,
    Offer,
    OfferPrice,
    RollingCap,
    SessionCap,
    Tariff,
)
from autospot.domain.tariff.prices import Bands, Window
from autospot.domain.tariff.runs import SHARES, Room
from autospot.domain.tariff.tiers import Level, Tier, tiers_of
from autospot.domain.tariff.timeline import Timeline

DAY_SECONDS = 24 * 3600


class CapTerms(NamedTuple):
    """A cap of `limit` shares. `restarts` says that prices begin anew with each of its windows."""

    terms: Cap
    limit: int
    restarts: bool
    words: str

    def edges(self, calendar: LocalCalendar, stay: Timeline) -> list[int]:
        """The offsets at which its second and later windows begin."""
        match self.terms:
            case SessionCap():
                instants: list[int] = []
            case RollingCap(minutes=minutes):
                instants = list(range(stay.entry + minutes * 60, stay.exit, minutes * 60))
            case _:
                instants = calendar.midnights(stay.entry, stay.exit)
        return [stay.offset_at(instant) for instant in instants]

    def rooms(self, calendar: LocalCalendar, stay: Timeline) -> list[Room]:
        """Its windows over a stay."""
        return [Room(start, self.limit, self.words) for start in [0, *self.edges(calendar, stay)]]


class OfferTerms(NamedTuple):
    """One way to price a stay, under its own caps and those of the tariff. `name` is empty where there is only one."""

    name: str
    price: tuple[Tier, ...] | BandList
    caps: tuple[CapTerms, ...]
    entry: Window | None = None
    exit: Window | None = None
    max_stay_seconds: int | None = None

    def admits(self, calendar: LocalCalendar, stay: Timeline) -> bool:
        """True if the stay may have this offer."""
        return (
            (self.max_stay_seconds is None or stay.exit - stay.entry <= self.max_stay_seconds)
            and (self.entry is None or calendar.is_within(self.entry, stay.entry))
            and (self.exit is None or calendar.is_within(self.exit, stay.exit))
        )


class PriceList(NamedTuple):
    """All that decides an amount before discount and tax."""

    calendar: LocalCalendar
    free_seconds: int
    offers: tuple[OfferTerms, ...]


def price_list(tariff: Tariff, kind: str | None = None) -> PriceList:
    """The price list of a bay kind; a kind that the tariff does not name has the document's own prices."""
    level = Level(next((percent for named, percent in tariff.kinds.items() if named == kind), 100), tariff.currency)
    caps = _caps(tariff.caps, level)
    if isinstance(tariff.price, CheapestOf):
        offers = tuple(_offer(offer, caps, level) for offer in tariff.price.offers)
    else:
        offers = (OfferTerms("", _price(tariff.price, level), caps),)
    return PriceList(calendar_of(tariff), tariff.free_minutes * 60, offers)


def calendar_of(tariff: Tariff) -> LocalCalendar:
    """The days of the tariff's time zone and holiday calendar."""
    zone, holidays = ZoneInfo(tariff.time_zone), tariff.holidays
    if holidays is None:
        return LocalCalendar(zone)
    return LocalCalendar(
        zone, holidays.country, holidays.subdivision, frozenset(holidays.also), frozenset(holidays.except_)
    )


def _offer(offer: Offer, tariff_caps: tuple[CapTerms, ...], level: Level) -> OfferTerms:
    return OfferTerms(
        name=offer.name,
        price=_price(offer.price, level),
        caps=_caps(offer.caps, level) + tariff_caps,
        entry=offer.entry,
        exit=offer.exit,
        max_stay_seconds=None if offer.max_stay_minutes is None else offer.max_stay_minutes * 60,
    )


def _price(price: OfferPrice, level: Level) -> tuple[Tier, ...] | BandList:
    return band_list(price, level) if isinstance(price, Bands) else tiers_of(price, level)


def window_seconds(cap: Cap) -> int | None:
    """How long a window of the cap is; None for the whole session. A calendar day counts as 24 hours."""
    match cap:
        case SessionCap():
            return None
        case RollingCap(minutes=minutes):
            return minutes * 60
        case _:
            return DAY_SECONDS


def _caps(caps: tuple[Cap, ...], level: Level) -> tuple[CapTerms, ...]:
    """Shorter windows first: what a day's cap leaves is what a week's cap sees."""
    by_length = sorted(caps, key=lambda cap: (window_seconds(cap) is None, window_seconds(cap) or 0))
    return tuple(
        CapTerms(
            cap,
            level.of(cap.amount) * SHARES,
            not isinstance(cap, SessionCap) and cap.ladder_restarts,
            f"at most {level.words(cap.amount)} {_window_words(cap)}",
        )
        for cap in by_length
    )


def _window_words(cap: Cap) -> str:
    match cap:
        case SessionCap():
            return "for one stay"
        case RollingCap(minutes=minutes):
            return f"in {minutes // 60} h from entry" if minutes % 60 == 0 else f"in {minutes} min from entry"
        case _:
            return "on one calendar day"
