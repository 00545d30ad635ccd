"""The registry: which lots there are, and what each of them is made of."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable
from datetime import datetime

from autospot.domain.errors import Conflict, NotFound
from autospot.domain.lot import Lot
from autospot.storage.lots import Lots, Saved

IMPORTS_AT_ONCE = 8
"""Lots stored at the same time. Each waits for its own journal flush, so eight take hardly longer than one."""


class Registry:
    """Takes up lots and finds them again."""

    def __init__(self, lots: Lots) -> None:
        self._lots = lots

    async def lot(self, code: str) -> Lot:
        """The present version of a lot; `NotFound` if there is none."""
        stored = await self._lots.load(code)
        if stored is None:
            raise NotFound(f"there is no lot {code!r}")
        return stored.lot

    async def import_lots(self, lots: Iterable[Lot], now: datetime) -> AsyncIterator[Saved]:
        """Stores each lot and tells what came of it, in order; running processes take each up at once.

        Each lot is one transaction: an import that is cut short has stored the lots it told of, perhaps a few more, and
        can be repeated, since a lot that says nothing new keeps its version. A lot whose sensor is still held by
        another lot is tried again after all others, because one file may move a sensor between two lots; then
        `Conflict`.
        """
        postponed: list[Lot] = []
        running: deque[tuple[Lot, asyncio.Task[Saved | Conflict]]] = deque()
        rest = iter(lots)
        try:
            while True:
                for lot in rest:
                    running.append((lot, asyncio.create_task(self._put(lot, now))))
                    if len(running) == IMPORTS_AT_ONCE:
                        break
                if not running:
                    break
                lot, task = running.popleft()
                outcome = await task
                if isinstance(outcome, Conflict):
                    postponed.append(lot)
                else:
                    yield outcome
        finally:
            await asyncio.gather(*(task for _, task in running), return_exceptions=True)
        for lot in postponed:
            yield await self._lots.put(lot, now)

    async def _put(self, lot: Lot, now: datetime) -> Saved | Conflict:
        try:
            return await self._lots.put(lot, now)
        except Conflict as conflict:
            return conflict
