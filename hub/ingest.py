"""A reading's way into the log.

receive a burst -> decode each message -> judge each reading against what its bay last said -> into the open batch
take the open batch -> append its changes as one feed document -> acknowledge its bursts -> again

Both go on side by side: the next batch is judged while the last one is being written, so batches are small when there
is little to do and large under load.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from itertools import islice

import structlog

from autospot.clock import Clock
from autospot.domain.bay import SensorHalf, Verdict, age, bay_after_reading, bay_after_silence, event_time_ms
from autospot.domain.change import FeedEntry, SensorChange
from autospot.domain.errors import Unavailable
from autospot.domain.reading import Reading, Rejected, RejectReason, Status
from autospot.storage.dead_letters import DeadLetters
from autospot.storage.feed import Feed
from hub.batch import Batch, RecentReadings
from hub.decoding import decode, decode_native
from hub.metrics import HubMetrics
from hub.mqtt import Broker, Burst
from hub.packets import Message
from hub.sensors import Sensor, SensorTable

RETRY_FIRST_SECONDS = 0.1
RETRY_MOST_SECONDS = 5.0

COMMIT_EVERY_SECONDS = 0.015
"""Commits begin at most this often; the first after a quiet moment begins at once. A commit costs 1.5 ms of processor
time in the driver and the streams, and as much in the database, whatever its size: at 2,000 readings a second the hub
took 0.71 cores without this pause and takes 0.43 with it, and p99 fell from 54 to 45 ms."""

SILENCE_CHECK_SECONDS = 1.0
SILENCE_CHECKS_PER_TURN = 5_000
"""Sensors looked at per check (about 2 ms): all of 10,000 every two seconds, all of a million within 200. Limits on
silence are minutes to days. Sensors that are said to be offline are looked at every time."""

log = structlog.get_logger(__name__)


class Ingest:
    """Takes messages from the broker into the feed.

    Guarantees: a message is acknowledged only after everything it changes is durably in the feed; each reading changes
    the feed once, however often the broker or the sensor repeats it; a message that cannot be used is kept in
    `dead_letters` and stops nothing; while the database is away nothing is acknowledged and nothing is lost: the
    broker's queue holds what the inbox cannot.
    """

    def __init__(
        self,
        name: str,
        broker: Broker,
        sensors: SensorTable,
        feed: Feed,
        letters: DeadLetters,
        clock: Clock,
        metrics: HubMetrics,
    ) -> None:
        self._name = name
        self._broker = broker
        self._sensors = sensors
        self._feed = feed
        self._letters = letters
        self._clock = clock
        self._metrics = metrics
        self._recent = RecentReadings()
        self._open = Batch()
        self._begun = asyncio.Event()
        self._offline: dict[Sensor, None] = {}
        self.listening_since_ms = clock.now_ms()
        self.on_heard: list[Callable[[Iterable[Sensor]], None]] = []

    async def recall(self) -> None:
        """Remembers the newest readings of the log, so that what a dead hub had appended and not acknowledged is
        recognised when the broker sends it again. Call before the first `take`."""
        for entry in await self._feed.newest(self._name, most=200):
            self._recent.add(entry.sensors)
            self._recent.add(entry.past)

    async def run(self) -> None:
        """Takes bursts until cancelled."""
        async with asyncio.TaskGroup() as both:
            both.create_task(self._judge_bursts())
            both.create_task(self._append_batches())

    async def _judge_bursts(self) -> None:
        while True:
            burst = await self._broker.take()
            batch = self._open
            if batch.bursts and batch.bursts[-1].connection != burst.connection:
                batch.bursts.clear()  # nobody waits for their acknowledgement any more
            batch.bursts.append(burst)
            self._digest(burst, batch)
            self._begun.set()

    async def _append_batches(self) -> None:
        loop = asyncio.get_running_loop()
        next_begin = 0.0
        while True:
            await self._begun.wait()
            if (pause := next_begin - loop.time()) > 0:
                await asyncio.sleep(pause)
            next_begin = loop.time() + COMMIT_EVERY_SECONDS
            batch, self._open = self._open, Batch()
            self._begun.clear()
            self._recent.add(batch.changes)
            self._recent.add(batch.past)
            await self._keep(batch)
            for sensor, half in batch.heard.items():
                sensor.durable = half
            for burst in batch.bursts:
                self._broker.acknowledge(burst)
            self._metrics.acknowledged(sum(len(burst.messages) for burst in batch.bursts))
            for listener in self.on_heard:
                listener(batch.heard)

    def _digest(self, burst: Burst, batch: Batch) -> None:
        arrived_ms, of_topic = self._clock.now_ms(), self._sensors.of_topic
        for message in burst.messages:
            sensor = of_topic(message.topic)
            if sensor is None or message.retained:
                self._digest_slowly(message, arrived_ms, batch)
                continue
            reading = decode_native(sensor.lot, sensor.id, message.payload)
            if isinstance(reading, Rejected):
                self._reject(message, reading, arrived_ms, batch)
            else:
                sensor.heard_ms, sensor.offline_ms = arrived_ms, None
                self._judge(sensor, reading, arrived_ms, batch)

    def _digest_slowly(self, message: Message, arrived_ms: int, batch: Batch) -> None:
        """What comes by its topic for the first time, or by one that is not a sensor's own, or was retained."""
        outcome = decode(message.topic.decode(errors="replace"), message.payload, arrived_ms, self._sensors)
        if isinstance(outcome, list):
            reason: RejectReason | None = None
            for reading in outcome:
                reason = self._place(reading, message, arrived_ms, batch) or reason
            if reason is not None:
                self._reject(message, Rejected(reason), arrived_ms, batch)
        elif isinstance(outcome, Rejected):
            self._reject(message, outcome, arrived_ms, batch)
        elif isinstance(outcome, Status):
            self._note_status(outcome, arrived_ms)
        else:
            self._metrics.ignored(outcome.reason)

    def _reject(self, message: Message, rejected: Rejected, arrived_ms: int, batch: Batch) -> None:
        self._metrics.rejected(rejected.reason)
        topic = message.topic.decode(errors="replace")
        batch.letters.append((topic, message.payload, rejected.reason, rejected.detail, arrived_ms))

    def _place(self, reading: Reading, message: Message, arrived_ms: int, batch: Batch) -> RejectReason | None:
        """Finds whose reading it is and judges it; the reason if it is nobody's."""
        sensor = self._sensors.find(reading.lot, reading.sensor)
        if sensor is None:
            return self._unknown(reading, batch)
        if reading.lot is not None:
            self._sensors.learn_topic(message.topic, sensor)
        if not message.retained:
            sensor.heard_ms, sensor.offline_ms = arrived_ms, None
        elif not _tells_news(sensor.half, reading):
            batch.verdicts["retained"] += 1
            return None
        self._judge(sensor, reading, arrived_ms, batch)
        return None

    def _judge(self, sensor: Sensor, reading: Reading, arrived_ms: int, batch: Batch) -> None:
        _note_health(sensor, reading)
        if reading.occupied is None:
            batch.heard[sensor] = sensor.half
            batch.verdicts["health"] += 1
            return
        at_ms, replaced = event_time_ms(reading, arrived_ms)
        if replaced:
            self._metrics.clock_replaced()
        verdict, after = bay_after_reading(sensor.half, reading, at_ms)
        if verdict == "changed":
            sensor.half = after
            batch.changes[sensor.lot].append(SensorChange.of(sensor.bay, after))
        elif verdict == "unchanged":
            sensor.half = after
        elif verdict != "repeat":
            verdict = self._keep_past(sensor, reading, at_ms, after, verdict, batch)
        batch.heard[sensor] = sensor.half
        batch.verdicts[verdict] += 1

    def _unknown(self, reading: Reading, batch: Batch) -> RejectReason | None:
        if reading.lot is not None:
            return "unknown_sensor" if self._sensors.knows_lot(reading.lot) else "unknown_lot"
        if self._sensors.is_elsewhere(reading.sensor):
            batch.verdicts["elsewhere"] += 1
            return None
        return "unknown_sensor"

    def _keep_past(
        self, sensor: Sensor, reading: Reading, at_ms: int, after: SensorHalf, verdict: Verdict, batch: Batch
    ) -> Verdict:
        before, sensor.half = sensor.half, after
        past = SensorChange(sensor.bay, reading.occupied, at_ms, at_ms, reading.boot, reading.seq)
        if not self._add_past(sensor.lot, past, batch):
            return "repeat"
        if verdict == "late" and before.at_ms is not None and reading.occupied != before.occupied:
            # The newest reading may have been a heartbeat, which leaves no row: now it ends what the late one began.
            newest = SensorChange(sensor.bay, before.occupied, before.at_ms, before.at_ms, before.boot, before.seq)
            if before.occupied is not None:
                self._add_past(sensor.lot, newest, batch)
        return verdict

    def _add_past(self, lot: str, change: SensorChange, batch: Batch) -> bool:
        """False if this very reading is known."""
        if batch.holds(lot, change) or self._recent.holds(lot, change):
            return False
        batch.add_past(lot, change)
        return True

    def _note_status(self, status: Status, now_ms: int) -> None:
        if status.gateway is not None:
            concerned = self._sensors.behind_gateway(status.lot, status.gateway)
        else:
            sensor = self._sensors.find(status.lot, status.sensor or "")
            concerned = [] if sensor is None else [sensor]
        for sensor in concerned:
            if status.online:
                sensor.offline_ms = None
            elif sensor.offline_ms is None:
                sensor.offline_ms = now_ms
                self._offline[sensor] = None

    async def _keep(self, batch: Batch) -> None:
        """Makes the batch durable, however long the database takes to come back."""
        self._metrics.readings(batch.verdicts)
        if batch.changes or batch.past:
            entry = FeedEntry(self._name, sensors=batch.changes, past=batch.past)
            entry_id = self._feed.new_entry_id()
            await self._until_durable(lambda: self._feed.append(entry, self._clock.now_ms(), entry_id=entry_id))
        if batch.letters:
            await self._until_durable(lambda: self._letters.keep(batch.letters))

    async def _until_durable(self, write: Callable[[], Awaitable[None]]) -> None:
        pause = RETRY_FIRST_SECONDS
        while True:
            with self._metrics.commit_time():
                try:
                    await write()
                except Unavailable as error:
                    log.warning("append_waits_for_database", error=error.message)
                else:
                    return
            await asyncio.sleep(pause)
            pause = min(pause * 2, RETRY_MOST_SECONDS)

    async def watch_silence(self) -> None:
        """Turns the bays of silent sensors unknown, until cancelled."""
        self.listening_since_ms = self._clock.now_ms()
        round_: Iterator[Sensor] = iter(())
        while True:
            await asyncio.sleep(SILENCE_CHECK_SECONDS)
            if not self._broker.connected.is_set():
                self.listening_since_ms = self._clock.now_ms()
                continue
            turn = list(islice(round_, SILENCE_CHECKS_PER_TURN))
            if len(turn) < SILENCE_CHECKS_PER_TURN:
                round_ = iter(list(self._sensors))
            self._offline = {sensor: None for sensor in self._offline if sensor.offline_ms is not None}
            self._forget_silent([*turn, *self._offline])

    def _forget_silent(self, sensors: Iterable[Sensor]) -> None:
        now_ms, batch = self._clock.now_ms(), self._open
        for sensor in sensors:
            if sensor.fell_silent(now_ms, self.listening_since_ms):
                sensor.half = batch.heard[sensor] = bay_after_silence(sensor.half, now_ms)
                batch.changes[sensor.lot].append(SensorChange.of(sensor.bay, sensor.half))
                batch.verdicts["silent"] += 1
                self._begun.set()


def _tells_news(half: SensorHalf, reading: Reading) -> bool:
    """Whether a reading that the broker tells again is worth hearing. It was said nobody knows when: only its own order
    can say that it is newer than what is known, and it never proves that the sensor lives."""
    if half.at_ms is None:
        return True
    if reading.at_ms is None and (reading.boot is None or reading.seq is None):
        return False
    return age(half, reading.boot, reading.seq, reading.at_ms or 0) > 0


_HEALTH = ("battery", "battery_volts", "battery_low", "rssi", "snr", "temperature")


def _note_health(sensor: Sensor, reading: Reading) -> None:
    if reading.battery is None is reading.rssi and reading.temperature is None is reading.battery_volts:
        return  # the common case: 0.1 us instead of 1.3
    said = {name: value for name in _HEALTH if (value := getattr(reading, name)) is not None}
    if said:
        sensor.health = {**(sensor.health or {}), **said}
