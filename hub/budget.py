"""How much of the machine the writing behind may take: little while readings come in, most of it while none do."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

QUIET_AFTER_SECONDS = 0.5
"""So long without news, and the screens have nothing to wait for."""

PAUSE_MOST_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Pace:
    """Write `batch` at most, then pause for `pause_factor` times what it took."""

    batch: int
    pause_factor: float

    def pause_seconds(self, worked_seconds: float) -> float:
        """How long to leave the machine to others, `PAUSE_MOST_SECONDS` at most."""
        return min(self.pause_factor * worked_seconds, PAUSE_MOST_SECONDS)


class Budget:
    """Chooses between two paces by whether anything was heard of late. One per hub, shared by all that write behind.

    What it costs: the first reading after a quiet moment may meet a large batch on its way, once.
    """

    def __init__(self) -> None:
        self._news_at_seconds = 0.0

    def note_news(self) -> None:
        """A reading, or any other change, was heard now."""
        self._news_at_seconds = asyncio.get_running_loop().time()

    def pace(self, *, busy: Pace, quiet: Pace) -> Pace:
        """The pace for the next batch."""
        silent_seconds = asyncio.get_running_loop().time() - self._news_at_seconds
        return quiet if silent_seconds >= QUIET_AFTER_SECONDS else busy
