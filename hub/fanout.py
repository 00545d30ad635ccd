"""From the fold to the sockets: one delta per lot and tick, serialised once, one write per socket.

The cost of fan-out is per socket and flush, not per event (4 to 12 us, whatever the library), so a tick stretches with
what the last flush cost. There is no task, queue or await per socket here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from time import thread_time

from autospot.clock import Clock
from autospot.domain.instant import rfc3339_ms
from autospot.live import LiveBay, LiveLot, LiveLots, snapshot_of, views_of
from hub.metrics import HubMetrics
from hub.protocol import TOO_SLOW, Close, Detail, message, text_frame
from hub.screen import Screen

TICK_LEAST_SECONDS = 0.020
TICK_MOST_SECONDS = 0.250
COST_FACTOR = 3
"""A tick lasts at least this many times what its flush cost: fan-out takes a third of the event loop at most."""

SKIP_ABOVE_BYTES = 64 * 1024
"""A socket whose unsent bytes exceed this is skipped and keeps its position."""
RESUME_BELOW_BYTES = 16 * 1024
CLOSE_ABOVE_BYTES = 1024 * 1024
CLOSE_AFTER_MS = 30_000


class Room:
    """Everybody who watches one lot.

    `sent_rev` is the position of the last delta, `layout` the layout version it was about. `behind` holds the skipped
    screens with the position each has reached.
    """

    def __init__(self, lot: LiveLot) -> None:
        self.lot = lot
        self.sent_rev = lot.rev
        self.screens: dict[Detail, dict[Screen, None]] = {"bays": {}, "counts": {}}
        self.behind: dict[Screen, int] = {}
        self._snapshots: dict[Detail, tuple[int, bytes]] = {}

    def empty(self) -> bool:
        """True if nobody watches."""
        return not self.screens["bays"] and not self.screens["counts"]

    def snapshot(self, detail: Detail, epoch: str, now_ms: int) -> bytes:
        """A frame with all that is known of the lot; made once per position."""
        rev, frame = self._snapshots.get(detail, (-1, b""))
        if rev != self.lot.rev:
            fields = snapshot_of(self.lot, epoch, now_ms)
            if detail == "counts":
                fields["bays"] = {}
            frame = text_frame(message("snapshot", fields))
            self._snapshots[detail] = self.lot.rev, frame
        return frame

    def delta(self, bays: Iterable[LiveBay], from_rev: int, epoch: str, now_ms: int) -> bytes:
        """A frame that takes a client from `from_rev` to the present."""
        fields = {
            "lot": self.lot.lot,
            "epoch": epoch,
            "from": from_rev,
            "rev": self.lot.rev,
            "at": rfc3339_ms(now_ms),
            "bays": views_of(bays),
            "counts": self.lot.counts(),
        }
        return text_frame(message("delta", fields))


class Fanout:
    """Tells every screen what changed.

    Guarantees: frames of a lot leave in the order of `rev`; a screen gets each change, or, when it reads too slowly,
    one catch-up delta later, or is closed with 4200; a slow screen costs the others nothing; the first change after
    quiet leaves at once. A screen's unsent bytes are bounded by `CLOSE_ABOVE_BYTES` plus one frame.
    """

    def __init__(self, live: LiveLots, clock: Clock, metrics: HubMetrics) -> None:
        self._live = live
        self._clock = clock
        self._metrics = metrics
        self._rooms: dict[str, Room] = {}
        self._dirty: dict[str, None] = {}
        self._behind: dict[Screen, int] = {}
        self._wake = asyncio.Event()
        live.listen(self._changed)

    def _changed(self, lots: Iterable[LiveLot]) -> None:
        for lot in lots:
            self._dirty[lot.lot] = None
        self._wake.set()

    # -- subscribing: one step of the event loop from reading the fold to being in the room, nothing is missed between

    def subscribe(self, screen: Screen, lot: LiveLot, detail: Detail, epoch: str | None, rev: int | None) -> None:
        """Sends what `screen` is missing of `lot` and from then on every change."""
        self.unsubscribe(screen, lot.lot)
        room = self._rooms.get(lot.lot)
        if room is None:
            room = self._rooms[lot.lot] = Room(lot)
        now_ms = self._clock.now_ms()
        if room.lot is not lot:  # a layout that the next flush would have told of: its old watchers come first
            self._begin_again(room, lot, now_ms)
        room.screens[detail][screen] = None
        screen.lots[lot.lot] = detail
        if rev is not None and epoch == self._live.epoch and lot.layout_rev <= rev <= lot.rev:
            missed = lot.changed_since(rev) if detail == "bays" else ()
            screen.write(room.delta(missed, rev, self._live.epoch, now_ms))
        else:
            screen.write(room.snapshot(detail, self._live.epoch, now_ms))

    def unsubscribe(self, screen: Screen, lot: str) -> None:
        """No longer tells `screen` of `lot`."""
        detail = screen.lots.pop(lot, None)
        room = self._rooms.get(lot)
        if detail is None or room is None:
            return
        del room.screens[detail][screen]
        room.behind.pop(screen, None)
        if room.empty():
            del self._rooms[lot]

    def leave(self, screen: Screen) -> None:
        """Forgets `screen`."""
        for lot in list(screen.lots):
            self.unsubscribe(screen, lot)
        self._behind.pop(screen, None)

    # -- telling

    async def run(self) -> None:
        """Flushes until cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            began = thread_time()  # processor time: on a busy machine the clock would charge us for others' work
            self.flush()
            await asyncio.sleep(0)  # the event loop sends what was written at the end of its turn: part of the cost
            cost = thread_time() - began
            tick = min(max(TICK_LEAST_SECONDS, cost * COST_FACTOR), TICK_MOST_SECONDS)
            self._metrics.tick.set(tick)
            await asyncio.sleep(max(0.0, tick - cost))
            if self._behind:
                self._wake.set()

    def flush(self) -> None:
        """Sends each dirty lot's changes, then looks after the screens that fell behind."""
        now_ms = self._clock.now_ms()
        dirty, self._dirty = self._dirty, {}
        for code in dirty:
            room, lot = self._rooms.get(code), self._live.lot(code)
            if room is None or lot is None:
                continue
            if room.lot is not lot:
                self._begin_again(room, lot, now_ms)
            elif lot.rev > room.sent_rev:
                self._send_delta(room, now_ms)
        if self._behind:
            self._look_after_slow(now_ms)

    def _begin_again(self, room: Room, lot: LiveLot, now_ms: int) -> None:
        """The layout or the epoch is another: what screens know of the lot is replaced."""
        room.lot, room.sent_rev = lot, lot.rev
        room._snapshots.clear()  # noqa: SLF001 - same module: a room is the fan-out's own record
        for detail, screens in room.screens.items():
            frame = room.snapshot(detail, self._live.epoch, now_ms)
            self._write(room, screens, frame, -1, now_ms)

    def _send_delta(self, room: Room, now_ms: int) -> None:
        from_rev, room.sent_rev = room.sent_rev, room.lot.rev
        changed = list(room.lot.changed_since(from_rev))
        if room.screens["bays"]:
            frame = room.delta(changed, from_rev, self._live.epoch, now_ms)
            self._write(room, room.screens["bays"], frame, from_rev, now_ms)
        if room.screens["counts"]:
            frame = room.delta((), from_rev, self._live.epoch, now_ms)
            self._write(room, room.screens["counts"], frame, from_rev, now_ms)
        oldest_ms = min((bay.at_ms for bay in changed if bay.at_ms is not None), default=None)
        if oldest_ms is not None:
            self._metrics.event_to_screen.observe((now_ms - oldest_ms) / 1000)

    def _write(self, room: Room, screens: Iterable[Screen], frame: bytes, from_rev: int, now_ms: int) -> None:
        behind = room.behind
        for screen in screens:
            transport = screen.transport
            if behind and screen in behind:
                if from_rev < 0:
                    behind[screen] = from_rev
            elif transport.get_write_buffer_size() > SKIP_ABOVE_BYTES:
                behind[screen] = from_rev
                self._behind.setdefault(screen, now_ms)
            else:
                transport.write(frame)

    # -- screens that read too slowly

    def _look_after_slow(self, now_ms: int) -> None:
        for screen, since_ms in list(self._behind.items()):
            unsent = screen.transport.get_write_buffer_size()
            if unsent <= RESUME_BELOW_BYTES:
                del self._behind[screen]
                self._catch_up(screen, now_ms)
            elif unsent > CLOSE_ABOVE_BYTES or now_ms - since_ms > CLOSE_AFTER_MS:
                self.close(screen, TOO_SLOW)
        self._metrics.slow_sockets.set(len(self._behind))

    def _catch_up(self, screen: Screen, now_ms: int) -> None:
        for code, detail in screen.lots.items():
            room = self._rooms[code]
            rev = room.behind.pop(screen, None)
            if rev is None:
                continue
            if rev < 0:
                screen.write(room.snapshot(detail, self._live.epoch, now_ms))
            else:
                missed = room.lot.changed_since(rev) if detail == "bays" else ()
                screen.write(room.delta(missed, rev, self._live.epoch, now_ms))

    def close(self, screen: Screen, close: Close) -> None:
        """Ends a connection from outside its own task."""
        if screen.closing is not None:
            return
        self.leave(screen)
        self._metrics.closed.labels(str(close.code)).inc()
        screen.close(close)
