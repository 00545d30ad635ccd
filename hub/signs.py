"""What the hub says over MQTT: a retained summary per lot, and a lamp per bay where a lot has lamps."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

import orjson

from autospot.clock import Clock
from autospot.domain.bay import State
from autospot.domain.instant import rfc3339_ms
from autospot.live import LiveLot, LiveLots
from hub.shard import Shard

EVERY_SECONDS = 1.0
"""A lot's summary is published at most this often (realtime contract, section 2)."""

LAMPS_PER_TURN = 500
"""Lamps published before the event loop gets its turn (about 15 ms)."""

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

    What waits is bounded by the number of lots and bays: only the newest value of each is ever published. After every
    (re)connection everything is said again.
    """

    def __init__(self, shard: Shard, live: LiveLots, clock: Clock, publish: Callable[[str, bytes], None]) -> None:
        self._shard = shard
        self._live = live
        self._clock = clock
        self._publish = publish
        self._dirty: dict[str, None] = {}
        self._lamps_rev: dict[str, int] = {}
        self._wake = asyncio.Event()
        live.listen(self._changed)

    def _changed(self, lots: Iterable[LiveLot]) -> None:
        for lot in lots:
            if self._shard.owns(lot.lot):
                self._dirty[lot.lot] = None
        self._wake.set()

    def say_everything(self) -> None:
        """Publishes every summary and lamp again: the broker may have forgotten them."""
        self._lamps_rev.clear()
        self._changed(self._live.lots.values())

    async def run(self) -> None:
        """Publishes until cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            dirty, self._dirty = self._dirty, {}
            for code in dirty:
                lot = self._live.lot(code)
                if lot is not None:
                    self._publish(f"autospot/v1/{code}/summary", self._summary(lot))
                    await self._light_lamps(lot)
            await asyncio.sleep(EVERY_SECONDS)

    def _summary(self, lot: LiveLot) -> bytes:
        at = rfc3339_ms(self._clock.now_ms())
        return orjson.dumps({"lot": lot.lot, "rev": lot.rev, "at": at, "counts": lot.counts()})

    async def _light_lamps(self, lot: LiveLot) -> None:
        if not lot.layout.lamps:
            return
        rev = lot.rev
        changed = list(lot.changed_since(self._lamps_rev.get(lot.lot, -1)))
        self._lamps_rev[lot.lot] = rev
        for number, bay in enumerate(changed, start=1):
            self._publish(f"autospot/v1/{lot.lot}/{bay.bay}/lamp", LAMP_WORDS[bay.state].encode())
            if number % LAMPS_PER_TURN == 0:
                await asyncio.sleep(0)
