"""Guiding: which bay to take as things are now, and the way there.

A recommendation promises nothing: the same question gets the same answer until a bay changes, whoever asks. Who wants
a bay that nobody else is sent to asks for an assignment (`assigning.py`), which is matched and promised.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from autospot.clock import Clock
from autospot.domain.errors import InvalidInput
from autospot.domain.guidance import DEFAULT_WEIGHTS, Guide, Recommendation, Route, Weights, Wish, recommend, route
from autospot.domain.period import Period
from autospot.live import LiveLot
from autospot.services.desk.booking import LotOf
from autospot.services.desk.choice import Choice, vacant_now
from autospot.services.guides import Guides


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a driver asks: `wish`, at most `most` bays, a metre counted by `weights`.

    Without times: for now. With `until`: for a stay that begins now. With both: for a booking.
    """

    wish: Wish
    most: int = 3
    weights: Weights = DEFAULT_WEIGHTS
    start: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Advice:
    """The answer, with what it was found in: `live` as it was at its position `rev`."""

    live: LiveLot
    rev: int
    guide: Guide
    found: Sequence[Recommendation]


class Guiding:
    """Recommendations and routes of every lot."""

    def __init__(self, lot_of: LotOf, choice: Choice, guides: Guides, clock: Clock) -> None:
        self._lot_of = lot_of
        self._choice = choice
        self._guides = guides
        self._clock = clock

    async def advise(self, lot: str, question: Question) -> Advice:
        """The best bays, best first. `NotFound` for a lot, an entrance or a destination that is not there,
        `InvalidInput` for a time that is over."""
        live = self._lot_of(lot)
        guide = await self._guides.of(live.layout)
        free = await self._free(live, question)
        found = recommend(guide, free, question.wish, question.most, question.weights)
        return Advice(live, live.rev, guide, found)

    async def way(
        self, lot: str, start: str, end: str, *, height_metres: float = 0.0, step_free: bool = False
    ) -> tuple[int, Route]:
        """The way between two places of a lot, and the version of the layout it is a way of. `NotFound` as `route`."""
        layout = self._lot_of(lot).layout
        guide = await self._guides.of(layout)
        return layout.version, route(guide, start, end, height_metres=height_metres, step_free=step_free)

    async def _free(self, live: LiveLot, question: Question) -> frozenset[str]:
        if question.until is None:
            return vacant_now(live)
        now = self._clock.now()
        if question.until <= now or (question.start is not None and question.start < now):
            raise InvalidInput("this time is over", at="/until" if question.until <= now else "/from")
        if question.start is None:
            return vacant_now(live) - await self._choice.taken(live, Period(now, question.until))
        return await self._choice.bookable(live, Period(question.start, question.until), now)
