"""Charges as runs: many equal charges at equal distances are one value, so a year costs as little as its rules.

Positions are offsets: chargeable seconds since entry. Amounts are shares, 1/3600 of a minor unit: a price per hour
times a second is a whole number of them, so the engine adds integers and rounds once, in the quote.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

SHARES = 3600
"""Shares in one minor unit."""

HOUR_SECONDS = 3600


class Rule(NamedTuple):
    """What a charge is for, in `words`, and its price: minor units per `per_seconds` (0: once)."""

    words: str
    price: int
    per_seconds: int

    def shares(self, unit_seconds: int) -> int:
        """The charge for one unit."""
        if self.per_seconds == unit_seconds:
            return self.price * SHARES
        return self.price * SHARES * unit_seconds // self.per_seconds


class Run(NamedTuple):
    """`units` charges of `shares` each, one at the beginning of each `unit_seconds` from `start`.

    A unit of 0 seconds is a single charge for all the time to `until`, which is where the run ends for the reader.
    """

    start: int
    unit_seconds: int
    units: int
    shares: int
    until: int
    rule: Rule

    @property
    def total(self) -> int:
        """All its charges, in shares."""
        return self.units * self.shares

    def begun_before(self, offset: int) -> int:
        """How many of its charges lie before `offset`."""
        if offset <= self.start:
            return 0
        if self.unit_seconds == 0:
            return self.units
        return min(self.units, -((self.start - offset) // self.unit_seconds))

    def first(self, units: int) -> Run:
        """Its first `units` charges, at least one."""
        if self.unit_seconds == 0:
            return self
        return self._replace(units=units, until=min(self.until, self.start + units * self.unit_seconds))

    def after(self, units: int) -> Run:
        """Its charges but the first `units`, at least one."""
        return self._replace(start=self.start + units * self.unit_seconds, units=self.units - units)


class Room(NamedTuple):
    """From `start` (until the next room) charges may add up to `limit` shares, None for no limit; `words` say why."""

    start: int
    limit: int | None
    words: str


class Reduction(NamedTuple):
    """What a cap takes off the charges of its window `[start, until)`."""

    start: int
    until: int
    shares: int
    words: str


class Owed(NamedTuple):
    """What some of the stay owes: the `runs` as priced, what caps leave of them (`kept`), and what they took off."""

    runs: list[Run]
    kept: list[Run]
    reductions: list[Reduction]


def pieces(runs: Iterable[Run], starts: Sequence[int]) -> Iterator[tuple[int, Run]]:
    """The runs cut where a room starts, each with the room's number. Runs are in order and none begins before
    `starts[0]`.
    """
    room = 0
    for run in runs:
        rest: Run | None = run
        while rest is not None:
            while room + 1 < len(starts) and starts[room + 1] <= rest.start:
                room += 1
            here = rest.begun_before(starts[room + 1]) if room + 1 < len(starts) else rest.units
            if here >= rest.units:
                yield room, rest
                rest = None
            else:
                yield room, rest.first(here)
                rest = rest.after(here)


def within(run: Run, room: int) -> list[Run]:
    """The part of the run that `room` shares pay for: whole charges, then what is left of the next one."""
    if run.total <= room:
        return [run]
    whole, rest = divmod(room, run.shares)
    kept = [run.first(whole)] if whole else []
    if rest:
        kept.append(run.after(whole).first(1)._replace(shares=rest))
    return kept


def capped(runs: Iterable[Run], rooms: Sequence[Room], end: int) -> tuple[list[Run], list[Reduction]]:
    """The charges that fit their rooms, and what was taken off in each. Earlier charges come first."""
    kept: list[Run] = []
    taken = [0] * len(rooms)
    left = [room.limit for room in rooms]
    for number, run in pieces(runs, [room.start for room in rooms]):
        room = left[number]
        if room is None:
            kept.append(run)
            continue
        fitting = within(run, room)
        kept.extend(fitting)
        paid = sum(part.total for part in fitting)
        left[number] = room - paid
        taken[number] += run.total - paid
    ends = [room.start for room in rooms[1:]] + [end]
    reductions = [
        Reduction(room.start, until, shares, room.words)
        for room, until, shares in zip(rooms, ends, taken, strict=True)
        if shares
    ]
    return kept, reductions
