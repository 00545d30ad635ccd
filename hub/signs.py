"""What the hub says over MQTT: a retained summary per lot, and a lamp per bay where a lot has lamps."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Iterable
from heapq import heappop, heappush

import orjson

from autospot.clock import Clock
from autospot.domain.bay import State
from autospot.domain.instant import rfc3339_ms
from autospot.live import LiveLot, LiveLots
from hub.shard import Shard

EVERY_SECONDS = 1.0
"""A lot's summary is published at most this often (realtime contract, section 2)."""

TURN_SECONDS = 0.02
LOTS_PER_TURN = 20
LAMPS_PER_TURN = 50
"""Published before the event loop gets its turn: 1 to 3 ms, with what the broker answers. A thousand summaries at once
stopped it for 100 ms every second."""

LAMP_WORDS: dict[State, str] = {
    "free": "free",
    "occupied": "occupied",
    "reserved": "reserved",
    "assigned": "assigned",
    "out_of_service": "closed",
    # A lamp has no word for "nobody knows", and must not invite anybody.
    "unknown": "occupied",
}


class Signs:
    """Publishes summaries and lamps of one shard's lots.

    A lot that changes is published at once, unless it was less than `EVERY_SECONDS` ago; many lots at once take turns,
    spread over that time. What waits is bounded by the number of lots and bays: only the newest value of each is ever
    published. After every (re)connection everything is said again. A bay that its lot loses, or a lot that loses its
    lamps, has its lamps taken back from the broker (unless no hub was running at that moment).

    `publish` returns False while there is no broker to hand a message to.
    """

    def __init__(self, shard: Shard, live: LiveLots, clock: Clock, publish: Callable[[str, bytes], bool]) -> None:
        self._shard = shard
        self._live = live
        self._clock = clock
        self._publish = publish
        self._turns: list[tuple[float, str]] = []
        self._waiting: set[str] = set()
        self._said_at_seconds: dict[str, float] = {}
        self._lit: dict[str, set[str]] = {}
        self._lit_rev: dict[str, int] = {}
        self._wake = asyncio.Event()
        live.listen(self._changed)

    def _changed(self, lots: Iterable[LiveLot]) -> None:
        now = asyncio.get_running_loop().time()
        for lot in lots:
            code = lot.lot
            if code not in self._waiting and self._shard.owns(code):
                self._waiting.add(code)
                said_at_seconds = self._said_at_seconds.get(code)
                due = now if said_at_seconds is None else max(now, said_at_seconds + EVERY_SECONDS)
                heappush(self._turns, (due, code))
        self._wake.set()

    def say_everything(self) -> None:
        """Publishes every summary and lamp again: the broker may have forgotten them."""
        self._lit_rev.clear()
        self._changed(self._live.lots.values())

    async def run(self) -> None:
        """Publishes until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            self._wake.clear()
            if not self._turns:
                await self._wake.wait()
            for code in self._due(loop.time()):
                self._said_at_seconds[code] = loop.time()
                if (lot := self._live.lot(code)) is not None:
                    self._publish(f"autospot/v1/{code}/summary", self._summary(lot))
                    await self._light_lamps(lot)
            await asyncio.sleep(TURN_SECONDS)

    def _due(self, now: float) -> list[str]:
        """The lots of this turn, longest waiting first; as many as let all that wait have theirs in time."""
        most = max(LOTS_PER_TURN, math.ceil(len(self._turns) * TURN_SECONDS / EVERY_SECONDS))
        due: list[str] = []
        while self._turns and len(due) < most and self._turns[0][0] <= now:
            due.append(heappop(self._turns)[1])
        self._waiting.difference_update(due)
        return due

    def _summary(self, lot: LiveLot) -> bytes:
        at = rfc3339_ms(self._clock.now_ms())
        return orjson.dumps({"lot": lot.lot, "rev": lot.rev, "at": at, "counts": lot.counts()})

    async def _light_lamps(self, lot: LiveLot) -> None:
        has_lamps, lit = lot.layout.lamps, self._lit.setdefault(lot.lot, set())
        if not has_lamps and not lit:
            return
        gone = lit - lot.bays.keys() if has_lamps else lit.copy()
        changed = list(lot.changed_since(self._lit_rev.get(lot.lot, -1))) if has_lamps else []
        self._lit_rev[lot.lot] = lot.rev
        # An empty retained message takes back the one before (MQTT 3.1.1, section 3.3.1.3).
        words = [*((bay, b"") for bay in gone), *((bay.bay, LAMP_WORDS[bay.state].encode()) for bay in changed)]
        for number, (bay, word) in enumerate(words, start=1):
            if self._publish(f"autospot/v1/{lot.lot}/{bay}/lamp", word):
                (lit.add if word else lit.discard)(bay)
            if number % LAMPS_PER_TURN == 0:
                await asyncio.sleep(TURN_SECONDS)
