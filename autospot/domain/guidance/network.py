"""The graph of a lot: every way of its plan as an edge with metres, and where each bay opens onto an aisle.

Nodes are the plan's nodes. Bays are not nodes: a bay hangs at a distance along one straight stretch of an aisle, so the
graph of a lot with thousands of bays has tens of nodes, and distances to bays are exact all the same.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import pairwise
from typing import Any, Literal, NamedTuple

import networkx as nx

from autospot.domain.lot import Bay, Lot
from autospot.domain.plan import Aisle, Node
from autospot.domain.planar import Point, foot_on

REACH_METRES = 15.0
"""A bay whose mouth is further than this from every aisle opens on none of them."""

LIFT_METRES = 30.0
LIFT_METRES_PER_LEVEL = 5.0
STAIRS_METRES_PER_LEVEL = 15.0
"""What a lift or stairs cost a walker, in metres walked in the same time at 1.3 m/s: about 23 s until a lift has come
and closed its doors, 4 s per level in it; 12 s per flight of stairs."""

ViaKind = Literal["aisle", "ramp", "lift", "stairs", "edge", "bay"]


class Via(NamedTuple):
    """What a piece of a way is in the plan. A plain edge has no code; `bay` is the piece between bay and aisle."""

    kind: ViaKind
    code: str = ""


class Mode(NamedTuple):
    """How somebody moves: which edges exist for them. `height_metres` is the vehicle's, for `drive`."""

    way: Literal["drive", "walk"]
    height_metres: float = 0.0
    step_free: bool = False


class Stretch(NamedTuple):
    """One straight piece of an aisle, from node `start` to node `end`, and the box around it."""

    aisle: Aisle
    start: Node
    end: Node
    metres: float
    west: float
    east: float
    south: float
    north: float


class Tip(NamedTuple):
    """A node by which a place joins the graph, and the metres between the two along the aisle."""

    node: str
    metres: float


class Opening(NamedTuple):
    """Where a bay meets its aisle: `point`, `along` metres from the stretch's start, `aside` metres from its centre."""

    stretch: Stretch
    along: float
    aside: float
    point: Point

    @property
    def ends(self) -> tuple[Tip, Tip]:
        """Both ends of the stretch: whoever walks may use either."""
        start, end, metres = self.stretch.start.node, self.stretch.end.node, self.stretch.metres
        return Tip(start, self.along), Tip(end, metres - self.along)

    @property
    def entries(self) -> tuple[Tip, ...]:
        """The ends a car may come from: of a one-way aisle the first, and the last for a bay right at it."""
        start, end = self.ends
        return (start, end) if not self.stretch.aisle.one_way or not end.metres else (start,)

    @property
    def departures(self) -> tuple[Tip, ...]:
        """The ends a car may leave by: of a one-way aisle the last, and the first for a bay right at it."""
        start, end = self.ends
        return (start, end) if not self.stretch.aisle.one_way or not start.metres else (end,)


