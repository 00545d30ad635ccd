"""One simulated run against a broker, and the report on it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from random import Random
from typing import Any

from sensors_sim.broker import Broker, Connection, Counts
from sensors_sim.encoders import encode, gateway_status_topic, sensor_status_topic
from sensors_sim.faults import RATES, Gateway
from sensors_sim.frames import LORAWAN_MODELS
from sensors_sim.lots import Sensor
from sensors_sim.pace import Pace, Stopwatch, rfc3339
from sensors_sim.publisher import PATIENCE_SECONDS, WINDOW, Publisher
from sensors_sim.reading import Reading
from sensors_sim.simulation import Plan, Simulation
from sensors_sim.world import BayId

SHARED_GATEWAY = "simulator"
"""The name under which the sensors of a lot that name no gateway share a connection."""

NETWORK_SERVER = Connection("network server")
CONNECTIONS_LIMIT = 500
"""Beyond this many, limits of the machine on open sockets come into play."""


class TooManyConnectionsError(ValueError):
    """The plan needs more connections than `CONNECTIONS_LIMIT`."""


class Run:
    """A plan, carried out once. `go` returns when the plan has ended or the stopwatch was stopped; `report` is true at
    any time."""

    def __init__(
        self,
        plan: Plan,
        broker: Broker,
        stopwatch: Stopwatch,
        *,
        window: int = WINDOW,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        self._plan = plan
        self._stopwatch = stopwatch
        self._links = links_of(plan)
        self._simulation = Simulation(plan)
        self._publisher = Publisher(
            broker, self._links, Random(plan.boot), window=window, patience_seconds=patience_seconds
        )
        self._pace = Pace(plan.start_ms, plan.start_ms, plan.speed)
        self._told: dict[tuple[str, str], Reading] = {}
        self._outages: dict[Connection, float] = {}
        self.outages_begun = 0

    @property
    def counts(self) -> Counts:
        return self._publisher.counts

    async def go(self) -> None:
        """Publish the first word of every sensor, then each reading when it is due, then wait for the last
        acknowledgement. `PublishError` if the broker cannot be reached or goes silent."""
        async with self._publisher:
            self._pace = replace(self._pace, wall_ms=self._stopwatch.now_ms())
            await self._tell(self._simulation.start())
            while not self._stopwatch.stopped and self._simulation.now_ms != self._plan.end_ms:
                wait = self._pace.wait_seconds(self._simulation.now_ms, self._simulation.next_ms)
                await self._stopwatch.wait(wait)
                await self._tell(self._simulation.advance(self._world_ms()))
                self._cut_links()
            if not self._stopwatch.stopped:
                await self._tell(self._simulation.finish())
            await self._publisher.drain()

    async def _tell(self, readings: Iterable[Reading]) -> None:
        for reading in readings:
            if self._stopwatch.stopped:
                return
            dated = replace(reading, at_ms=self._pace.stamp_ms(reading.at_ms, self._plan.stamp))
            link = self._publisher.link(connection_of(self._plan, reading.lot, reading.sensor))
            await link.publish(encode(dated, self._plan.server))
            key = (reading.lot, reading.sensor.id)
            if key not in self._told or _order(reading) > _order(self._told[key]):
                self._told[key] = reading

    def _world_ms(self) -> int:
        """Now in the world: never backwards when the wall clock is set, never past the plan's end."""
        now_ms = max(self._pace.world_at(self._stopwatch.now_ms()), self._simulation.now_ms)
        return now_ms if self._plan.end_ms is None else min(now_ms, self._plan.end_ms)

    def _cut_links(self) -> None:
        """Where an outage has begun, let the connection break, until the outage ends."""
        if self._plan.rates["gateway_down"] == 0:
            return
        now_ms = self._simulation.now_ms
        for connection, gateway in self._links.items():
            outage = None if gateway is None else self._simulation.way.outage(gateway, now_ms)
            if outage is not None and self._outages.get(connection) != outage[0]:
                self._outages[connection] = outage[0]
                self.outages_begun += 1
                self._publisher.link(connection).cut((outage[1] - now_ms) / self._plan.speed / 1000)

    def report(self) -> dict[str, Any]:
        """Counts, and for each bay the truth (`occupied`), what the broker was last told (`told`, null if nothing),
        and what is lastingly wrong with its sensor (`fault`). See docs/simulator.md."""
        simulation, counts = self._simulation, self.counts
        struck = simulation.way.count + simulation.sensor_faults.count
        return {
            "seed": self._plan.seed,
            "world": {"from": rfc3339(self._plan.start_ms), "until": rfc3339(simulation.now_ms)},
            "readings": {
                "planned": simulation.planned,
                "published": counts.published,
                "acknowledged": counts.acknowledged,
            },
            "faults": {fault: struck[fault] for fault in RATES},
            "outages": self.outages_begun,
            "turned_away": simulation.world.turned_away,
            "connections": {"held": len(self._links), "accepted": counts.connected},
            "bays": {
                lot.code: {bay.code: self._bay(lot.code, bay.code, bay.sensor) for bay in lot.bays}
                for lot in self._plan.lots
            },
        }

    def _bay(self, lot: str, bay: str, sensor: Sensor) -> dict[str, Any]:
        bay_id, told = BayId(lot, bay), self._told.get((lot, sensor.id))
        fault = self._simulation.sensors.condition(bay_id)
        view = {
            "sensor": sensor.id,
            "occupied": self._simulation.world.occupied[bay_id],
            "told": None if told is None else told.occupied,
        }
        return view if fault is None else {**view, "fault": fault}


def connection_of(plan: Plan, lot: str, sensor: Sensor) -> Connection:
    """The connection that carries this sensor's readings."""
    if sensor.model in LORAWAN_MODELS:
        return NETWORK_SERVER
    if sensor.gateway is None and plan.own_connections:
        return Connection(f"{lot}/{sensor.id}", sensor_status_topic(lot, sensor.id))
    return gateway_connection(Gateway(lot, sensor.gateway))


def gateway_connection(gateway: Gateway) -> Connection:
    name = gateway.name or SHARED_GATEWAY
    return Connection(f"{gateway.lot}/gateways/{name}", gateway_status_topic(gateway.lot, name))


def links_of(plan: Plan) -> dict[Connection, Gateway | None]:
    """Every connection that the plan needs, with the gateway whose outages cut it.

    A LoRaWAN gateway has one as well: it says whether the gateway is there, while the network server's own carries the
    readings. `TooManyConnectionsError` beyond the limit."""
    links: dict[Connection, Gateway | None] = {}
    for lot in plan.lots:
        for sensor in (bay.sensor for bay in lot.bays):
            gateway, connection = Gateway(lot.code, sensor.gateway), connection_of(plan, lot.code, sensor)
            links[connection] = None if connection == NETWORK_SERVER else gateway
            if gateway.name is not None:
                links[gateway_connection(gateway)] = gateway
    if len(links) > CONNECTIONS_LIMIT:
        raise TooManyConnectionsError(
            f"{len(links)} connections are needed, {CONNECTIONS_LIMIT} is the limit: let sensors share gateways"
        )
    return links


def _order(reading: Reading) -> int:
    return reading.seq or 0
