"""What a new tariff would have made of stays that are over: for whoever is about to put it into force."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from autospot.domain.errors import NotFound
from autospot.domain.period import Period
from autospot.domain.tariff.book import TariffBook
from autospot.domain.tariff.model import Tariff
from autospot.domain.tariff.quote import quote

EXAMPLES_LIMIT = 20
"""Stays that are named: those whose fee changes most."""


@dataclass(frozen=True, slots=True)
class Compared:
    """One stay under both: fees in minor units. `before` is None where no version was valid at its entry."""

    period: Period
    kind: str | None
    before: int | None
    after: int

    @property
    def difference(self) -> int:
        """How much dearer the stay would have been; a stay without a fee before cost nothing."""
        return self.after - (self.before or 0)


@dataclass(frozen=True, slots=True)
class Preview:
    """All stays together, in minor units, and the ones that change most. Prices as stated: no subscription, package or
    discount counts."""

    stays: int
    before: int
    after: int
    dearer: int
    cheaper: int
    examples: tuple[Compared, ...]


def preview(book: TariffBook | None, tariff: Tariff, stays: Iterable[tuple[Period, str | None]]) -> Preview:
    """Every stay priced by the version of `book` that was valid at its entry, and by `tariff` whatever it says of its
    own validity. `InvalidInput` for a stay that cannot be priced."""
    compared = [_compared(book, tariff, period, kind) for period, kind in stays]
    most = sorted(compared, key=lambda each: (-abs(each.difference), each.period))[:EXAMPLES_LIMIT]
    return Preview(
        stays=len(compared),
        before=sum(each.before or 0 for each in compared),
        after=sum(each.after for each in compared),
        dearer=sum(each.difference > 0 for each in compared),
        cheaper=sum(each.difference < 0 for each in compared),
        examples=tuple(most),
    )


def _compared(book: TariffBook | None, tariff: Tariff, period: Period, kind: str | None) -> Compared:
    after = quote(tariff, period, kind=kind).total.amount
    try:
        before = None if book is None else quote(book.valid_at(period.start), period, kind=kind).total.amount
    except NotFound:
        before = None
    return Compared(period, kind, before, after)


def last_month(now: datetime, time_zone: str) -> Period:
    """The calendar month before the one that `now` (aware) lies in, on the lot's clock."""
    zone = ZoneInfo(time_zone)
    first = now.astimezone(zone).replace(day=1, hour=0, minute=0, second=0, microsecond=0, fold=0)
    before = (first - timedelta(days=1)).replace(day=1)
    return Period(before.astimezone(UTC), first.astimezone(UTC))


def usual_stays(now: datetime, time_zone: str) -> Sequence[tuple[Period, None]]:
    """Stays to look at where there were none: from 20 minutes to three days, entered at 8, 13 and 20 o'clock on a
    Wednesday and a Sunday of the last two weeks."""
    today = now.astimezone(ZoneInfo(time_zone)).replace(minute=0, second=0, microsecond=0, fold=0)
    sunday = today - timedelta(days=today.isoweekday())
    entries = [
        day.replace(hour=hour).astimezone(UTC) for day in (sunday - timedelta(days=4), sunday) for hour in (8, 13, 20)
    ]
    minutes = (20, 60, 120, 240, 540, 1440, 4320)
    return [(Period(entry, entry + timedelta(minutes=each)), None) for entry in entries for each in minutes]
