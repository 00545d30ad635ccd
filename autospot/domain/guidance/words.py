"""A way in words: what somebody at the wheel or on foot is told, left and right by geometry.

A turn is told only where there is a choice: a bend of the lane says nothing. Turns are counted by the openings to that
side since the last step: `second right` passes one lane on the right and takes the next.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Literal, NamedTuple

from autospot.domain.guidance.network import Mode, Network, Via, allows
from autospot.domain.planar import bearing, turn

STRAIGHT_DEGREES = 35.0
"""A change of direction up to this is no turn."""

BACK_DEGREES = 150.0
"""One beyond this turns round."""

ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")

Side = Literal["straight", "left", "right", "back"]


class RoutePoint(NamedTuple):
    """A point of a level, in metres of the plan."""

    level: str
    x: float
    y: float

    @property
    def flat(self) -> tuple[float, float]:
        return self.x, self.y


class Move(NamedTuple):
    """One straight piece of a way. `node` is where it begins, None if that is not a node of the plan."""

    start: RoutePoint
    end: RoutePoint
    via: Via
    metres: float
    node: str | None


class Step(NamedTuple):
    """One thing to do: `text` in words, at `point`, `metres` after the start of the route."""

    text: str
    point: RoutePoint
    metres: float


def steps_in_words(
    network: Network, mode: Mode, moves: Sequence[Move], departure: str | None, arrival: str
) -> Iterator[Step]:
    """The steps of a way of one move or more, from a bay called `departure` (None: from elsewhere) to `arrival`."""
    teller = _Teller(network, mode, departure)
    last = moves[-1]
    into_bay = last.via.kind == "bay" and (len(moves) > 1 or departure is None)
    for _, group in groupby(moves[:-1] if into_bay else moves, key=_leg):
        yield from teller.tell(list(group))
    yield teller.arrive(arrival, last, into_bay=into_bay)


def _leg(move: Move) -> tuple[object, ...]:
    """What makes moves one thing to tell: all flights of one stairs, all pieces of one ramp."""
    return tuple(move.via) if move.via.kind in ("ramp", "lift", "stairs") else tuple(move)


class _Teller:
    """Walks along a way and remembers what the next step depends on: the heading, and the openings passed."""

    def __init__(self, network: Network, mode: Mode, departure: str | None) -> None:
        self._network = network
        self._mode = mode
        self._departure = departure
        self._heading: float | None = None
        self._passed: dict[Side, int] = {"left": 0, "right": 0}
        self._metres = 0.0

    def tell(self, moves: list[Move]) -> Iterator[Step]:
        """The step that one leg needs, if any."""
        first, last = moves[0], moves[-1]
        if first.via.kind in ("ramp", "lift", "stairs"):
            yield self._step(f"{self._name(first.via)} to {last.end.level}", first.start)
            self._heading = _bearing(last) if first.via.kind == "ramp" else None
        elif first.start.flat != first.end.flat:
            text = self._turn(first)
            self._heading = _bearing(first)
            if text is not None:
                yield self._step(text, first.start)
        if first.via.kind not in ("lift", "stairs"):
            self._metres += sum(move.metres for move in moves)

    def arrive(self, arrival: str, last: Move, *, into_bay: bool) -> Step:
        """The last step: the place, and for a bay on which side it is."""
        if not into_bay:
            return Step(arrival, last.end, round(self._metres, 1))
        if self._heading is None:
            return Step(arrival, last.start, round(self._metres, 1))
        side = _side(self._heading, _bearing(last))
        where = {"straight": "straight ahead", "back": "behind you"}.get(side, f"on the {side}")
        return Step(f"{arrival} {where}", last.start, round(self._metres, 1))

    def _turn(self, move: Move) -> str | None:
        if self._heading is None:
            return None
        side = _side(self._heading, _bearing(move))
        if self._departure is not None:
            out, self._departure = self._departure, None
            return f"out of {out} " + {"straight": "straight on", "back": "backwards"}.get(side, f"to the {side}")
        if side == "back":
            return "turn round"
        if move.node is None:
            return None
        openings = self._openings(move.node, self._heading)
        if side == "straight":
            for opening in openings:
                if opening in self._passed:
                    self._passed[opening] += 1
            return None
        return f"{_ordinal(self._passed[side])} {side}" if len(openings) > 1 else None

    def _openings(self, node: str, heading: float) -> list[Side]:
        """On which side the ways lie that go on from `node`, the way back left out."""
        here = self._network.nodes[node]
        sides: list[Side] = []
        for following, parallel in self._network.graph.adj[node].items():
            there = self._network.nodes[following]
            usable = any(allows(self._mode, edge) for edge in parallel.values())
            if usable and (here.x, here.y) != (there.x, there.y):
                side = _side(heading, bearing((here.x, here.y), (there.x, there.y)))
                if side != "back":
                    sides.append(side)
        return sides

    def _name(self, via: Via) -> str:
        shafts = {lift.lift: lift.name for lift in self._network.lot.lifts}
        shafts |= {stairs.stairs: stairs.name for stairs in self._network.lot.stairs}
        return shafts.get(via.code) or via.kind

    def _step(self, text: str, point: RoutePoint) -> Step:
        self._passed = {"left": 0, "right": 0}
        return Step(text, point, round(self._metres, 1))


def _bearing(move: Move) -> float:
    return bearing(move.start.flat, move.end.flat)


def _side(before: float, after: float) -> Side:
    degrees = turn(before, after)
    if math.fabs(degrees) <= STRAIGHT_DEGREES:
        return "straight"
    if math.fabs(degrees) > BACK_DEGREES:
        return "back"
    return "right" if degrees > 0 else "left"


def _ordinal(passed: int) -> str:
    return ORDINALS[passed] if passed < len(ORDINALS) else f"{passed + 1}th"