class Network:
    """The ways of one lot.

    `graph` has one edge per way and direction with `metres`, `mode` (drive or walk), `via` and `clearance` (metres of
    height, infinite outdoors). `openings` has an entry for each bay that opens on an aisle. What the plan says is
    closed is left out, unless `with_closed`. Every code the plan mentions must be known (`problems_of` sees to that).
    """

    def __init__(self, lot: Lot, *, with_closed: bool = False) -> None:
        self.lot = lot
        self.nodes: Mapping[str, Node] = {node.node: node for node in lot.nodes}
        self.graph: nx.MultiDiGraph[str] = nx.MultiDiGraph()
        self.graph.add_nodes_from(self.nodes)
        self._clearance = {level.level: level.max_height_metres or math.inf for level in lot.levels}
        self._ordinal = {level.level: level.ordinal for level in lot.levels}
        self._with_closed = with_closed
        self._add_ways()
        self._add_shafts()
        self.openings: Mapping[str, Opening] = dict(self._openings())

    def _add_ways(self) -> None:
        for aisle in self._open(self.lot.aisles):
            for start, end in pairwise(aisle.path):
                self._join(start, end, Via("aisle", aisle.aisle), drive=True, walk=True, one_way=aisle.one_way)
        for ramp in self._open(self.lot.ramps):
            straight = sum(self.straight(start, end) for start, end in pairwise(ramp.path))
            stretch = ramp.metres / straight if ramp.metres is not None and straight else 1.0
            for start, end in pairwise(ramp.path):
                metres = stretch * self.straight(start, end)
                via = Via("ramp", ramp.ramp)
                self._join(start, end, via, drive=True, walk=ramp.walk, one_way=ramp.one_way, metres=metres)
        for edge in self._open(self.lot.edges):
            drive, walk = edge.way != "walk", edge.way != "drive"
            self._join(
                edge.start, edge.end, Via("edge"), drive=drive, walk=walk, one_way=edge.one_way, metres=edge.metres
            )

    def _add_shafts(self) -> None:
        for lift in self._open(self.lot.lifts):
            for low in range(len(lift.path)):
                for high in range(low + 1, len(lift.path)):
                    start, end = lift.path[low], lift.path[high]
                    metres = LIFT_METRES + LIFT_METRES_PER_LEVEL * self._levels_between(start, end)
                    self._join(start, end, Via("lift", lift.lift), drive=False, walk=True, metres=metres)
        for stairs in self._open(self.lot.stairs):
            for start, end in pairwise(stairs.path):
                metres = STAIRS_METRES_PER_LEVEL * self._levels_between(start, end)
                self._join(start, end, Via("stairs", stairs.stairs), drive=False, walk=True, metres=metres)

    def _open(self, things: Iterable[Any]) -> Iterator[Any]:
        return (thing for thing in things if self._with_closed or not thing.closed)

    def _join(
        self,
        start: str,
        end: str,
        via: Via,
        *,
        drive: bool,
        walk: bool,
        one_way: bool = False,
        metres: float | None = None,
    ) -> None:
        length = self.straight(start, end) if metres is None else metres
        clearance = min(self._clearance[self.nodes[start].level], self._clearance[self.nodes[end].level])
        for way, there, back in (("drive", drive, drive and not one_way), ("walk", walk, walk)):
            if there:
                self.graph.add_edge(start, end, way=way, metres=length, via=via, clearance=clearance)
            if back:
                self.graph.add_edge(end, start, way=way, metres=length, via=via, clearance=clearance)

    def straight(self, start: str, end: str) -> float:
        """Metres between two nodes as the crow flies, whatever their levels."""
        a, b = self.nodes[start], self.nodes[end]
        return math.hypot(b.x - a.x, b.y - a.y)

    def _levels_between(self, start: str, end: str) -> int:
        return abs(self._ordinal[self.nodes[start].level] - self._ordinal[self.nodes[end].level]) or 1

    def _openings(self) -> Iterator[tuple[str, Opening]]:
        by_aisle: dict[str, list[Stretch]] = {}
        by_level: dict[str, list[Stretch]] = {}
        for aisle in self._open(self.lot.aisles):
            for start_code, end_code in pairwise(aisle.path):
                stretch = _stretch(aisle, self.nodes[start_code], self.nodes[end_code])
                by_aisle.setdefault(aisle.aisle, []).append(stretch)
                by_level.setdefault(stretch.start.level, []).append(stretch)
        for bay in self.lot.bays:
            stretches = by_level.get(bay.level, []) if bay.aisle is None else by_aisle.get(bay.aisle, [])
            opening = opening_of(bay, stretches)
            if opening is not None:
                yield bay.bay, opening


def mouth_of(bay: Bay) -> tuple[float, float]:
    """The middle of the side a car drives in by."""
    looks = math.radians(bay.rotation)
    half = bay.length / 2
    return bay.x - math.sin(looks) * half, bay.y - math.cos(looks) * half


def _stretch(aisle: Aisle, start: Node, end: Node) -> Stretch:
    west, east = sorted((start.x, end.x))
    south, north = sorted((start.y, end.y))
    metres = math.hypot(end.x - start.x, end.y - start.y)
    return Stretch(aisle, start, end, metres, west, east, south, north)


def opening_of(bay: Bay, stretches: Iterable[Stretch]) -> Opening | None:
    """Where `bay` opens onto the stretch nearest to its mouth; None where none is within `REACH_METRES`.

    The mouth decides, not the centre: the last bay of a row is nearer to the cross aisle than to its own.
    """
    x, y = mouth_of(bay)
    nearest: Stretch | None = None
    reach = REACH_METRES
    for stretch in stretches:
        if (
            y > stretch.north + reach
            or y < stretch.south - reach
            or x > stretch.east + reach
            or x < stretch.west - reach
        ):
            continue  # most stretches end here: this loop is most of the cost of reading a big lot
        start, end = stretch.start, stretch.end
        metres = foot_on((start.x, start.y), (end.x, end.y), (x, y)).aside
        if metres < reach:
            nearest, reach = stretch, metres
    if nearest is None:
        return None
    start, end = nearest.start, nearest.end
    foot = foot_on((start.x, start.y), (end.x, end.y), (bay.x, bay.y))
    return Opening(nearest, foot.along, foot.aside, (foot.x, foot.y))


def weight(mode: Mode) -> Callable[[str, str, Mapping[Any, Mapping[str, Any]]], float | None]:
    """The weight function of networkx for `mode`: metres of the shortest parallel edge, None where there is none."""

    def metres(_start: str, _end: str, parallel: Mapping[Any, Mapping[str, Any]]) -> float | None:
        return min((edge["metres"] for edge in parallel.values() if allows(mode, edge)), default=None)

    return metres


def allows(mode: Mode, edge: Mapping[str, Any]) -> bool:
    """True if somebody who moves by `mode` may use `edge`."""
    if edge["way"] != mode.way:
        return False
    if mode.way == "walk":
        return not (mode.step_free and edge["via"].kind == "stairs")
    return bool(edge["clearance"] >= mode.height_metres)
