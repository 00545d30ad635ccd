"""The one place that reads the machine's clock. Everything else is told the time."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """What the programs ask for the time."""

    def now(self) -> datetime:
        """The present instant, aware, UTC."""

    def now_ms(self) -> int:
        """The present instant in milliseconds since the Unix epoch."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000


class SetClock:
    """A clock that stands still until it is moved: for tests and simulations that decide what time it is."""

    def __init__(self, start: datetime) -> None:
        if start.tzinfo is None:
            raise ValueError("a clock needs an aware start")
        self._now = start.astimezone(UTC)

    def now(self) -> datetime:
        return self._now

    def now_ms(self) -> int:
        return int(self._now.timestamp() * 1000)

    def move(self, step: timedelta) -> datetime:
        """Moves on by `step` and returns the new time. Going back is allowed: real clocks do it too."""
        self._now += step
        return self._now
