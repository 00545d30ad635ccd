"""Caps that make the first step a lie, and caps that nothing ever reaches."""

from __future__ import annotations

from collections.abc import Iterator
from zoneinfo import ZoneInfo

from autospot.domain.money import Money
from autospot.domain.tariff.charges import charges
from autospot.domain.tariff.lint.finding import Finding
from autospot.domain.tariff.lint.places import CapPlace, PricePlace
from autospot.domain.tariff.lint.steps import CLOCK_CHANGE_SECONDS
from autospot.domain.tariff.localtime import LocalCalendar
from autospot.domain.tariff.model import Cap, DayCap, RollingCap, SessionCap
from autospot.domain.tariff.pricelist import OfferTerms, PriceList, window_seconds
from autospot.domain.tariff.prices import Bands
from autospot.domain.tariff.runs import SHARES
from autospot.domain.tariff.tiers import Level, TierPrice, lengths, tiers_of
from autospot.domain.tariff.timeline import uncovered

_ANYWHERE = LocalCalendar(ZoneInfo("UTC"))


def cap_findings(place: PricePlace, currency: str) -> Iterator[Finding]:
    """Findings about the caps that one price is under."""
    yield from _below_first_step(place, currency)
    for position, (at, cap) in enumerate(place.caps):
        if reason := _shadow(place.caps, position) or _never_reached(place, cap, currency):
            yield Finding("cap_unreachable", f"{at}/amount", reason)


def _below_first_step(place: PricePlace, currency: str) -> Iterator[Finding]:
    level = Level(100, currency)
    for at, cap in place.caps:
        step = _first_charge(place, currency)
        if cap.amount * SHARES < step:
            yield _too_low(f"{at}/amount", cap.amount, step, currency)
    if isinstance(place.price, Bands):
        for number, band in enumerate(place.price.bands):
            step = _first_shares(band.price, level, place.price.unit_minutes)
            if band.cap is not None and band.cap * SHARES < step:
                yield _too_low(f"{place.at}/bands/{number}/cap", band.cap, step, currency)


def _first_charge(place: PricePlace, currency: str) -> int:
    """The dearest charge that a stay can begin with, in shares."""
    level = Level(100, currency)
    if isinstance(place.price, Bands):
        return max(_first_shares(band.price, level, place.price.unit_minutes) for band in place.price.bands)
    return _first_shares(place.price, level, 1)


def _first_shares(price: TierPrice, level: Level, unit_minutes: int) -> int:
    first = tiers_of(price, level, unit_minutes)[0]
    return first.rule.shares(first.unit_seconds)


def _too_low(at: str, amount: int, step: int, currency: str) -> Finding:
    first = Money(step // SHARES, currency)
    return Finding("cap_below_first_step", at, f"{Money(amount, currency)} is less than the first step, {first}")


def _shadow(caps: tuple[CapPlace, ...], position: int) -> str | None:
    """Why a cap cannot be reached because of another one whose windows hold all of its own."""
    cap = caps[position].cap
    for other, (_, wider) in enumerate(caps):
        twin = window_seconds(cap) == window_seconds(wider) and cap.amount == wider.amount and other > position
        if other != position and _lies_within(cap, wider) and cap.amount >= wider.amount and not twin:
            return "never reached: a cap on a longer or the same time allows no more"
    return None


def _lies_within(cap: Cap, wider: Cap) -> bool:
    match cap, wider:
        case _, SessionCap():
            return True
        case RollingCap(minutes=minutes), RollingCap(minutes=longer):
            return longer % minutes == 0
        case DayCap(), DayCap():
            return True
        case _:
            return False


def _never_reached(place: PricePlace, cap: Cap, currency: str) -> str | None:
    """Why the price stays below the cap all through its window. Only where every window is priced alike."""
    if isinstance(place.price, Bands):
        return None
    tiers = tiers_of(place.price, Level(100, currency))
    match cap:
        case SessionCap():
            ends = lengths(tiers)[-1] if tiers[-1].unit_seconds else 1
            longest = ends if place.restarts_seconds is None else None
        case RollingCap(minutes=minutes, ladder_restarts=True):
            longest = minutes * 60
        case DayCap(ladder_restarts=True):
            longest = 24 * 3600 + CLOCK_CHANGE_SECONDS
        case _:
            longest = None
    if longest is None:
        return None
    alone = PriceList(_ANYWHERE, 0, (OfferTerms("", tiers, ()),))
    most = charges(alone, uncovered(0, longest)).shares
    if most > cap.amount * SHARES:
        return None
    return f"never reached: its time costs at most {Money(most // SHARES, currency)}"
