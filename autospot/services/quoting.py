"""Quotes for drivers: what a stay will cost this driver, before anything is promised."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from autospot.domain.errors import InvalidInput, NotFound
from autospot.domain.lot import BayKind
from autospot.domain.period import Period
from autospot.domain.tariff import Quote, quote
from autospot.live import LiveLot
from autospot.services.desk.till import CoverageOf, Packages, TariffsOf, no_coverage

QUOTE_LIMIT: Final = timedelta(days=92)
"""Longest stay that is quoted on request. Bookings reach 90 days; the most intricate tariff takes 0.3 s for as long."""


@dataclass(frozen=True, slots=True)
class Quoted:
    """What was asked, and the quote; None where parking is free of charge at that time."""

    lot: str
    bay: str | None
    kind: BayKind
    period: Period
    quote: Quote | None


class Quoting:
    """Quotes stays by the version of the lot's tariff that is valid at their beginning, by the function that settles
    them."""

    def __init__(
        self,
        lot_of: Callable[[str], LiveLot],
        tariffs: TariffsOf,
        coverage: CoverageOf = no_coverage,
        packages: Packages | None = None,
    ) -> None:
        self._lot_of = lot_of
        self._tariffs = tariffs
        self._coverage = coverage
        self._packages = packages

    def require_lot(self, lot: str) -> None:
        """`NotFound` for an unknown lot."""
        self._lot_of(lot)

    async def quote(self, owner: str, lot: str, bay: str | None, kind: BayKind | None, period: Period) -> Quoted:
        """The quote of a stay of `owner`. `NotFound` for an unknown lot or bay, `InvalidInput` for a stay that cannot
        be priced, or a kind that is not the bay's."""
        if period.duration > QUOTE_LIMIT:
            raise InvalidInput(f"at most {QUOTE_LIMIT.days} days are quoted", at="/until")
        found = _kind_of(self._lot_of(lot), bay, kind)
        book = await self._tariffs(lot)
        try:
            tariff = None if book is None else book.valid_at(period.start)
        except NotFound:  # none is valid yet: free of charge until then
            tariff = None
        if tariff is None:
            return Quoted(lot, bay, found, period, None)
        quoted = quote(
            tariff,
            period,
            kind=found,
            coverage=await self._coverage(owner, lot, found, period),
            package_seconds=await self._package_seconds(owner, lot, found, period),
        )
        return Quoted(lot, bay, found, period, quoted)

    async def _package_seconds(self, owner: str, lot: str, kind: BayKind, period: Period) -> int:
        return await self._packages.package_seconds(owner, lot, kind, period) if self._packages else 0


def _kind_of(lot: LiveLot, bay: str | None, kind: BayKind | None) -> BayKind:
    if bay is None:
        return kind or "general"
    live = lot.bays.get(bay)
    if live is None:
        raise NotFound("there is no such bay")
    found = lot.layout.bays[live.number].kind
    if kind is not None and kind != found:
        raise InvalidInput(f"bay {bay} is of the kind {found}", at="/kind")
    return found
