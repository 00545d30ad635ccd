"""How a process comes to know what is so, and keeps knowing it: load, replay, follow.

start    epoch, checkpoint, layouts, `bays`                  -> LiveLots as of the checkpoint
replay   the change stream from the checkpoint on            -> LiveLots as of now: ready
follow   the same stream, for ever
outage   ask again from the last position                    -> nothing is missed
lost     the oplog no longer reaches back                    -> rebuild from `bays` and the log, in a new epoch
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import structlog

from autospot.clock import Clock
from autospot.domain.change import ClaimChange, Commit, FeedEntry, SensorChange
from autospot.domain.errors import Unavailable
from autospot.domain.lot import Lot
from autospot.live import LiveLot, LiveLots
from autospot.storage.bays import Bays, StoredBay
from autospot.storage.feed import CaughtUp, Feed, HistoryLost
from autospot.storage.lots import Lots
from autospot.storage.marks import Marks
from autospot.storage.mongo import Database

RETRY_SECONDS = 0.5
"""Pause before asking a database again that did not answer; the driver itself has waited before that."""

SILENT_SECONDS = 5.0
"""A database that says nothing for so long, not even that there is nothing new (it does so every second), is not heard
any more. The driver itself waits 20 s before it gives a silent connection up."""

REBUILD_MARGIN = timedelta(minutes=2)
"""How far before the checkpoint a rebuild reads the log: writers' clocks and commits may be this much apart."""

CLOCK_MARGIN = timedelta(seconds=5)
"""How far the clocks of a writer and of the database may be apart without a client resuming across a new layout."""

log = structlog.get_logger(__name__)


