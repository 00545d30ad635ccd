"""Summaries: at once after quiet, each at most once a second, many of them spread over that second."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from autospot.clock import SystemClock
from autospot.domain.change import Commit, FeedEntry, SensorChange
from autospot.live import LiveLots
from hub.shard import Shard
from hub.signs import EVERY_SECONDS, LOTS_PER_TURN, Signs
from tests.support.lots import a_lot
from tests.support.services import eventually


@dataclass
class Said:
    """What was published: topic, payload, the second, and the turn of the event loop."""

    live: LiveLots
    words: list[tuple[str, bytes, float, int]] = field(default_factory=list)
    turn: int = 0
    rev: int = 1

    def publish(self, topic: str, payload: bytes) -> bool:
        self.words.append((topic, payload, asyncio.get_running_loop().time(), self.turn))
        return True

    def change(self, *lots: str) -> None:
        """A car arrives at, or leaves, the first bay of each of `lots`."""
        self.rev += 1
        car = SensorChange("B00000", bool(self.rev % 2), 1_000, 1_000)
        self.live.apply(Commit(self.rev, FeedEntry("test", sensors={lot: [car] for lot in lots}), 1_000))

    async def count_turns(self) -> None:
        while True:
            self.turn += 1
            await asyncio.sleep(0)


@asynccontextmanager
async def signs(lots: int) -> AsyncIterator[Said]:
    live = LiveLots()
    live.begin("e", 1, [(a_lot(f"s{number}", bays=1), 1) for number in range(lots)])
    said = Said(live)
    tasks = [asyncio.create_task(Signs(Shard(), live, SystemClock(), said.publish).run())]
    tasks.append(asyncio.create_task(said.count_turns()))
    try:
        yield said
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_the_first_change_is_said_at_once_and_the_next_a_second_later() -> None:
    async with signs(2) as said:
        began = asyncio.get_running_loop().time()
        said.change("s0")
        await eventually(lambda: len(said.words) == 1)
        said.change("s0")
        said.change("s1")
        await eventually(lambda: len(said.words) == 2)
        said.change("s0")
        await eventually(lambda: len(said.words) == 3)
        first, other, second = said.words
        assert [word[0] for word in said.words] == [f"autospot/v1/{lot}/summary" for lot in ("s0", "s1", "s0")]
        assert other[2] - began < EVERY_SECONDS / 2
        assert second[2] - first[2] >= EVERY_SECONDS
        assert f'"rev":{said.rev},'.encode() in second[1]


async def test_a_thousand_lots_are_spread_over_the_second() -> None:
    async with signs(1_000) as said:
        every_lot = [f"s{number}" for number in range(1_000)]
        said.change(*every_lot)
        said.change(*every_lot)
        await eventually(lambda: len(said.words) >= 1_000)
        assert max(Counter(turn for *_, turn in said.words).values()) <= LOTS_PER_TURN
        assert len({topic for topic, *_ in said.words[:1_000]}) == 1_000
