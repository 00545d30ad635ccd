"""The way from one place of a lot to another: a line for the map and steps in words."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Literal, NamedTuple, cast

import networkx as nx

from autospot.domain.errors import NotFound
from autospot.domain.guidance.distances import Guide
from autospot.domain.guidance.network import Mode, Network, Opening, Tip, Via, allows, weight
from autospot.domain.guidance.words import Move, RoutePoint, Step, steps_in_words
from autospot.domain.lot import Bay, Lot
from autospot.domain.planar import Point

PlaceKind = Literal["bay", "entrance", "exit", "door", "lift", "stairs"]


class Place(NamedTuple):
    """One end of a route. A bay has an opening, everything else has nodes: one, or a landing per level."""

    kind: PlaceKind
    code: str
    name: str
    nodes: tuple[str, ...] = ()
    bay: Bay | None = None
    opening: Opening | None = None


@dataclass(frozen=True, slots=True)
class Route:
    """A way. `metres` is what is driven or walked on the level and on ramps: lifts and stairs add none.

    `points` is the polyline, each point with its level; `steps` tell it to a person.
    """

    way: Literal["drive", "walk"]
    metres: float
    points: tuple[RoutePoint, ...]
    steps: tuple[Step, ...]

    @property
    def text(self) -> str:
        """All steps in one sentence, such as `ramp to P2, second right, bay 214 on the left`."""
        return ", ".join(step.text for step in self.steps)

    def lines(self) -> list[tuple[str, list[Point]]]:
        """The polyline cut where the level changes, each piece with its level. What lies between two levels, a ramp,
        belongs to the one that is left."""
        pieces = [(level, [point.flat for point in points]) for level, points in groupby(self.points, _level)]
        for (_, before), (_, after) in pairwise(pieces):
            if before[-1] != after[0]:
                before.append(after[0])
        return pieces


def route(guide: Guide, start: str, end: str, *, height_metres: float = 0.0, step_free: bool = False) -> Route:
    """The shortest way between two bays, entrances, exits, doors, lifts or stairs of a lot, by their codes.

    By car from an entrance to a bay or an exit and from a bay to an exit, on foot else. `height_metres` is the car's;
    `step_free` leaves out stairs. `NotFound` if a place is unknown (code `no_such_place`) or there is no way (code
    `no_route`).
    """
    a, b = place_of(guide, start), place_of(guide, end)
    way = _way(a, b)
    mode = Mode(way, height_metres=height_metres if way == "drive" else 0.0, step_free=step_free)
    moves = _shortest(guide.network, a, b, mode)
    if not moves:
        raise NotFound(f"there is no way from {start!r} to {end!r}", code="no_route")
    points = (moves[0].start, *(move.end for move in moves))
    metres = sum(move.metres for move in moves if move.via.kind not in ("lift", "stairs"))
    steps = steps_in_words(guide.network, mode, moves, a.name if a.kind == "bay" else None, b.name)
    return Route(way, round(metres, 1), points, tuple(steps))


def _level(point: RoutePoint) -> str:
    return point.level


def place_of(guide: Guide, code: str) -> Place:
    """What a route may begin or end at; `NotFound` if nothing of the lot has that code."""
    for bay in guide.lot.bays:
        if bay.bay == code:
            return Place("bay", code, f"bay {code}", bay=bay, opening=guide.network.openings.get(code))
    for place in _portals(guide.lot):
        if place.code == code:
            return place
    missing = f"lot {guide.lot.lot!r} has no bay, entrance, exit, door, lift or stairs {code!r}"
    raise NotFound(missing, code="no_such_place")


def _portals(lot: Lot) -> Iterator[Place]:
    for entrance in lot.entrances:
        yield Place("entrance", entrance.entrance, _called("entrance", entrance.name), (entrance.node,))
    for way_out in lot.exits:
        yield Place("exit", way_out.exit, _called("exit", way_out.name), (way_out.node,))
    for door in lot.doors:
        yield Place("door", door.door, _called("door", door.name), (door.node,))
    for lift in lot.lifts:
        yield Place("lift", lift.lift, lift.name or "the lift", lift.path)
    for stairs in lot.stairs:
        yield Place("stairs", stairs.stairs, stairs.name or "the stairs", stairs.path)


def _called(kind: str, name: str) -> str:
    return f"{kind} {name}" if name else f"the {kind}"


def _way(start: Place, end: Place) -> Literal["drive", "walk"]:
    by_car = {("entrance", "bay"), ("entrance", "exit"), ("bay", "exit")}
    return "drive" if (start.kind, end.kind) in by_car else "walk"


def _tips(place: Place, mode: Mode, *, leaving: bool) -> tuple[Tip, ...]:
    """Where one gets into the graph from `place`, or out of it to `place`."""
    if place.opening is None:
        return tuple(Tip(node, 0.0) for node in place.nodes)
    if mode.way == "walk":
        return place.opening.ends
    return place.opening.departures if leaving else place.opening.entries


def _shortest(network: Network, start: Place, end: Place, mode: Mode) -> list[Move]:
    """The moves of the shortest way, none if there is no way."""
    best: tuple[float, list[str]] | None = None
    targets = _tips(end, mode, leaving=False)
    for tip in _tips(start, mode, leaving=True):
        found = nx.single_source_dijkstra(network.graph, tip.node, weight=weight(mode))
        metres, paths = cast(tuple[dict[str, float], dict[str, list[str]]], found)
        for target in targets:
            if target.node in metres:
                total = tip.metres + metres[target.node] + target.metres
                if best is None or total < best[0]:
                    best = total, paths[target.node]
    direct = _direct(start, end)
    if direct is not None and mode.way == "walk" and (best is None or direct < best[0]):
        best = direct, []
    return [] if best is None else list(_moves(network, start, end, best[1], mode))


def _direct(start: Place, end: Place) -> float | None:
    """Metres along the aisle between two bays that open on the same stretch of it."""
    if start.opening is None or end.opening is None or start.opening.stretch is not end.opening.stretch:
        return None
    return abs(start.opening.along - end.opening.along)


def _moves(network: Network, start: Place, end: Place, path: list[str], mode: Mode) -> Iterator[Move]:
    """The way as straight pieces: out of the bay, along its aisle, from node to node, along an aisle, into the bay."""
    at: RoutePoint | None = None
    via = Via("aisle")
    if start.opening is not None and start.bay is not None:
        at = _point_of(start.opening)
        yield Move(_centre(start.bay), at, Via("bay"), start.opening.aside, None)
        via = Via("aisle", start.opening.stretch.aisle.aisle)
    if path:
        first = _node_point(network, path[0])
        if at is not None and at != first:
            yield _move(at, first, via, None)
        for node, following in pairwise(path):
            edge_via, metres = _edge(network, node, following, mode)
            yield Move(_node_point(network, node), _node_point(network, following), edge_via, metres, node)
        at = _node_point(network, path[-1])
    if end.opening is not None and end.bay is not None and at is not None:
        foot = _point_of(end.opening)
        if at != foot:
            via = Via("aisle", end.opening.stretch.aisle.aisle)
            yield _move(at, foot, via, path[-1] if path else None)
        yield Move(foot, _centre(end.bay), Via("bay"), end.opening.aside, None)


def _edge(network: Network, node: str, following: str, mode: Mode) -> tuple[Via, float]:
    parallel = network.graph.get_edge_data(node, following).values()
    edge = min((edge for edge in parallel if allows(mode, edge)), key=lambda edge: float(edge["metres"]))
    return edge["via"], edge["metres"]


def _move(start: RoutePoint, end: RoutePoint, via: Via, node: str | None) -> Move:
    return Move(start, end, via, math.dist(start.flat, end.flat), node)


def _node_point(network: Network, code: str) -> RoutePoint:
    node = network.nodes[code]
    return RoutePoint(node.level, node.x, node.y)


def _point_of(opening: Opening) -> RoutePoint:
    return RoutePoint(opening.stretch.start.level, *opening.point)


def _centre(bay: Bay) -> RoutePoint:
    return RoutePoint(bay.level, bay.x, bay.y)
