"""Which bay: the best free one of a kind by guidance, and what else could be had."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from autospot.domain.bay import Closure
from autospot.domain.booking.alternatives import ALTERNATIVES_LIMIT, Alternative, nearest_period
from autospot.domain.errors import Conflict
from autospot.domain.guidance import Wish, recommend
from autospot.domain.instant import to_ms
from autospot.domain.lot import Bay, BayKind
from autospot.domain.period import Period
from autospot.live import LiveLot
from autospot.services.guides import Guides
from autospot.storage.calendars import Calendars

SOON = timedelta(minutes=15)
"""A bay on which somebody stands now is not chosen for a stay that begins sooner than this."""

NEAREST_WITHIN = timedelta(days=1)
"""How far from the wanted time another one is looked for."""

BAYS_LOOKED_AT = 5
"""Bays of a kind whose calendars are read for the nearest time, where every one of them is taken."""


class Choice:
    """Chooses bays. What it says was true when it looked; only a promise makes it so."""

    def __init__(self, calendars: Calendars, guides: Guides) -> None:
        self._calendars = calendars
        self._guides = guides

    async def best(
        self, live: LiveLot, kind: BayKind, period: Period, now: datetime, *, most: int, destination: str | None = None
    ) -> Sequence[Bay]:
        """At most `most` bays of `kind` that may be had for `period`, the best first."""
        free = await self.bookable(live, period, now)
        wish = Wish(kinds=(kind,), destination=destination)
        return [each.bay for each in recommend(await self._guides.of(live.layout), free, wish, most)]

    async def bookable(self, live: LiveLot, period: Period, now: datetime) -> frozenset[str]:
        """The bays that may be had for `period`: not promised, not closed, and nobody on them if it begins soon."""
        guide = await self._guides.of(live.layout)
        taken = await self._calendars.taken(live.lot, period)
        soon = period.start <= now + SOON
        # Few bays are closed, and a lot may have thousands: what is seldom so is looked for first.
        closed = [bay.bay for bay in live.bays.values() if bay.closure is not None and _closure(live, bay.bay, period)]
        occupied = [bay.bay for bay in live.bays.values() if bay.occupied] if soon else []
        return guide.bookable.difference(taken, closed, occupied)

    async def vacant(self, live: LiveLot, period: Period) -> frozenset[str]:
        """The bays to which somebody can be sent at this moment and that can be kept for `period`. One that nobody can
        see is not vacant."""
        kept_for_others = {bay.bay for bay in live.layout.bays if not bay.bookable}
        return vacant_now(live) - await self.taken(live, period) - kept_for_others

    async def taken(self, live: LiveLot, period: Period) -> frozenset[str]:
        """The bays that are promised for some of `period`."""
        return await self._calendars.taken(live.lot, period)

    async def alternatives(
        self, live: LiveLot, bay: str | None, kind: BayKind, period: Period, now: datetime
    ) -> Sequence[Alternative]:
        """At most three: other bays of the kind at that time, and the nearest time of the bay (or of some of the kind),
        which always has a place among them."""
        others = [
            Alternative(each.bay, period)
            for each in await self.best(live, kind, period, now, most=ALTERNATIVES_LIMIT + 1)
            if each.bay != bay
        ]
        nearest = await self._nearest(live, bay, kind, period, now)
        return [*others[: ALTERNATIVES_LIMIT - len(nearest)], *nearest]

    async def _nearest(
        self, live: LiveLot, bay: str | None, kind: BayKind, period: Period, now: datetime
    ) -> Sequence[Alternative]:
        terms = live.layout.booking
        bays = [bay] if bay else [each.bay for each in live.layout.bays if each.kind == kind and each.bookable]
        found: list[Alternative] = []
        for code in bays[:BAYS_LOOKED_AT]:
            taken = [each.period for each in await self._calendars.promises(live.lot, code)]
            latest = min(period.start + NEAREST_WITHIN, now + timedelta(days=terms.horizon_days))
            earliest = max(period.start - NEAREST_WITHIN, now)
            step = timedelta(minutes=terms.step_minutes)
            nearest = nearest_period(period, taken, earliest, latest, step)
            if nearest is not None and _closure(live, code, nearest) is None:
                found.append(Alternative(code, nearest))
        return sorted(found, key=lambda each: abs(each.period.start - period.start))[:1]


def vacant_now(live: LiveLot) -> frozenset[str]:
    """The bays that are shown as free."""
    return frozenset(bay.bay for bay in live.bays.values() if bay.state == "free")


def require_open(live: LiveLot, bay: Bay, period: Period) -> None:
    """`Conflict` if the bay is not for booking, or closed for some of `period`."""
    if not bay.bookable:
        raise Conflict(f"bay {bay.bay} is kept for drivers who just come", code="not_bookable")
    closure = _closure(live, bay.bay, period)
    if closure is not None:
        raise Conflict(f"bay {bay.bay} is closed: {closure.reason}", code="bay_closed")


def _closure(live: LiveLot, bay: str, period: Period) -> Closure | None:
    closure = live.bays[bay].closure
    if closure is None or (closure.until_ms is not None and closure.until_ms <= to_ms(period.start)):
        return None
    return closure
