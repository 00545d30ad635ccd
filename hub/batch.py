"""What goes into the log together, and what went there lately."""

from __future__ import annotations

from collections import OrderedDict, defaultdict, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from autospot.domain.bay import SensorHalf
from autospot.domain.change import SensorChange
from hub.mqtt import Burst
from hub.sensors import Sensor

RECENT_READINGS = 50_000
"""Readings remembered by identity. The broker sends again what was unacknowledged when a connection or the hub died:
at most one inbox, which this covers more than twice."""


def _identity(lot: str, change: SensorChange) -> int:
    """What makes two messages the same reading. A hash of 64 bits, since 50,000 tuples are much to keep warm."""
    return hash((lot, change.bay, change.at_ms or 0, change.seq, change.occupied))


@dataclass(slots=True)
class Batch:
    """What bursts come to: nothing in here has had any effect yet, except that `Sensor.half` runs ahead. `heard` says
    what each sensor's half becomes once the batch is durable; batches are appended in the order in which they were
    judged."""

    bursts: list[Burst] = field(default_factory=list)
    changes: dict[str, list[SensorChange]] = field(default_factory=lambda: defaultdict(list))
    past: dict[str, list[SensorChange]] = field(default_factory=lambda: defaultdict(list))
    letters: list[tuple[str, bytes, str, str, int]] = field(default_factory=list)
    heard: dict[Sensor, SensorHalf] = field(default_factory=dict)
    verdicts: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    _identities: set[int] = field(default_factory=set)
    _identified: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def holds(self, lot: str, change: SensorChange) -> bool:
        """True if this very reading is in here already."""
        changes = self.changes.get(lot, ())
        for row in changes[self._identified[lot] :]:
            self._identities.add(_identity(lot, row))
        self._identified[lot] = len(changes)
        return _identity(lot, change) in self._identities

    def add_past(self, lot: str, change: SensorChange) -> None:
        """Takes in a reading that is kept and not shown."""
        self.past[lot].append(change)
        self._identities.add(_identity(lot, change))


class RecentReadings:
    """The last `RECENT_READINGS` readings of closed batches, by identity; the oldest are forgotten.

    Only late readings are asked after. So rows are kept as they come, and given their identities when somebody asks:
    0.5 us a reading saved, and 34 ms spent at once in the worst case, the first late reading after a long storm.
    """

    def __init__(self) -> None:
        self._identities: OrderedDict[int, None] = OrderedDict()
        self._rows: deque[tuple[str, Sequence[SensorChange]]] = deque()
        self._rows_count = 0

    def add(self, rows_by_lot: Mapping[str, Sequence[SensorChange]]) -> None:
        """Remembers what a batch or an entry of the log holds."""
        for lot, rows in rows_by_lot.items():
            self._rows.append((lot, rows))
            self._rows_count += len(rows)
        while self._rows_count > RECENT_READINGS:
            self._identities.clear()  # all of them older than what goes
            self._rows_count -= len(self._rows.popleft()[1])

    def holds(self, lot: str, change: SensorChange) -> bool:
        """True if this very reading is among them."""
        while self._rows:
            lot_of_rows, rows = self._rows.popleft()
            self._identities.update(dict.fromkeys(_identity(lot_of_rows, row) for row in rows))
        self._rows_count = 0
        while len(self._identities) > RECENT_READINGS:
            self._identities.popitem(last=False)
        return _identity(lot, change) in self._identities