class Follower:
    """Keeps a `LiveLots` true. One per process, the only writer of its fold.

    Guarantees: `ready` is set once the fold has caught up with the feed; every commit is applied in order, none is
    missed; `LiveLots.behind_since_ms` is set while the database does not answer. `on_layout` is called before a layout
    is folded in; `on_stored` and `on_replayed` with what was loaded, until `ready`; `on_loaded` after each loading;
    `on_event` with every commit after it was folded in.
    """

    def __init__(self, live: LiveLots, database: Database, clock: Clock) -> None:
        self.live = live
        self.feed = Feed(database)
        self._bays = Bays(database)
        self._marks = Marks(database)
        self._lots = Lots(database)
        self._clock = clock
        self._heard_ms = clock.now_ms()
        self._silence: asyncio.TimerHandle | None = None
        self._ready_at_rev = 0
        self.ready = asyncio.Event()
        self.on_layout: list[Callable[[Lot], None]] = []
        self.on_loaded: list[Callable[[], None]] = []
        self.on_stored: list[Callable[[StoredBay], None]] = []
        self.on_event: list[Callable[[Commit | CaughtUp], None]] = []
        self.on_replayed: list[Callable[[FeedEntry], None]] = []

    async def run(self) -> None:
        """Follows until cancelled."""
        try:
            await self._until_it_answers(self._start)
            await self._follow()
        finally:
            if self._silence is not None:
                self._silence.cancel()

    async def _follow(self) -> None:
        while True:
            try:
                async for event in self.feed.follow(self.live.rev):
                    await self._take(event)
            except HistoryLost:
                log.error("feed_history_lost", rev=self.live.rev)
                await self._until_it_answers(self._rebuild)
            except Unavailable:
                self._fall_behind()
                await asyncio.sleep(RETRY_SECONDS)

    async def check(self) -> None:
        """For readiness: `Unavailable` while the fold has not caught up or the database does not answer."""
        if not self.ready.is_set():
            raise Unavailable("live state is still being loaded")
        if self.live.behind_since_ms is not None:
            seconds = (self._clock.now_ms() - self.live.behind_since_ms) / 1000
            raise Unavailable(f"the feed has not been heard for {seconds:.0f} s")

    async def _start(self) -> None:
        epoch = await self._marks.epoch()
        rev = await self._marks.oldest_checkpoint("bays")
        if rev is None:
            rev = await self.feed.first_position() or await self.feed.position()
        await self._load(epoch, rev)
        self._ready_at_rev = await self.feed.position()

    async def _rebuild(self) -> None:
        checkpoint = await self._marks.oldest_checkpoint("bays") or 0
        position = await self.feed.position()
        epoch = await self._marks.new_epoch(self.live.epoch)
        missed = await self._newest_since(checkpoint)
        await self._load(epoch, position - 1)
        # Without an await since the fold began anew: nobody subscribes to a part of it.
        self.live.apply(Commit(position, missed, self._clock.now_ms()))
        self.live.tell(self.live.lots.values())
        log.warning("epoch_began", epoch=self.live.epoch)

    async def _newest_since(self, checkpoint: int) -> FeedEntry:
        """What the log says since `checkpoint`, as one entry: of each half of a bay the newest word. Bounded by the
        number of bays."""
        sensors: dict[str, dict[str, SensorChange]] = {}
        claims: dict[str, dict[str, ClaimChange]] = {}
        async for entry in self.feed.since_checkpoint(checkpoint, REBUILD_MARGIN):
            for lot, changes in entry.sensors.items():
                sensors.setdefault(lot, {}).update({change.bay: change for change in changes})
            for lot, claim_changes in entry.claims.items():
                claims.setdefault(lot, {}).update({change.bay: change for change in claim_changes})
        return FeedEntry(
            by="",
            sensors={lot: list(changes.values()) for lot, changes in sensors.items()},
            claims={lot: list(changes.values()) for lot, changes in claims.items()},
        )

    async def _load(self, epoch: str, rev: int) -> None:
        """Begins the fold anew from what is stored, in one step of the event loop once everything is read."""
        stored_lots = [stored async for stored in self._lots.load_all()]
        by_lot: dict[str, list[StoredBay]] = {}
        async for batch in self._bays.load():
            for stored in batch:
                by_lot.setdefault(stored.lot, []).append(stored)
        self.live.begin(epoch, rev, [(stored.lot, _position_after(stored.changed)) for stored in stored_lots])
        for stored_lot in stored_lots:
            self._announce(stored_lot.lot)
        for code, bays in by_lot.items():
            lot = self.live.lots.get(code)
            if lot is not None:
                self._restore(lot, bays)
        for on_loaded in self.on_loaded:
            on_loaded()
        log.info("live_state_loaded", epoch=epoch, lots=len(stored_lots), rev=rev)

    def _restore(self, lot: LiveLot, bays: list[StoredBay]) -> None:
        for stored in sorted(bays, key=lambda bay: bay.rev):
            lot.restore(
                SensorChange(stored.bay, stored.occupied, stored.since_ms, stored.at_ms),
                ClaimChange(stored.bay, stored.claim, stored.closure),
                stored.rev,
            )
            if not self.ready.is_set():
                for on_stored in self.on_stored:
                    on_stored(stored)

    async def _take(self, event: Commit | CaughtUp) -> None:
        self._hear()
        if isinstance(event, CaughtUp):
            self.live.rev = max(self.live.rev, event.rev)  # so that an idle process's checkpoint stays inside the oplog
            self._become_ready(event.rev)
            self._tell(event)
            return
        for code, version in event.entry.layouts.items():
            await self._take_layout(code, version, event.rev)
        self.live.apply(event)
        if not self.ready.is_set():
            for on_replayed in self.on_replayed:
                on_replayed(event.entry)
        self._tell(event)
        self._become_ready(event.rev)  # under steady load the stream is never idle

    def _become_ready(self, rev: int) -> None:
        if rev >= self._ready_at_rev and not self.ready.is_set():
            self.live.settle(self._ready_at_rev)
            self.ready.set()

    def _tell(self, event: Commit | CaughtUp) -> None:
        for on_event in self.on_event:
            on_event(event)

    async def _take_layout(self, code: str, version: int, rev: int) -> None:
        known = self.live.lot(code)
        if known is not None and known.layout.version >= version:
            return
        stored = await self._lots.load(code)
        if stored is not None:
            self._announce(stored.lot)
            self.live.put_layout(stored.lot, rev)

    def _announce(self, layout: Lot) -> None:
        for listener in self.on_layout:
            listener(layout)

    def _hear(self) -> None:
        self._heard_ms, self.live.behind_since_ms = self._clock.now_ms(), None
        if self._silence is not None:
            self._silence.cancel()
        self._silence = asyncio.get_running_loop().call_later(SILENT_SECONDS, self._fall_behind)

    def _fall_behind(self) -> None:
        if self.live.behind_since_ms is None:
            self.live.behind_since_ms = self._heard_ms
            log.warning("feed_behind", rev=self.live.rev)

    async def _until_it_answers(self, step: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await step()
            except Unavailable:
                self._fall_behind()
                await asyncio.sleep(RETRY_SECONDS)
            else:
                return


def _position_after(changed: datetime) -> int:
    """A position that is certainly not before a layout stored at `changed` by its writer's clock."""
    return int((changed + CLOCK_MARGIN).timestamp()) << 20
