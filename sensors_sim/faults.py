"""What goes wrong between a bay and the broker: pure, seeded, each fault with its own rate.

`RATES` says what a rate means. Two places: the sensor itself (`SensorFaults`), which changes what is said, and the way
from the sensor to the broker (`Way`), which changes what arrives, when, and how often. Each fault has its own random
numbers and draws them whether it is switched on or not, so that adding one fault leaves the choices of the others
alone.
"""

from __future__ import annotations

import heapq
import math
from collections import Counter
from collections.abc import Iterable, Mapping
from random import Random
from typing import Literal, NamedTuple, get_args

from sensors_sim.reading import Reading

Fault = Literal["lost", "repeated", "late", "reordered", "stuck", "dead_battery", "flapping", "gateway_down"]
Rates = Mapping[Fault, float]

RATES: Mapping[Fault, str] = {
    "lost": "share of readings that never arrive",
    "repeated": "share of readings that arrive again, up to a minute later",
    "late": "share of readings that arrive 1 to 30 minutes after their time",
    "reordered": "share of readings that arrive after the next one of the same sensor",
    "stuck": "share of sensors that report their first state for ever",
    "dead_battery": "share of sensors that fall silent within the first hour",
    "flapping": "share of changes that bounce: said, taken back, said again, a second apart",
    "gateway_down": "share of the time that each gateway is down; its sensors' readings are lost",
}

REPEAT_WITHIN_MS = 60_000
LATE_FROM_MS, LATE_TO_MS = 60_000, 30 * 60_000
DIES_WITHIN_MS = 3_600_000
BOUNCE_MS = 1_000
OUTAGE_MEAN_MS = 5 * 60_000
OUTAGE_SHORTEST_MS = 1_000


class Gateway(NamedTuple):
    """What connects sensors to the broker; `name` None is the connection shared by a lot's sensors without one."""

    lot: str
    name: str | None


class FaultError(ValueError):
    """A fault that cannot be asked for like this; the text says why."""


def parse_rates(settings: Iterable[str]) -> dict[Fault, float]:
    """`["lost=0.01", …]` as rates; what is not named has rate 0. `FaultError` for anything else."""
    rates: dict[Fault, float] = dict.fromkeys(RATES, 0.0)
    names: dict[str, Fault] = {name: name for name in get_args(Fault)}
    for setting in settings:
        name, _, text = setting.partition("=")
        if name not in names:
            raise FaultError(f"unknown fault {name!r}: one of {', '.join(names)}")
        try:
            rate = float(text)
        except ValueError:
            raise FaultError(f"{setting!r}: a rate is a number from 0 to 1, as in {name}=0.01") from None
        if not 0 <= rate <= 1:  # also refuses NaN
            raise FaultError(f"{setting!r}: a rate is from 0 to 1")
        rates[names[name]] = rate
    return rates


class SensorFaults:
    """What is wrong with the sensors themselves. `count` says how often it showed: changes that a stuck sensor did not
    notice, words that a dead one did not say, changes that bounced."""

    def __init__(self, rates: Rates, seed: int) -> None:
        self.count: Counter[Fault] = Counter()
        self._rates = rates
        self._seed = seed
        self._flapping = Random(f"{seed}/flapping")

    def is_stuck(self, lot: str, sensor: str) -> bool:
        return Random(f"{self._seed}/stuck/{lot}/{sensor}").random() < self._rates["stuck"]

    def dies_ms(self, lot: str, sensor: str, start_ms: int) -> float:
        """When its battery ends, infinity if it outlives the run. Never before its first word."""
        rng = Random(f"{self._seed}/dead_battery/{lot}/{sensor}")
        if rng.random() >= self._rates["dead_battery"]:
            return math.inf
        return start_ms + 1 + rng.randrange(DIES_WITHIN_MS)

    def bounces(self) -> bool:
        """Whether the change at hand bounces."""
        return self._flapping.random() < self._rates["flapping"]


class Outages:
    """When one gateway is down: times up and down take turns, both exponential around a mean, up at first.

    The plan depends on the seed and the gateway alone. Instants must be asked for in the order of time.
    """

    def __init__(self, rate: float, seed: int, gateway: Gateway, start_ms: int) -> None:
        self._rng = Random(f"{seed}/gateway_down/{gateway.lot}/{gateway.name}")
        self._mean_up_ms = OUTAGE_MEAN_MS * (1 - rate) / rate if rate > 0 else math.inf
        self._from_ms = self._until_ms = float(start_ms)
        self._plan_next()

    def current(self, at_ms: int) -> tuple[float, float] | None:
        """The outage at `at_ms`, as [from, until) in milliseconds; None while the gateway is up."""
        while at_ms >= self._until_ms:
            self._plan_next()
        return (self._from_ms, self._until_ms) if at_ms >= self._from_ms else None

    def _plan_next(self) -> None:
        up, down = self._rng.expovariate(1), self._rng.expovariate(1)
        self._from_ms = self._until_ms + up * self._mean_up_ms
        self._until_ms = self._from_ms + max(down * OUTAGE_MEAN_MS, OUTAGE_SHORTEST_MS)


