"""Writes behind: `bays` and `bay_history` follow the feed, a little late in a storm, never in the way of the screens.

Both work with a time budget: a small batch, then a pause of several times what the batch took. Writing every changed
bay each second in bulks of 1,000 instead raised the screens' p99 at 8,000 readings a second from 80 to 110 ms. When
nothing is heard of sensors and people, what a storm has left is written in large batches with short pauses.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from itertools import islice

import structlog

from autospot.clock import Clock
from autospot.domain.bay import NOTHING_SAID
from autospot.domain.change import Commit, FeedEntry, SensorChange
from autospot.domain.errors import Unavailable
from autospot.follower import REBUILD_MARGIN
from autospot.live import LiveLot, LiveLots
from autospot.storage.bays import Bays, StoredBay
from autospot.storage.feed import CaughtUp, Feed, HistoryLost
from autospot.storage.history import BayHistory
from autospot.storage.marks import Marks
from hub.budget import Budget, Pace
from hub.metrics import HubMetrics
from hub.sensors import Sensor, SensorTable
from hub.shard import Shard

BAYS_BUSY, BAYS_QUIET = Pace(batch=100, pause_factor=4), Pace(batch=250, pause_factor=0.1)
"""About 1,300 bays a second in a storm and 15,000 when it is over. Larger batches are no faster and stop the event loop
for longer (1,000: 17 ms)."""
BATCH_ROWS = 500
ROWS_BUSY, ROWS_QUIET = Pace(batch=BATCH_ROWS, pause_factor=9), Pace(batch=BATCH_ROWS, pause_factor=0.1)
"""Rows of history are many and nobody waits for them: a tenth of the time, in a storm."""
ROWS_WAIT_MS = 200
"""How long a row of history waits for company in ordinary traffic."""
CHECKPOINT_EVERY_MS = 1_000
RETRY_SECONDS = 1.0

log = structlog.get_logger(__name__)


class BayProjector:
    """Keeps `bays` equal to the fold, for the lots of one shard.

    Guarantees: the checkpoint `bays/<shard>` never says more than is written; a bay waits once however often it
    changes, so what waits is bounded by the number of bays; what waits longest is written first, and what was only
    heard after what changed. A bay that its lot loses is forgotten, and begins as unknown should it come back.
    """

    def __init__(
        self,
        shard: Shard,
        live: LiveLots,
        sensors: SensorTable,
        bays: Bays,
        marks: Marks,
        clock: Clock,
        metrics: HubMetrics,
        budget: Budget,
    ) -> None:
        self._shard = shard
        self._live = live
        self._sensors = sensors
        self._bays = bays
        self._marks = marks
        self._clock = clock
        self._metrics = metrics
        self._budget = budget
        self._lots: dict[str, LiveLot] = {}
        self._seen: dict[str, int] = {}
        self._waiting: dict[tuple[str, str], int] = {}
        self._heard: dict[Sensor, None] = {}
        self._wake = asyncio.Event()
        self._checkpoint_ms = 0
        self._retired = False

    def begin(self) -> None:
        """Takes the fold as it stands after loading as written."""
        self._lots = dict(self._live.lots)
        self._seen = {lot.lot: lot.rev for lot in self._live.lots.values()}

    def changed(self, lots: Iterable[LiveLot]) -> None:
        """Listener of the fold: notes what is to be written."""
        for lot in lots:
            if not self._shard.owns(lot.lot):
                continue
            if self._lots.get(lot.lot) is not lot:
                self._take_layout(lot)
            for bay in lot.changed_since(self._seen.get(lot.lot, 0)):
                self._waiting.setdefault((lot.lot, bay.bay), bay.rev)
            self._seen[lot.lot] = lot.rev
        self._budget.note_news()
        self._wake.set()

    def _take_layout(self, lot: LiveLot) -> None:
        """Bays that are gone or new to a lot that was there: what is stored of them is not so, or of another time."""
        before, self._lots[lot.lot] = self._lots.get(lot.lot), lot
        for bay in () if before is None else before.bays.keys() ^ lot.bays.keys():
            self._waiting.setdefault((lot.lot, bay), lot.rev)

    def heard(self, sensors: Iterable[Sensor]) -> None:
        """Listener of the ingest: last-seen and health are to be written too."""
        self._heard.update(dict.fromkeys(sensors))  # 0.04 us each; into `_waiting` it would be 0.09
        self._budget.note_news()
        self._wake.set()

    async def run(self) -> None:
        """Writes until cancelled, then writes what is left once more."""
        loop = asyncio.get_running_loop()
        try:
            while True:
                began, pace = loop.time(), self._budget.pace(busy=BAYS_BUSY, quiet=BAYS_QUIET)
                try:
                    await self.write_batch(pace.batch)
                except Unavailable as error:
                    log.warning("projector_waits_for_database", error=error.message)
                    await asyncio.sleep(RETRY_SECONDS)
                    continue
                if self._waiting or self._heard:
                    await asyncio.sleep(pace.pause_seconds(loop.time() - began))
                else:
                    await self._rest()
        finally:
            await self.drain()

    async def _rest(self) -> None:
        self._wake.clear()
        try:
            await asyncio.wait_for(self._wake.wait(), CHECKPOINT_EVERY_MS / 1000)
        except TimeoutError:
            return  # nothing to write; the checkpoint still moves on with an idle feed

    async def drain(self) -> None:
        """Writes everything that waits, without pauses: before a clean stop."""
        try:
            while self._waiting or self._heard:
                await self.write_batch(BAYS_QUIET.batch)
            self._checkpoint_ms = 0
            await self.write_batch(BAYS_QUIET.batch)
        except Unavailable as error:
            log.warning("projector_left_behind", bays=len(self._waiting), error=error.message)

    async def write_batch(self, most: int) -> None:
        """Writes up to `most` waiting bays, and the checkpoint when it is due."""
        position = self._live.rev
        taken = self._take(most)
        try:
            stored = [bay for key in taken if (bay := self._stored(*key)) is not None]
            await self._bays.write(stored)
            if len(stored) < len(taken):
                await self._bays.remove(taken.keys() - {(bay.lot, bay.bay) for bay in stored})
        except BaseException:
            self._waiting = taken | self._waiting
            raise
        self._metrics.pending_projections.set(len(self._waiting) + len(self._heard))
        await self._checkpoint(position)

    def _take(self, most: int) -> dict[tuple[str, str], int]:
        """The bays that have waited longest, and as far as there is room those of sensors that were only heard."""
        for sensor in list(islice(self._heard, max(0, most - len(self._waiting)))):
            del self._heard[sensor]
            self._waiting.setdefault((sensor.lot, sensor.bay), self._live.rev)
        taken = {key: self._waiting.pop(key) for key in list(islice(self._waiting, most))}
        for key in taken:
            if (sensor_there := self._sensors.at_bay(*key)) is not None:
                self._heard.pop(sensor_there, None)
        return taken

    async def _checkpoint(self, position: int) -> None:
        now_ms = self._clock.now_ms()
        if now_ms - self._checkpoint_ms < CHECKPOINT_EVERY_MS:
            return
        self._checkpoint_ms = now_ms
        oldest_waiting = next(iter(self._waiting.values()), None)
        rev = position if oldest_waiting is None else min(position, oldest_waiting - 1)
        await self._marks.set_checkpoint(f"bays/{self._shard.name}", rev)
        if oldest_waiting is None and not self._retired:
            self._retired = await self._marks.retire("bays", self._shard.names)

    def _stored(self, lot_code: str, bay_code: str) -> StoredBay | None:
        lot = self._live.lot(lot_code)
        bay = None if lot is None else lot.bays.get(bay_code)
        if bay is None:
            return None  # the layout lost it
        sensor = self._sensors.at_bay(lot_code, bay_code)
        return StoredBay(
            lot=lot_code,
            bay=bay_code,
            rev=bay.rev,
            state=bay.state,
            occupied=bay.occupied,
            since_ms=bay.since_ms,
            at_ms=bay.at_ms,
            claim=bay.claim,
            closure=bay.closure,
            # Only what is durable: an order that ran ahead of a lost append would make its repeat look like a repeat.
            last=NOTHING_SAID if sensor is None else sensor.durable,
            heard_ms=None if sensor is None else sensor.heard_ms,
            health=None if sensor is None else sensor.health,
        )


class HistoryProjector:
    """Keeps `bay_history` complete for what this hub appended.

    Follows the feed by a stream of its own, at its own pace: in a storm the server holds its place, not this process's
    memory, and a restart goes on from the checkpoint `history/<shard>`. Rows are written once whatever is repeated.
    """

    def __init__(
        self, shard: Shard, feed: Feed, history: BayHistory, marks: Marks, clock: Clock, budget: Budget
    ) -> None:
        self._by = shard.name
        self._checkpoint_name = f"history/{shard.name}"
        self._feed = feed
        self._history = history
        self._marks = marks
        self._clock = clock
        self._budget = budget
        self._rows: list[tuple[str, SensorChange]] = []
        self._oldest_row_ms = 0
        self._rev = 0
        self._checkpoint_ms = 0

    async def run(self) -> None:
        """Writes until cancelled."""
        while True:
            try:
                await self._follow()
            except HistoryLost:
                await self._catch_up_from_log()
            except Unavailable as error:
                log.warning("history_waits_for_database", error=error.message)
                await asyncio.sleep(RETRY_SECONDS)

    async def _follow(self) -> None:
        self._rows.clear()
        start = await self._marks.checkpoint(self._checkpoint_name)
        if start is None:
            start = await self._feed.first_position() or await self._feed.position()
        async for event in self._feed.follow(start):
            if isinstance(event, Commit):
                self._collect(event.entry)
                self._rev = event.rev
            if self._rows and (isinstance(event, CaughtUp) or self._is_time()):
                await self._write()

    def _collect(self, entry: FeedEntry) -> None:
        if entry.by != self._by:
            return
        if not self._rows:
            self._oldest_row_ms = self._clock.now_ms()
        for rows_by_lot in (entry.sensors, entry.past):
            for lot, rows in rows_by_lot.items():
                self._rows.extend((lot, row) for row in rows)

    def _is_time(self) -> bool:
        return len(self._rows) >= BATCH_ROWS or self._clock.now_ms() - self._oldest_row_ms >= ROWS_WAIT_MS

    async def _write(self) -> None:
        loop = asyncio.get_running_loop()
        began, pace = loop.time(), self._budget.pace(busy=ROWS_BUSY, quiet=ROWS_QUIET)
        await self._history.keep(self._rows)
        self._rows.clear()
        now_ms = self._clock.now_ms()
        if now_ms - self._checkpoint_ms >= CHECKPOINT_EVERY_MS:
            self._checkpoint_ms = now_ms
            await self._marks.set_checkpoint(self._checkpoint_name, self._rev)
        await asyncio.sleep(pace.pause_seconds(loop.time() - began))

    async def _catch_up_from_log(self) -> None:
        start = await self._marks.checkpoint(self._checkpoint_name) or 0
        position = await self._feed.position()
        log.warning("history_reads_the_log", since=start)
        async for entry in self._feed.since_checkpoint(start, REBUILD_MARGIN):
            self._collect(entry)
            if len(self._rows) >= BATCH_ROWS:
                await self._write()
        if self._rows:
            await self._write()
        await self._marks.set_checkpoint(self._checkpoint_name, position)
