"""The distances of lots, worked out once per version of a layout and kept."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import NamedTuple

from autospot.domain.guidance import Guide
from autospot.domain.lot import Lot

GUIDES_KEPT = 64
"""Lots whose distances are kept in memory, most recently asked for: 35 MB if they have 2,000 bays and four gates."""


class _Making(NamedTuple):
    layout: Lot
    guide: asyncio.Task[Guide]


class Guides:
    """One `Guide` per layout, for everybody in a process.

    Guarantees: made once, however many ask for it at the same moment; made on a thread, because a large lot takes
    75 ms and the screens must not wait for it; never of another version than asked for. Bounded: `GUIDES_KEPT`, then
    the one that was asked for longest ago is made again when it is needed.
    """

    def __init__(self) -> None:
        self._made: OrderedDict[str, _Making] = OrderedDict()

    def __len__(self) -> int:
        return len(self._made)

    async def of(self, layout: Lot) -> Guide:
        """The guide of `layout`, as live state holds it."""
        making = self._made.get(layout.lot)
        if making is None or making.layout is not layout:
            making = _Making(layout, asyncio.create_task(asyncio.to_thread(Guide, layout)))
            self._made[layout.lot] = making
            if len(self._made) > GUIDES_KEPT:
                self._made.popitem(last=False)
        self._made.move_to_end(layout.lot)
        return await asyncio.shield(making.guide)  # whoever goes away must not take it from the others
