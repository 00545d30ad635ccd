"""Live state for REST: `LiveLots` as long as it is true, and its snapshots as bytes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from time import perf_counter
from typing import Final

from api.contract import Encoded
from autospot.clock import Clock
from autospot.domain.errors import NotFound, Unavailable
from autospot.domain.messages import LotState
from autospot.live import LiveBay, LiveLot, LiveLots, snapshot_bytes

BEHIND_LIMIT_MS: Final = 30_000
"""Live state that the database has not confirmed for longer is not given out as live."""

SNAPSHOTS_KEPT: Final = 256
"""Lots whose last snapshot is kept, most recently asked for first: 12 MB with 500 bays each."""

SNAPSHOT_REST: Final = 10
"""A snapshot serves for this many times what making it took, even if the lot has changed meanwhile: a large lot in a
storm of changes costs at most a tenth of the event loop. For 500 bays (0.5 ms to make) that is 5 ms."""

NO_SUCH_LOT: Final = NotFound("there is no such lot")
NO_SUCH_BAY: Final = NotFound("there is no such bay")
NOT_LIVE: Final = Unavailable("live state is not up to date at this moment", code="not_live")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A lot's state at one position, as the answer whose etag is `epoch:rev`."""

    lot: LiveLot
    rev: int
    answer: Encoded[LotState]
    good_until: float


class CurrentLots:
    """What REST may say of lots. Every method raises `NotFound` for unknown lots and bays and `Unavailable` while the
    fold is not caught up (`is_ready`) or behind for more than `BEHIND_LIMIT_MS`."""

    def __init__(
        self,
        live: LiveLots,
        clock: Clock,
        is_ready: Callable[[], bool],
        now_seconds: Callable[[], float] = perf_counter,
    ) -> None:
        self._live = live
        self._clock = clock
        self._is_ready = is_ready
        self._now_seconds = now_seconds
        self._snapshots: OrderedDict[str, Snapshot] = OrderedDict()

    @property
    def epoch(self) -> str:
        """The name of the history that positions belong to."""
        return self._live.epoch

    def all(self) -> Iterable[LiveLot]:
        """Every lot, in no order."""
        self._check_live()
        return self._live.lots.values()

    def lot(self, code: str) -> LiveLot:
        """The lot of that code."""
        self._check_live()
        lot = self._live.lot(code)
        if lot is None:
            raise NotFound(NO_SUCH_LOT.message)
        return lot

    def bay(self, lot: str, bay: str) -> tuple[LiveLot, LiveBay]:
        """A bay and its lot."""
        found = self.lot(lot)
        live_bay = found.bays.get(bay)
        if live_bay is None:
            raise NotFound(NO_SUCH_BAY.message)
        return found, live_bay

    def snapshot(self, code: str) -> Encoded[LotState]:
        """The lot's state as bytes. Equal etags have equal bytes."""
        lot = self.lot(code)
        kept = self._snapshots.get(code)
        if kept is not None and kept.lot is lot and (kept.rev == lot.rev or self._now_seconds() < kept.good_until):
            return kept.answer
        began = self._now_seconds()
        body = snapshot_bytes(lot, self.epoch, self._clock.now_ms())
        ended = self._now_seconds()
        answer: Encoded[LotState] = Encoded(body, f"{self.epoch}:{lot.rev}")
        made = Snapshot(lot, lot.rev, answer, ended + (ended - began) * SNAPSHOT_REST)
        self._snapshots[code] = made
        self._snapshots.move_to_end(code)
        if len(self._snapshots) > SNAPSHOTS_KEPT:
            self._snapshots.popitem(last=False)
        return answer

    def _check_live(self) -> None:
        behind_since_ms = self._live.behind_since_ms
        is_behind = behind_since_ms is not None and self._clock.now_ms() - behind_since_ms > BEHIND_LIMIT_MS
        if is_behind or not self._is_ready():
            raise Unavailable(NOT_LIVE.message, code=NOT_LIVE.code)
