"""A run without a network: the world, its sensors, and what goes wrong between them and the broker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sensors_sim.demand import Use
from sensors_sim.encoders import NetworkServer
from sensors_sim.faults import Rates, SensorFaults, Way
from sensors_sim.lots import Lot
from sensors_sim.pace import Stamp
from sensors_sim.reading import Reading
from sensors_sim.sensing import Sensors
from sensors_sim.world import World

HEARTBEAT_SECONDS = 900


@dataclass(frozen=True, slots=True)
class Plan:
    """What to simulate.

    `start_ms` and `end_ms` are in the world's time (milliseconds since the Unix epoch); `end_ms` None is a run that
    only a signal ends. `speed` is how many world seconds pass in a second. `boot` counts starts: it must grow from run
    to run, or a hub takes the new readings for old ones. `uses` has every lot. `own_connections` gives each native
    sensor without a gateway its own MQTT connection and last will, instead of one for all such sensors of a lot.
    """

    lots: tuple[Lot, ...]
    uses: Mapping[str, Use]
    rates: Rates
    seed: int
    start_ms: int
    end_ms: int | None
    speed: float
    boot: int
    heartbeat_seconds: int = HEARTBEAT_SECONDS
    stamp: Stamp = "wall"
    server: NetworkServer = "chirpstack"
    own_connections: bool = False


def uses_of(lots: Sequence[Lot], named: Mapping[str, Use]) -> dict[str, Use]:
    """How each lot is used: as named, else `street` for a lot at street level and `mixed` for one with storeys."""
    return {lot.code: named.get(lot.code, "mixed" if lot.storeys else "street") for lot in lots}


class Simulation:
    """`advance` to a time and get the readings that arrive at the broker by then.

    Guarantees: what arrives depends on the plan alone, not on the steps in which it is asked for. After `finish`, every
    reading that was `planned` arrived, was lost or met a gateway that was down:
    planned = arrived - repeated + lost + gateway_down.
    """

    def __init__(self, plan: Plan) -> None:
        self.planned = 0
        self.now_ms = plan.start_ms
        self.world = World(plan.lots, plan.uses, seed=plan.seed, start_ms=plan.start_ms)
        self.sensor_faults = SensorFaults(plan.rates, plan.seed)
        self.sensors = Sensors(
            plan.lots,
            self.world.occupied,
            self.sensor_faults,
            seed=plan.seed,
            start_ms=plan.start_ms,
            boot=plan.boot,
            heartbeat_seconds=plan.heartbeat_seconds,
        )
        self.way = Way(plan.rates, plan.seed, plan.start_ms)

    @property
    def next_ms(self) -> float:
        """When something may happen next, in the world's time."""
        return min(self.world.next_ms, self.sensors.next_ms, self.way.next_ms)

    def start(self) -> list[Reading]:
        """The first word of every sensor, as far as it arrives at once."""
        return self._carry(self.sensors.start())

    def advance(self, to_ms: int) -> list[Reading]:
        self.now_ms = to_ms
        return self._carry(self.sensors.advance(self.world.advance(to_ms), to_ms))

    def finish(self) -> list[Reading]:
        """What is still on its way."""
        return self.way.flush(self.now_ms)

    def _carry(self, said: Sequence[Reading]) -> list[Reading]:
        self.planned += len(said)
        return self.way.carry(said, self.now_ms)
