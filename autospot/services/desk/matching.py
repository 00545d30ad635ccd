"""Matching: drivers who ask for a bay at the same moment are dealt bays together, and each bay is promised.

asked -> gathered for `GATHER_SECONDS` -> dealt out (the cheapest way for all of them together) -> promised, each bay in
its calendar. Somebody else, a booking or another process, may have been quicker with one: who lost it is dealt another.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from autospot.clock import Clock
from autospot.domain.assignment import KEPT_FOR, promised_period
from autospot.domain.booking.alternatives import BayTaken, Promise
from autospot.domain.errors import AutoSpotError, Conflict, Unavailable
from autospot.domain.guidance import MATCH_LIMIT, Wish, match_drivers
from autospot.domain.lot import Bay
from autospot.domain.period import Period
from autospot.live import LiveLot
from autospot.services.desk.booking import LotOf
from autospot.services.desk.choice import Choice, require_open
from autospot.services.desk.keeper import ROUNDS, Keeper
from autospot.services.guides import Guides

GATHER_SECONDS = 0.05
"""How long the first of several drivers waits for the others. Nobody behind a wheel notices it."""

WAITING_LIMIT = 512
"""Drivers who may wait for a bay of one lot at a time; the next is told to try again."""


@dataclass(frozen=True, slots=True)
class Matched:
    """A bay, and the promise that keeps it."""

    bay: Bay
    promise: Promise


@dataclass(frozen=True, slots=True, eq=False)
class _Asking:
    """A driver who waits: `ref` is what the bay will be promised to."""

    wish: Wish
    ref: str
    answer: asyncio.Future[Matched]


class Matching:
    """Finds bays for drivers who are on their way, for those of one lot together.

    Guarantees: no two drivers get one bay, in whatever processes they ask, since a bay is had by its calendar alone.
    Of those who are gathered (`MATCH_LIMIT` at a time, in the order in which they asked) as many as possible get a bay
    and their ways together are the shortest possible; what is dealt out before is not changed any more, so a lot that
    is asked by more drivers at once, or through several processes, may miss the best for all of them by what the later
    ones must walk further. One round per lot at a time. `WAITING_LIMIT` drivers wait at most.
    """

    def __init__(
        self,
        lot_of: LotOf,
        guides: Guides,
        choice: Choice,
        keeper: Keeper,
        clock: Clock,
        gather_seconds: float = GATHER_SECONDS,
    ) -> None:
        self._lot_of = lot_of
        self._guides = guides
        self._choice = choice
        self._keeper = keeper
        self._clock = clock
        self._gather_seconds = gather_seconds
        self._waiting: dict[str, list[_Asking]] = {}
        self._rounds: dict[str, asyncio.Task[None]] = {}

    async def bay_for(self, lot: str, wish: Wish, ref: str) -> Matched:
        """A bay for `wish`, promised to `ref` for the time of an assignment that is made now. `BayTaken` if there is
        none, `NotFound` for an entrance or destination that is not there."""
        guide = await self._guides.of(self._lot_of(lot).layout)
        guide.drive_metres(wish.entrance, wish.height_metres)
        guide.walk_metres(wish.destination, step_free=wish.step_free)
        waiting = self._waiting.setdefault(lot, [])
        if len(waiting) >= WAITING_LIMIT:
            raise Unavailable("too many ask for a bay here at this moment: try again")
        asking = _Asking(wish, ref, asyncio.get_running_loop().create_future())
        waiting.append(asking)
        if lot not in self._rounds:
            self._rounds[lot] = asyncio.create_task(self._serve(lot))
        return await asking.answer

    async def _serve(self, lot: str) -> None:
        """Deals bays out until nobody waits. Those who ask while a round is made are the next round."""
        await asyncio.sleep(self._gather_seconds)
        while waiting := self._waiting.pop(lot, None):
            group, rest = waiting[:MATCH_LIMIT], waiting[MATCH_LIMIT:]
            if rest:
                self._waiting[lot] = rest
            try:
                await self._deal(lot, group)
            except Exception as error:  # noqa: BLE001 - told to everybody who waits for it
                _refuse(group, error)
        del self._rounds[lot]

    async def _deal(self, lot: str, group: Sequence[_Asking]) -> None:
        now = self._clock.now()
        live = self._lot_of(lot)
        period = promised_period(Period(now, now + KEPT_FOR), live.layout.booking)
        guide = await self._guides.of(live.layout)
        lost: set[str] = set()
        for _ in range(ROUNDS):
            vacant = await self._choice.vacant(live, period) - lost
            dealt = await asyncio.to_thread(match_drivers, guide, vacant, [asking.wish for asking in group])
            pairs = [(asking, each.bay if each else None) for asking, each in zip(group, dealt, strict=True)]
            await self._refuse_the_rest(live, period, [asking for asking, bay in pairs if bay is None])
            await asyncio.gather(*(self._keep(live, asking, bay, period) for asking, bay in pairs if bay is not None))
            lost |= {bay.bay for asking, bay in pairs if bay is not None and not asking.answer.done()}
            group = [asking for asking in group if not asking.answer.done()]
            if not group:
                return
        _refuse(group, Unavailable("others are quicker at this moment: try again"))

    async def _keep(self, live: LiveLot, asking: _Asking, bay: Bay, period: Period) -> None:
        """Promises the bay and says so; leaves the driver waiting if it cannot be had any more."""
        promise = Promise(asking.ref, period, period.start)
        try:
            require_open(live, bay, period)
            await self._keeper.take(live.lot, bay.bay, promise)
        except Conflict:
            return
        except AutoSpotError as error:
            _refuse([asking], error)
            return
        if not asking.answer.done():  # else the driver is gone, and the sweep gives the bay back
            asking.answer.set_result(Matched(bay, promise))

    async def _refuse_the_rest(self, live: LiveLot, period: Period, rest: Sequence[_Asking]) -> None:
        for kind in {asking.wish.kinds[0] for asking in rest}:
            others = await self._choice.alternatives(live, None, kind, period, period.start)
            refusal = BayTaken(f"no {kind} bay is free at this moment", alternatives=others)
            _refuse([asking for asking in rest if asking.wish.kinds[0] == kind], refusal)


def _refuse(group: Sequence[_Asking], error: Exception) -> None:
    for asking in group:
        if not asking.answer.done():
            asking.answer.set_exception(error)
