"""What a parsing screen knows of one lot, by the rules of the websocket contract, and how late it learnt it."""

from __future__ import annotations

import msgspec

from bench.latency import Latencies
from bench.schedule import Said, Schedule, instant_ms


class View(msgspec.Struct):
    """A bay as a frame shows it; the fields that the gate looks at."""

    state: str
    occupied: bool | None = None
    at: str | None = None


class Message(msgspec.Struct):
    """A server message. `gap_from` is the contract's `from`; peers that number nothing leave `rev` and it out."""

    type: str
    lot: str = ""
    epoch: str | int | None = None
    rev: int = 0
    gap_from: int = msgspec.field(default=0, name="from")
    bays: dict[str, View] = {}
    code: str | int | None = None
    message: str = ""


decode_message = msgspec.json.Decoder(Message).decode


class Expected:
    """The readings of one lot that are still to be shown.

    A reading counts as shown when its bay shows it *or a newer one*: a hub that stalls and then merges ten readings
    into one view has kept nine waiting, and all ten are charged from the time they were due.
    """

    def __init__(self, schedule: Schedule, lot: int) -> None:
        self._schedule = schedule
        self._numbers = schedule.numbers_by_bay(lot)
        self._next = dict.fromkeys(self._numbers, 0)
        self.missing = sum(len(numbers) for numbers in self._numbers.values())

    def shown(self, bay: str, at_ms: int, now_us: int, latencies: Latencies) -> None:
        """Bay `bay` shows its reading of `at_ms`, seen at `now_us`. Raises ValueError for a reading not yet due."""
        numbers, turn = self._numbers.get(bay, range(0)), self._next.get(bay, 0)
        while turn < len(numbers):
            due_ms = self._schedule.due_ms(numbers[turn])
            if due_ms > at_ms:
                break
            if numbers[turn] >= self._schedule.load.first_measured:
                latencies.record(now_us - due_ms * 1000)
            turn += 1
            self.missing -= 1
        self._next[bay] = turn


class LotOnScreen:
    """A lot as one client sees it: the last snapshot with the deltas after it.

    Raises ValueError for a frame that the contract forbids: another lot's, a gap, a step back, a state that denies what
    it says of `occupied`.
    """

    def __init__(self, lot: str, latencies: Latencies) -> None:
        self.lot = lot
        self.bays: dict[str, Said] = {}
        self.has_snapshot = False
        self.expected: Expected | None = None
        self._latencies = latencies
        self._epoch: str | int | None = None
        self._rev = 0

    def apply(self, message: Message, now_us: int) -> None:
        """Take one frame, received at `now_us` (microseconds since the Unix epoch). Other message types are ignored."""
        if message.type not in {"snapshot", "delta"}:
            return
        if message.lot != self.lot:
            raise ValueError(f"a screen of {self.lot} was sent lot {message.lot}")
        if message.type == "snapshot":
            self.bays.clear()
            self.has_snapshot, self._epoch = True, message.epoch
        elif message.epoch != self._epoch or message.gap_from > self._rev or message.rev < self._rev:
            raise ValueError(f"{self.lot}: delta from {message.gap_from} to {message.rev} does not follow {self._rev}")
        self._rev = message.rev
        for bay, view in message.bays.items():
            self._show(bay, view, now_us)

    def _show(self, bay: str, view: View, now_us: int) -> None:
        if view.occupied is None or view.at is None:
            self.bays[bay] = Said(occupied=None, at_ms=None)
            return
        if view.state not in {"occupied", "free"} or (view.state == "occupied") != view.occupied:
            raise ValueError(f"{self.lot}/{bay} is shown as {view.state} with occupied {view.occupied}")
        at_ms = instant_ms(view.at)
        self.bays[bay] = Said(view.occupied, at_ms)
        if self.expected is not None:
            self.expected.shown(bay, at_ms, now_us, self._latencies)
