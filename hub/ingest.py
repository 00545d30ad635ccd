"""A reading's way into the log.

receive a burst -> decode each message -> judge each reading against what its bay last said -> into the open batch
take the open batch -> append its changes as one feed document -> acknowledge its bursts -> again

Both go on side by side: the next batch is judged while the last one is being written, so batches are small when there
is little to do and large under load.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, defaultdict
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice

import structlog

from autospot.clock import Clock
from autospot.domain.bay import SensorHalf, Verdict, age, bay_after_reading, bay_after_silence, event_time_ms
from autospot.domain.change import FeedEntry, SensorChange
from autospot.domain.errors import Unavailable
from autospot.domain.reading import Ignored, Reading, Rejected, RejectReason, Status
from autospot.storage.dead_letters import DeadLetters
from autospot.storage.feed import Feed
from hub.decoding import decode
from hub.metrics import HubMetrics
from hub.mqtt import Broker, Burst
from hub.sensors import Sensor, SensorTable

RECENT_KEYS = 50_000
"""Readings remembered by identity. The broker sends again what was unacknowledged when a connection or the hub died:
at most one inbox, which this covers more than twice."""

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


@dataclass(slots=True)
class Batch:
    """What bursts come to: nothing in here has had any effect yet, except that `Sensor.half` runs ahead. `heard` says
    what each sensor's half becomes once the batch is durable; batches are appended in the order in which they were
    judged."""

    bursts: list[Burst] = field(default_factory=list)
    changes: dict[str, list[SensorChange]] = field(default_factory=dict)
    past: dict[str, list[SensorChange]] = field(default_factory=dict)
    letters: list[tuple[str, bytes, str, str, int]] = field(default_factory=list)
    heard: dict[Sensor, SensorHalf] = field(default_factory=dict)
    verdicts: dict[str, int] = field(default_factory=lambda: defaultdict(int))


class RecentKeys:
    """The identities of the last `RECENT_KEYS` readings that were appended; the oldest are forgotten."""

    def __init__(self) -> None:
        self._keys: OrderedDict[tuple[str, str, int, int | None, bool | None], None] = OrderedDict()

    def add(self, lot: str, change: SensorChange) -> bool:
        """Remembers a reading; False if it was known."""
        key = (lot, change.bay, change.at_ms or 0, change.seq, change.occupied)
        if key in self._keys:
            return False
        self._keys[key] = None
        if len(self._keys) > RECENT_KEYS:
            self._keys.popitem(last=False)
        return True


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
        self._recent = RecentKeys()
        self._open = Batch()
        self._begun = asyncio.Event()
        self._offline: dict[Sensor, None] = {}
        self.listening_since_ms = clock.now_ms()
        self.on_heard: list[Callable[[Iterable[Sensor]], None]] = []

    async def recall(self) -> None:
        """Remembers the newest readings of the log, so that what a dead hub had appended and not acknowledged is
        recognised when the broker sends it again. Call before the first `take`."""
        for entry in await self._feed.newest(self._name, most=200):
            for rows_by_lot in (entry.sensors, entry.past):
                for lot, rows in rows_by_lot.items():
                    for row in rows:
                        self._recent.add(lot, row)

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
            await self._keep(batch)
            for sensor, half in batch.heard.items():
                sensor.durable = half
            for burst in batch.bursts:
                self._broker.acknowledge(burst)
            self._metrics.acknowledged(sum(len(burst.messages) for burst in batch.bursts))
            for listener in self.on_heard:
                listener(batch.heard)

    def _digest(self, burst: Burst, batch: Batch) -> None:
        arrived_ms = self._clock.now_ms()
        for message in burst.messages:
            topic, payload = message.topic.decode(errors="replace"), message.payload
            outcome = decode(topic, payload, arrived_ms, self._sensors)
            if isinstance(outcome, list):
                reason = None
                for reading in outcome:
                    reason = self._judge(reading, arrived_ms, batch, retained=message.retained) or reason
                if reason is None:
                    continue
                outcome = Rejected(reason)
            if isinstance(outcome, Rejected):
                self._metrics.rejected(outcome.reason)
                batch.letters.append((topic, payload, outcome.reason, outcome.detail, arrived_ms))
            elif isinstance(outcome, Status):
                self._note_status(outcome, arrived_ms)
            elif isinstance(outcome, Ignored):
                self._metrics.ignored(outcome.reason)

    def _judge(self, reading: Reading, arrived_ms: int, batch: Batch, *, retained: bool) -> RejectReason | None:
        sensor = self._sensors.find(reading.lot, reading.sensor)
        if sensor is None:
            return self._unknown(reading, batch)
        if not retained:
            sensor.heard_ms, sensor.offline_ms = arrived_ms, None
        elif not _tells_news(sensor.half, reading):
            batch.verdicts["retained"] += 1
            return None
        _note_health(sensor, reading)
        if reading.occupied is None:
            batch.heard[sensor] = sensor.half
            batch.verdicts["health"] += 1
            return None
        at_ms, replaced = event_time_ms(reading, arrived_ms)
        if replaced:
            self._metrics.clock_replaced()
        verdict, after = bay_after_reading(sensor.half, reading, at_ms)
        if verdict is Verdict.CHANGED:
            self._change(sensor, after, batch)
        elif verdict is Verdict.UNCHANGED:
            sensor.half = after
        elif verdict is not Verdict.REPEAT:
            verdict = self._keep_past(sensor, reading, at_ms, after, verdict, batch)
        batch.heard[sensor] = sensor.half
        batch.verdicts[verdict.value] += 1
        return None

    def _unknown(self, reading: Reading, batch: Batch) -> RejectReason | None:
        if reading.lot is not None:
            return "unknown_sensor" if self._sensors.knows_lot(reading.lot) else "unknown_lot"
        if self._sensors.is_elsewhere(reading.sensor):
            batch.verdicts["elsewhere"] += 1
            return None
        return "unknown_sensor"

    def _change(self, sensor: Sensor, after: SensorHalf, batch: Batch) -> None:
        sensor.half = after
        change = SensorChange.of(sensor.bay, after)
        self._recent.add(sensor.lot, change)
        rows = batch.changes.get(sensor.lot)
        if rows is None:
            rows = batch.changes[sensor.lot] = []
        rows.append(change)

    def _keep_past(
        self, sensor: Sensor, reading: Reading, at_ms: int, after: SensorHalf, verdict: Verdict, batch: Batch
    ) -> Verdict:
        before, sensor.half = sensor.half, after
        past = SensorChange(sensor.bay, reading.occupied, at_ms, at_ms, reading.boot, reading.seq)
        if not self._recent.add(sensor.lot, past):
            return Verdict.REPEAT
        rows = batch.past.setdefault(sensor.lot, [])
        rows.append(past)
        if verdict is Verdict.LATE and before.at_ms is not None and reading.occupied != before.occupied:
            # The newest reading may have been a heartbeat, which leaves no row: now it ends what the late one began.
            newest = SensorChange(sensor.bay, before.occupied, before.at_ms, before.at_ms, before.boot, before.seq)
            if before.occupied is not None and self._recent.add(sensor.lot, newest):
                rows.append(newest)
        return verdict

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
                batch.changes.setdefault(sensor.lot, []).append(SensorChange.of(sensor.bay, sensor.half))
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
