"""What the sensors will say and when: fixed before the first packet leaves, known to sender, screens and gate alike.

Due times do not depend on how fast anything answers (an open loop), so a system that stalls is charged for every
reading that became due meanwhile; see "coordinated omission" in Gil Tene, *How NOT to Measure Latency* (2013).
"""

from __future__ import annotations

import random
from array import array
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

READINGS_MAX: Final = 20_000_000
"""A run is bounded: more readings than this is a typing error, not a benchmark."""

BOOT: Final = 1


@dataclass(frozen=True, slots=True)
class Load:
    """How much is asked of a system: `rate` readings a second over `lots` x `bays`, for warm-up and then `seconds`.

    Readings due in the warm-up are sent and must be right in the end, but their latency is not counted: just-in-time
    compilers and caches are warm in a hub that has run for a minute. `first` is the number of the first reading: a load
    with the same seed that begins where another ended continues it on the same running system.
    """

    lots: int
    bays: int
    rate: int
    seconds: float
    warmup_seconds: float
    seed: int
    first: int = 0

    def __post_init__(self) -> None:
        if min(self.lots, self.bays, self.rate) < 1 or self.seconds <= 0 or min(self.warmup_seconds, self.first) < 0:
            raise ValueError(f"lots, bays, rate and seconds must be positive: {self}")
        if self.readings > READINGS_MAX:
            raise ValueError(f"{self.readings} readings are over the limit of {READINGS_MAX}")

    @property
    def readings(self) -> int:
        """All readings of the run, those of the warm-up included."""
        return int(self.rate * (self.warmup_seconds + self.seconds))

    @property
    def measured_readings(self) -> int:
        """The readings whose latency counts."""
        return self.end - self.first_measured

    @property
    def first_measured(self) -> int:
        """The number of the first reading that is due after the warm-up."""
        return self.first + int(self.rate * self.warmup_seconds)

    @property
    def end(self) -> int:
        """One more than the number of the last reading."""
        return self.first + self.readings

    @property
    def continues(self) -> bool:
        """Whether bays may have spoken before: then only those that speak now can be judged."""
        return self.first > 0


@dataclass(frozen=True, slots=True)
class Said:
    """What a bay's newest reading says. `at_ms`: milliseconds since the Unix epoch; None where nothing was said."""

    occupied: bool | None
    at_ms: int | None


SILENT: Final = Said(occupied=None, at_ms=None)


def lot_code(lot: int) -> str:
    """The code that `autospot lots generate` gives to lot number `lot`."""
    return f"L{lot:03d}"


def bay_code(bay: int) -> str:
    """The code that `autospot lots generate` gives to bay number `bay` of a lot."""
    return f"B{bay:05d}"


def instant_text(at_ms: int) -> str:
    """RFC 3339 in UTC with milliseconds, as sensors send it."""
    return datetime.fromtimestamp(at_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S") + f".{at_ms % 1000:03d}Z"


def instant_ms(text: str) -> int:
    """The inverse of `instant_text`, for any number of fraction digits."""
    return round(datetime.fromisoformat(text).timestamp() * 1000)


class Schedule:
    """Every reading of a run, by number.

    Reading `i` belongs to bay `order[i % n]`: one seeded shuffle of all `n` bays, gone through again and again, so that
    a bay's readings are as far apart as can be and nothing is gained by merging two of them. A bay's `occupied` turns
    over with each of its readings; how it begins is drawn per bay. Bays are numbered through all lots.
    """

    def __init__(self, load: Load, start_ms: int) -> None:
        self.load = load
        self.start_ms = start_ms
        self.total_bays = load.lots * load.bays
        source = random.Random(load.seed)
        shuffled = list(range(self.total_bays))
        source.shuffle(shuffled)
        self.order = array("I", shuffled)
        self.first_occupied = source.randbytes(self.total_bays)

    def due_ms(self, number: int) -> int:
        """When reading `number` is due, rounded down to the millisecond that its `at` can express."""
        return self.start_ms + (number - self.load.first) * 1000 // self.load.rate

    def due_by(self, now_ms: float) -> int:
        """The number below which every reading is due at `now_ms`."""
        if now_ms < self.start_ms:
            return self.load.first
        elapsed = int((now_ms - self.start_ms) * self.load.rate / 1000)
        return min(self.load.end, self.load.first + elapsed + 1)

    def occupied(self, bay: int, turn: int) -> bool:
        """What bay `bay` says in its reading number `turn` (from 0)."""
        return (self.first_occupied[bay] + turn) & 1 == 1

    def newest(self) -> dict[int, Said]:
        """The last word of each bay that speaks in this run."""
        last: dict[int, Said] = {}
        for number in range(max(self.load.first, self.load.end - self.total_bays), self.load.end):
            bay, turn = self.order[number % self.total_bays], number // self.total_bays
            last[bay] = Said(self.occupied(bay, turn), self.due_ms(number))
        return last

    def newest_by_lot(self) -> dict[str, dict[str, Said]]:
        """The last word of every bay that speaks in this run: lot code -> bay code -> what it said."""
        lots: dict[str, dict[str, Said]] = {}
        for bay, word in self.newest().items():
            lot, code = self.names(bay)
            lots.setdefault(lot, {})[code] = word
        return lots

    def numbers_by_bay(self, lot: int) -> dict[str, range]:
        """For each bay of `lot`, by code: the numbers of its readings in order of time."""
        first, end = lot * self.load.bays, (lot + 1) * self.load.bays
        return {
            bay_code(bay - first): range(self._first_of(position), self.load.end, self.total_bays)
            for position, bay in enumerate(self.order)
            if first <= bay < end
        }

    def _first_of(self, position: int) -> int:
        """The number of the first reading of this run that stands at `position` of the shuffle."""
        return self.load.first + (position - self.load.first) % self.total_bays

    def names(self, bay: int) -> tuple[str, str]:
        """Lot code and bay code of bay number `bay`."""
        return lot_code(bay // self.load.bays), bay_code(bay % self.load.bays)
