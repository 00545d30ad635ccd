"""Cars that come, stay and go: the truth that sensors then report well or badly."""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sensors_sim.demand import HOURS_PER_WEEK, LONGEST_STAY_HOURS, Use, arrivals_per_bay_hour, stay_of
from sensors_sim.lots import Lot

HOUR_MS = 3_600_000
SHORTEST_STAY_MS = 60_000
LONGEST_STAY_MS = LONGEST_STAY_HOURS * HOUR_MS
WARM_UP_MS = LONGEST_STAY_MS
"""The world begins empty this long before it is first looked at: nobody who came even earlier would still be there."""


class BayId(NamedTuple):
    lot: str
    bay: str


@dataclass(frozen=True, slots=True)
class Transition:
    """A car took or left a bay at this millisecond since the Unix epoch."""

    at_ms: int
    bay: BayId
    occupied: bool


@dataclass(slots=True)
class _Pool:
    """The bays of one kind in one lot, which share their demand."""

    zone: ZoneInfo
    rng: Random
    rates: tuple[float, ...]
    """Arrivals per hour for the whole pool, by local hour of the week."""
    peak_rate: float
    stay_log_median_ms: float
    stay_sigma: float
    free: list[BayId] = field(default_factory=list)


class World:
    """The bays of several lots over time.

    Guarantees: the transitions depend on the lots, the seed and `start_ms` alone, not on the wall clock nor on the
    steps in which `advance` is called; they come in the order of time; a bay's transitions alternate; lots and kinds of
    bay have their own random numbers, so that another lot changes nothing in this one; memory is bounded by the number
    of bays. Arrivals are drawn by thinning (Lewis and Shedler 1979): candidates at the week's highest rate, each kept
    with the share that its hour has of it. A car takes a random free bay of its kind; if there is none it drives on,
    counted in `turned_away`.
    """

    def __init__(self, lots: Iterable[Lot], uses: Mapping[str, Use], *, seed: int, start_ms: int) -> None:
        self.turned_away = 0
        self._taken: dict[BayId, bool] = {}
        self._queue: list[tuple[int, int, _Pool, BayId | None]] = []
        self._entered = 0
        began_ms = start_ms - WARM_UP_MS
        for lot in lots:
            for pool in _pools(lot, uses[lot.code], seed):
                self._taken |= dict.fromkeys(pool.free, False)
                if pool.peak_rate > 0:
                    self._expect_arrival(pool, began_ms)
        self.advance(start_ms)
        self.turned_away = 0

    @property
    def occupied(self) -> Mapping[BayId, bool]:
        """Every bay, and whether a car stands on it at the time that was last advanced to."""
        return self._taken

    @property
    def next_ms(self) -> float:
        """When something may happen next; infinity if never."""
        return self._queue[0][0] if self._queue else math.inf

    def advance(self, to_ms: int) -> list[Transition]:
        """Everything that happens up to and including `to_ms`."""
        happened: list[Transition] = []
        while self._queue and self._queue[0][0] <= to_ms:
            at_ms, _, pool, leaving = heapq.heappop(self._queue)
            bay = self._arrive(pool, at_ms) if leaving is None else self._leave(pool, leaving)
            if bay is not None:
                happened.append(Transition(at_ms, bay, leaving is None))
        return happened

    def _arrive(self, pool: _Pool, at_ms: int) -> BayId | None:
        rate = pool.rates[hour_of_week(at_ms, pool.zone)]
        wanted = pool.rng.random() * pool.peak_rate < rate
        self._expect_arrival(pool, at_ms)
        if not wanted:
            return None
        if not pool.free:
            self.turned_away += 1
            return None
        chosen = pool.rng.randrange(len(pool.free))
        pool.free[chosen], pool.free[-1] = pool.free[-1], pool.free[chosen]
        bay = pool.free.pop()
        stay_ms = pool.rng.lognormvariate(pool.stay_log_median_ms, pool.stay_sigma)
        self._enter(at_ms + round(min(max(stay_ms, SHORTEST_STAY_MS), LONGEST_STAY_MS)), pool, bay)
        self._taken[bay] = True
        return bay

    def _leave(self, pool: _Pool, bay: BayId) -> BayId:
        pool.free.append(bay)
        self._taken[bay] = False
        return bay

    def _expect_arrival(self, pool: _Pool, after_ms: int) -> None:
        gap_hours = pool.rng.expovariate(pool.peak_rate)
        self._enter(after_ms + max(1, round(gap_hours * HOUR_MS)), pool, None)

    def _enter(self, at_ms: int, pool: _Pool, leaving: BayId | None) -> None:
        self._entered += 1  # breaks ties by the order of entry, so that the order never depends on object addresses
        heapq.heappush(self._queue, (at_ms, self._entered, pool, leaving))


def hour_of_week(at_ms: int, zone: ZoneInfo) -> int:
    """The local hour 0..167 of an instant; 0 is Monday, midnight to one."""
    local = datetime.fromtimestamp(at_ms / 1000, zone)
    return (local.weekday() * 24 + local.hour) % HOURS_PER_WEEK


def _pools(lot: Lot, use: Use, seed: int) -> Iterable[_Pool]:
    by_kind: dict[str, list[BayId]] = {}
    for bay in lot.bays:
        by_kind.setdefault(bay.kind, []).append(BayId(lot.code, bay.code))
    for kind, bays in by_kind.items():
        stay = stay_of(use, kind)
        rates = tuple(rate * len(bays) for rate in arrivals_per_bay_hour(use, kind))
        yield _Pool(
            zone=lot.zone,
            rng=Random(f"{seed}/{lot.code}/{kind}"),
            rates=rates,
            peak_rate=max(rates),
            stay_log_median_ms=math.log(stay.median_minutes * 60_000),
            stay_sigma=stay.sigma,
            free=bays,
        )