class Way:
    """The way from the sensors to the broker.

    Guarantees: what comes out depends on the seed and on what goes in, not on the steps in which `carry` is called;
    readings without a fault come out at once, in the order in which they went in; nothing is changed, only lost,
    doubled or delayed; after `flush` nothing is held back. `count` says how many readings met each fault. At most one
    reading per sensor waits for its successor; what is delayed waits half an hour at most, and longer only while its
    gateway is down.
    """

    def __init__(self, rates: Rates, seed: int, start_ms: int) -> None:
        self.count: Counter[Fault] = Counter()
        self._rates = rates
        self._seed = seed
        self._start_ms = start_ms
        self._rng: dict[Fault, Random] = {
            fault: Random(f"{seed}/{fault}") for fault in ("lost", "repeated", "late", "reordered")
        }
        self._outages: dict[Gateway, Outages] = {}
        self._delayed: list[tuple[int, int, Reading]] = []
        self._delays = 0
        self._overtaken: dict[tuple[str, str], Reading] = {}

    @property
    def next_ms(self) -> float:
        """When something delayed is due; infinity if nothing is."""
        return self._delayed[0][0] if self._delayed else math.inf

    def outage(self, gateway: Gateway, at_ms: int) -> tuple[float, float] | None:
        """The outage of `gateway` at `at_ms`, as `Outages.current`."""
        outages = self._outages.get(gateway)
        if outages is None:
            outages = Outages(self._rates["gateway_down"], self._seed, gateway, self._start_ms)
            self._outages[gateway] = outages
        return outages.current(at_ms)

    def carry(self, readings: Iterable[Reading], to_ms: int) -> list[Reading]:
        """What arrives up to `to_ms`, in the order of arrival, given all that was said since the last call."""
        arrived: list[Reading] = []
        for reading in readings:
            self._release(reading.at_ms, arrived)
            self._meet_faults(reading, arrived)
        self._release(to_ms, arrived)
        return arrived

    def flush(self, at_ms: int) -> list[Reading]:
        """All that is still on its way, in the order in which it would have come; then what waited for a successor.
        What waits behind a gateway that is down is lost."""
        waiting = [heapq.heappop(self._delayed)[2] for _ in range(len(self._delayed))]
        waiting += self._overtaken.values()
        self._overtaken.clear()
        arrived = [reading for reading in waiting if self.outage(_gateway(reading), at_ms) is None]
        self.count["gateway_down"] += len(waiting) - len(arrived)
        return arrived

    def _meet_faults(self, reading: Reading, arrived: list[Reading]) -> None:
        struck = {fault: rng.random() < self._rates[fault] for fault, rng in self._rng.items()}
        if self.outage(_gateway(reading), reading.at_ms) is not None:
            self.count["gateway_down"] += 1
            return
        if struck["lost"]:
            self.count["lost"] += 1
            return
        if struck["repeated"]:
            self.count["repeated"] += 1
            self._delay(reading, "repeated", 1, REPEAT_WITHIN_MS)
        if struck["late"]:
            self.count["late"] += 1
            self._delay(reading, "late", LATE_FROM_MS, LATE_TO_MS)
            return
        self._deliver(reading, arrived, overtaken=struck["reordered"])

    def _deliver(self, reading: Reading, arrived: list[Reading], *, overtaken: bool) -> None:
        sensor = (reading.lot, reading.sensor.id)
        before = self._overtaken.pop(sensor, None)
        if before is None and overtaken:
            self._overtaken[sensor] = reading
            return
        arrived.append(reading)
        if before is not None:
            self.count["reordered"] += 1
            arrived.append(before)

    def _delay(self, reading: Reading, fault: Fault, from_ms: int, to_ms: int) -> None:
        self._delays += 1
        due_ms = reading.at_ms + self._rng[fault].randint(from_ms, to_ms)
        heapq.heappush(self._delayed, (due_ms, self._delays, reading))

    def _release(self, to_ms: int, arrived: list[Reading]) -> None:
        while self._delayed and self._delayed[0][0] <= to_ms:
            due_ms, n, reading = heapq.heappop(self._delayed)
            outage = self.outage(_gateway(reading), due_ms)
            if outage is None:
                arrived.append(reading)
            else:
                heapq.heappush(self._delayed, (math.ceil(outage[1]), n, reading))


def _gateway(reading: Reading) -> Gateway:
    return Gateway(reading.lot, reading.sensor.gateway)
