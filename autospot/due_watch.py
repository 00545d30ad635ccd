"""Watching the due-queue for those who run AutoSpot: what was given up, and how late the rest is."""

from __future__ import annotations

import asyncio
from typing import Final

import structlog
from prometheus_client import CollectorRegistry, Gauge

from autospot.clock import Clock
from autospot.domain.errors import Unavailable
from autospot.storage.due import DueRows

EVERY_SECONDS: Final = 30.0
"""Between two looks; each reads one index."""

log = structlog.get_logger(__name__)


class DueWatch:
    """Keeps two metrics: `autospot_due_dead{kind}`, dead letters, and `autospot_due_late_seconds`, for how long the
    oldest row that waits has been due. Says so in the log when there are more dead letters than before."""

    def __init__(self, rows: DueRows, clock: Clock, registry: CollectorRegistry) -> None:
        self._rows = rows
        self._clock = clock
        self._dead = Gauge("autospot_due_dead", "Due rows that were given up", ["kind"], registry=registry)
        self._late = Gauge(
            "autospot_due_late_seconds", "How long the oldest waiting row has been due", registry=registry
        )
        self._known = 0

    async def run(self) -> None:
        """Looks until cancelled, through outages."""
        while True:
            try:
                await self.look()
            except Unavailable as error:
                log.warning("due-queue cannot be watched", reason=error.message)
            await asyncio.sleep(EVERY_SECONDS)

    async def look(self) -> None:
        """Brings the metrics up to date."""
        dead, next_at = await self._rows.dead_by_kind(), await self._rows.earliest()
        self._dead.clear()
        for kind, count in dead.items():
            self._dead.labels(kind).set(count)
        late = (self._clock.now() - next_at).total_seconds() if next_at else 0.0
        self._late.set(max(0.0, late))
        if sum(dead.values()) > self._known:
            log.error("due rows were given up", dead=dict(dead), look_with="autospot due list")
        self._known = sum(dead.values())
