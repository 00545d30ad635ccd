"""What is wrong with a tariff that is well-formed.

A price falls when one stays longer only under two rules, so only these two are examined, each exactly:

- Session rounding, where a band is followed by one in which the rounded-up time costs less (`week.drops`): decided for
  all entries at once.
- An offer with an exit window, which the stay may have from the window's opening on (`offers`): decided by reckoning
  both sides of the opening where that is a proof, and reported as undecided where it is not.

Everything else only ever adds. A charge is owed from the second its unit begins and none depends on the exit; a cap
keeps a sum from growing and never takes from it; slabs are refused unless they rise; an offer that a stay outgrows (its
longest stay, its closing window) leaves the dearer ones; the least of rising prices rises; free minutes come first; and
rounding, VAT and discounts keep the order. A tariff without `price_falls` and `price_may_fall` is therefore monotone.
"""

from __future__ import annotations

from collections.abc import Iterator

from autospot.domain.tariff.lint import week
from autospot.domain.tariff.lint.caps import cap_findings
from autospot.domain.tariff.lint.finding import Finding
from autospot.domain.tariff.lint.offers import offer_findings
from autospot.domain.tariff.lint.places import PricePlace, places_of
from autospot.domain.tariff.lint.steps import step_findings
from autospot.domain.tariff.model import DayCap, Tariff
from autospot.domain.tariff.prices import Bands
from autospot.domain.tariff.tiers import Level

__all__ = ["Finding", "lint"]


def lint(tariff: Tariff) -> list[Finding]:
    """All findings, in the order of the document; those that it accepts are marked, not left out."""
    places = places_of(tariff)
    found = [finding for place in places for finding in _about(place, tariff)] + list(offer_findings(tariff, places))
    distinct = sorted(set(found), key=lambda finding: (finding.at, finding.code, finding.message))
    return [finding._replace(accepted=finding.code in tariff.accepts) for finding in distinct]


def _about(place: PricePlace, tariff: Tariff) -> Iterator[Finding]:
    yield from step_findings(place, tariff.currency)
    yield from cap_findings(place, tariff.currency)
    if isinstance(place.price, Bands):
        days = week.days_of(place.price, holidays=tariff.holidays is not None)
        anew = any(isinstance(cap, DayCap) and cap.ladder_restarts for _, cap in place.caps)
        yield from week.gaps(place.at, days)
        yield from week.overlaps(place.price, place.at, days)
        yield from week.unreachable(place.price, place.at, days)
        levels = [Level(percent, tariff.currency) for percent in {100, *tariff.kinds.values()}]
        yield from week.drops(place.price, place.at, days, anew_at_midnight=anew, levels=levels)
