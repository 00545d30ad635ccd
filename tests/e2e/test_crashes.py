"""kill -9 of hub, MongoDB and broker in turn, under load: nothing acknowledged is lost, nothing is there twice."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiomqtt
import pytest

from autospot.clock import SystemClock
from autospot.domain.instant import rfc3339
from autospot.storage import schema
from autospot.storage.feed import Feed
from autospot.storage.lots import Lots
from autospot.storage.mongo import Database
from tests.support.hub import Watcher, reading
from tests.support.lots import a_lot
from tests.support.program import Program, program
from tests.support.services import BrokerServer, MongodServer, eventually

BAYS = 20
READINGS_PER_SECOND = 300
BOOT = 1

pytestmark = pytest.mark.slow


class Sensors:
    """Publishes alternating readings and remembers what the broker took: `taken[bay]` is the newest sequence number
    acknowledged to the sensor, `sent[bay]` the newest tried. Reconnects and sends again what was not acknowledged."""

    def __init__(self, mqtt_url: str, seed: int) -> None:
        self._host, _, port = mqtt_url.removeprefix("mqtt://").rpartition(":")
        self._port = int(port)
        self._random = random.Random(seed)
        self.taken: dict[str, int] = {f"B{number:05d}": -1 for number in range(BAYS)}
        self._task: asyncio.Task[None] | None = None
        self._stop = asyncio.Event()

    def body(self, bay: str, seq: int, kind: str = "change") -> bytes:
        return reading(seq % 2 == 0, rfc3339(datetime.now(UTC)), boot=BOOT, seq=seq, kind=kind)

    async def publish_next(self, client: aiomqtt.Client) -> None:
        bay = self._random.choice(list(self.taken))
        seq = self.taken[bay] + 1
        await client.publish(f"autospot/v1/crash/{bay}/reading", self.body(bay, seq), qos=1, timeout=5)
        self.taken[bay] = seq

    async def run(self) -> None:
        while not self._stop.is_set():
            try:
                async with aiomqtt.Client(self._host, self._port, identifier="crash-sensors") as client:
                    while not self._stop.is_set():
                        await self.publish_next(client)
                        await asyncio.sleep(1 / READINGS_PER_SECOND)
            except aiomqtt.MqttError:
                await asyncio.sleep(0.1)  # the broker is down: try again

    async def heartbeat(self) -> None:
        """Every sensor says once more what it last said."""
        async with aiomqtt.Client(self._host, self._port, identifier="crash-sensors") as client:
            for bay, seq in self.taken.items():
                if seq >= 0:
                    body = self.body(bay, seq, kind="heartbeat")
                    await client.publish(f"autospot/v1/crash/{bay}/reading", body, qos=1, timeout=5)

    async def __aenter__(self) -> Sensors:
        self._task = asyncio.create_task(self.run())
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.end()

    async def end(self) -> None:
        """Stops after the reading in hand was acknowledged."""
        self._stop.set()
        if self._task is not None:
            await self._task


@asynccontextmanager
async def product(tmp_path: Path, mongo_url: str, mqtt_url: str, name: str) -> AsyncIterator[tuple[Program, Database]]:
    database = Database(mongo_url, name)
    try:
        await database.prepare(schema.DECLARED)
        await Lots(database).save(a_lot("crash", BAYS), SystemClock().now())
        async with program(tmp_path, mongo_url=mongo_url, db_name=name, mqtt_url=mqtt_url) as running:
            yield running, database
    finally:
        database.close()


async def appended(database: Database) -> Counter[tuple[str, int | None]]:
    """How often each `(bay, seq)` stands in the feed."""
    count: Counter[tuple[str, int | None]] = Counter()
    async for entry in Feed(database).since_checkpoint(0, timedelta()):
        for rows in itertools.chain(entry.sensors.values(), entry.past.values()):
            count.update((row.bay, row.seq) for row in rows)
    return count


async def everything_is_there_once(database: Database, sensors: Sensors) -> bool:
    count = await appended(database)
    wanted = {(bay, seq) for bay, newest in sensors.taken.items() for seq in range(newest + 1)}
    assert wanted <= count.keys(), f"{len(wanted - count.keys())} acknowledged readings are missing"
    twice = {key for key, times in count.items() if times > 1}
    assert not twice, f"appended twice: {sorted(twice)[:5]}"
    return True


async def the_screen_is_right(program: Program, database: Database, sensors: Sensors) -> None:
    expected = {
        bay: "unknown" if seq < 0 else "occupied" if seq % 2 == 0 else "free" for bay, seq in sensors.taken.items()
    }
    assert await program.answers(), program.log()[-3000:]
    async with await Watcher.connect(program.url, "crash") as screen:

        def wrong() -> dict[str, tuple[str | None, str]]:
            shown = {bay: screen.state("crash", bay) for bay in expected}
            return {bay: (shown[bay], state) for bay, state in expected.items() if shown[bay] != state}

        try:
            await eventually(lambda: not wrong(), deadline_seconds=10)
        except AssertionError:
            raise AssertionError(f"shown and expected: {wrong()}; {sensors.taken}; {program.log()[-2000:]}") from None

    async def stored() -> bool:
        states = {row["bay"]: row["state"] async for row in database.collection("bays").find({"lot": "crash"})}
        return all(states.get(bay, "unknown") == state for bay, state in expected.items())

    await eventually(stored, deadline_seconds=15)


@pytest.mark.parametrize("victim", ["hub", "mongod"])
async def test_kill_9_loses_nothing_and_doubles_nothing(
    tmp_path: Path, make_mongod: Callable[..., MongodServer], make_broker: Callable[..., BrokerServer], victim: str
) -> None:
    seed = random.SystemRandom().randrange(1_000_000)
    print(f"seed {seed}")
    mongod, broker = make_mongod(), make_broker()
    async with (
        product(tmp_path, mongod.url, broker.url, "crash") as (running, database),
        Sensors(broker.url, seed) as sensors,
    ):
        for _ in range(2):
            await asyncio.sleep(random.Random(seed).uniform(1.0, 2.0))  # load of this length, then the blow
            if victim == "hub":
                await running.kill()
                await running.start()
            else:
                await asyncio.to_thread(mongod.kill)
                await asyncio.to_thread(mongod.restart)
        await asyncio.sleep(0.5)
        await sensors.end()
        assert sum(sensors.taken.values()) > 300
        await eventually(lambda: everything_is_there_once(database, sensors), deadline_seconds=30)
        await the_screen_is_right(running, database, sensors)


async def test_after_the_brokers_death_one_heartbeat_makes_every_bay_right(
    tmp_path: Path, make_mongod: Callable[..., MongodServer], make_broker: Callable[..., BrokerServer]
) -> None:
    seed = random.SystemRandom().randrange(1_000_000)
    print(f"seed {seed}")
    mongod, broker = make_mongod(), make_broker()
    async with (
        product(tmp_path, mongod.url, broker.url, "crash") as (running, database),
        Sensors(broker.url, seed) as sensors,
    ):
        await asyncio.sleep(1.5)
        await asyncio.to_thread(broker.kill)
        await asyncio.to_thread(broker.restart)
        await asyncio.sleep(1.0)
        await sensors.end()
        await sensors.heartbeat()
        await the_screen_is_right(running, database, sensors)
        assert max((await appended(database)).values()) == 1
