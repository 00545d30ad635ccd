"""What the sensors notice of the world: one report at start, one for each change, one each heartbeat."""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sensors_sim.faults import BOUNCE_MS, Fault, SensorFaults
from sensors_sim.lots import Lot, Sensor
from sensors_sim.reading import Kind, Reading
from sensors_sim.world import BayId, Transition

MINUTE_MS = 60_000
BATTERY_LIFE_MS = 5 * 365 * 24 * 60 * MINUTE_MS
NEARLY_EMPTY = 0.02


class _Bounce(NamedTuple):
    """A change that a flapping sensor will say; void once the bay has changed again."""

    occupied: bool
    change: int


@dataclass(slots=True)
class _Mounted:
    """A sensor in its bay: what it believes, and what it needs to say so."""

    bay: BayId
    sensor: Sensor
    zone: ZoneInfo
    rng: Random
    heartbeat_ms: int
    believes: bool
    since_ms: int
    stuck: bool
    dies_ms: float
    charge: float
    rssi: int
    warmer: float
    seq: int = 0
    changes: int = 0


class Sensors:
    """Every sensor of several lots.

    Guarantees: readings come in the order of time and each sensor counts its own without a gap (`seq` from 1, within
    the run's `boot`); they depend on the seed, the transitions and the rates alone, not on the steps in which `advance`
    is called. A sensor without faults reports the truth: at start, at once when it changes, and every
    `heartbeat_seconds` (its own, where the lot file gives one). Memory is bounded by the number of sensors.
    """

    def __init__(
        self,
        lots: Iterable[Lot],
        occupied: Mapping[BayId, bool],
        faults: SensorFaults,
        *,
        seed: int,
        start_ms: int,
        boot: int,
        heartbeat_seconds: int,
    ) -> None:
        self._faults = faults
        self._boot = boot
        self._start_ms = start_ms
        self._queue: list[tuple[int, int, _Mounted, _Bounce | None]] = []
        self._entered = 0
        self._by_bay: dict[BayId, _Mounted] = {}
        for lot in lots:
            for bay in lot.bays:
                bay_id = BayId(lot.code, bay.code)
                self._by_bay[bay_id] = self._mount(
                    bay_id,
                    bay.sensor,
                    lot.zone,
                    occupied[bay_id],
                    Random(f"{seed}/{lot.code}/{bay.code}/sensor"),
                    heartbeat_seconds,
                )

    @property
    def next_ms(self) -> float:
        """When a sensor may speak next without a change; infinity if never."""
        return self._queue[0][0] if self._queue else math.inf

    def condition(self, bay: BayId) -> Fault | None:
        """What is lastingly wrong with the bay's sensor."""
        mounted = self._by_bay[bay]
        if mounted.stuck:
            return "stuck"
        return "dead_battery" if mounted.dies_ms < math.inf else None

    def start(self) -> list[Reading]:
        """The first word of every sensor. Heartbeats follow from a random phase on, so that they never come at once."""
        for mounted in self._by_bay.values():
            self._enter(self._start_ms + mounted.rng.randint(1, mounted.heartbeat_ms), mounted, None)
        return [self._say(mounted, self._start_ms, "startup") for mounted in self._by_bay.values()]

    def advance(self, transitions: Iterable[Transition], to_ms: int) -> list[Reading]:
        """Everything said up to and including `to_ms`, given all that happened since the last call, in order."""
        said: list[Reading] = []
        for transition in transitions:
            self._speak_until(transition.at_ms - 1, said)
            self._notice(self._by_bay[transition.bay], transition, said)
        self._speak_until(to_ms, said)
        return said

    def _notice(self, mounted: _Mounted, transition: Transition, said: list[Reading]) -> None:
        mounted.changes += 1
        bounces = self._faults.bounces()
        if mounted.stuck:
            self._faults.count["stuck"] += 1
            return
        if self._is_dead(mounted, transition.at_ms):
            return
        self._change(mounted, transition.occupied, transition.at_ms, said)
        if bounces:
            self._faults.count["flapping"] += 1
            for n, occupied in enumerate((not transition.occupied, transition.occupied), start=1):
                self._enter(transition.at_ms + n * BOUNCE_MS, mounted, _Bounce(occupied, mounted.changes))

    def _speak_until(self, to_ms: int, said: list[Reading]) -> None:
        while self._queue and self._queue[0][0] <= to_ms:
            at_ms, _, mounted, bounce = heapq.heappop(self._queue)
            if bounce is None:
                self._enter(at_ms + mounted.heartbeat_ms, mounted, None)
                if not self._is_dead(mounted, at_ms):
                    said.append(self._say(mounted, at_ms, "heartbeat"))
            elif bounce.change == mounted.changes and not self._is_dead(mounted, at_ms):
                self._change(mounted, bounce.occupied, at_ms, said)

    def _is_dead(self, mounted: _Mounted, at_ms: int) -> bool:
        if at_ms < mounted.dies_ms:
            return False
        self._faults.count["dead_battery"] += 1
        return True

    def _change(self, mounted: _Mounted, occupied: bool, at_ms: int, said: list[Reading]) -> None:
        held_minutes = (at_ms - mounted.since_ms) // MINUTE_MS
        mounted.believes, mounted.since_ms = occupied, at_ms
        said.append(self._say(mounted, at_ms, "change", held_minutes))

    def _say(self, mounted: _Mounted, at_ms: int, kind: Kind, held_minutes: int = 0) -> Reading:
        mounted.seq += 1
        worn = (at_ms - self._start_ms) / BATTERY_LIFE_MS
        return Reading(
            lot=mounted.bay.lot,
            sensor=mounted.sensor,
            at_ms=at_ms,
            kind=kind,
            occupied=mounted.believes,
            boot=self._boot,
            seq=mounted.seq,
            held_minutes=held_minutes,
            battery=round(max(mounted.charge - worn, 0.0), 2),
            rssi=mounted.rssi + mounted.rng.randint(-4, 4),
            snr=mounted.rng.randint(-10, 24) / 2,
            temperature=round(air_celsius(at_ms, mounted.zone) + mounted.warmer, 1),
        )

    def _mount(
        self, bay: BayId, sensor: Sensor, zone: ZoneInfo, occupied: bool, rng: Random, heartbeat_seconds: int
    ) -> _Mounted:
        dies_ms = self._faults.dies_ms(bay.lot, sensor.id, self._start_ms)
        charge = rng.uniform(0.55, 1.0)
        return _Mounted(
            bay=bay,
            sensor=sensor,
            zone=zone,
            rng=rng,
            heartbeat_ms=(sensor.heartbeat_seconds or heartbeat_seconds) * 1000,
            believes=occupied,
            since_ms=self._start_ms,
            stuck=self._faults.is_stuck(bay.lot, sensor.id),
            dies_ms=dies_ms,
            charge=charge if dies_ms == math.inf else NEARLY_EMPTY,
            rssi=rng.randint(-112, -58),
            warmer=rng.uniform(-2, 2),
        )

    def _enter(self, at_ms: int, mounted: _Mounted, bounce: _Bounce | None) -> None:
        self._entered += 1  # breaks ties by the order of entry
        heapq.heappush(self._queue, (at_ms, self._entered, mounted, bounce))


def air_celsius(at_ms: int, zone: ZoneInfo) -> float:
    """A mild day, warmest at three in the afternoon. Not weather: a number that moves as one expects it to."""
    local = datetime.fromtimestamp(at_ms / 1000, zone)
    return 12 + 6 * math.cos((local.hour + local.minute / 60 - 15) / 24 * 2 * math.pi)
