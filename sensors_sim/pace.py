"""Two clocks, the world's and the wall's, and the straight line between them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

Stamp = Literal["wall", "world"]
"""Which clock dates the readings. `wall`: when the event is due on the wall clock, so that a hub that refuses times
ahead of its own clock believes a world that runs fast. `world`: the world's own time, to fill a past with history."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SHORTEST_WAIT_SECONDS = 0.005
LONGEST_WAIT_SECONDS = 1.0


def rfc3339(at_ms: int) -> str:
    """`1700000000123` as `2023-11-14T22:13:20.123Z`."""
    return (EPOCH + timedelta(milliseconds=at_ms)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass(frozen=True, slots=True)
class Pace:
    """World time `world_ms` happens at wall time `wall_ms`, and from there on `speed` world seconds pass in each wall
    second. Milliseconds since the Unix epoch."""

    world_ms: int
    wall_ms: int
    speed: float

    def world_at(self, wall_ms: int) -> int:
        return self.world_ms + round((wall_ms - self.wall_ms) * self.speed)

    def wall_at(self, world_ms: int) -> int:
        return self.wall_ms + round((world_ms - self.world_ms) / self.speed)

    def stamp_ms(self, world_ms: int, stamp: Stamp) -> int:
        """The time to write into a reading about `world_ms`."""
        return world_ms if stamp == "world" else self.wall_at(world_ms)

    def wait_seconds(self, now_world_ms: int, next_world_ms: float) -> float:
        """How long to sleep so as to be there when the next thing happens, within the two limits above."""
        seconds = (next_world_ms - now_world_ms) / self.speed / 1000
        return min(max(seconds, SHORTEST_WAIT_SECONDS), LONGEST_WAIT_SECONDS)


class Stopwatch:
    """Wall time and a stop signal for one run: `wait` returns when the time is over or somebody called `stop`."""

    def __init__(self, now_ms: Callable[[], int]) -> None:
        self.now_ms = now_ms
        self._stopped = asyncio.Event()

    @property
    def stopped(self) -> bool:
        return self._stopped.is_set()

    def stop(self) -> None:
        self._stopped.set()

    async def wait(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._stopped.wait(), seconds)
        except TimeoutError:
            return
