"""Distances worked out the plain way, to judge the fast ones by: every bay is a node of the graph here.

Each aisle is cut at the foot of each bay that opens on it, and networkx does the rest.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import combinations, pairwise
from typing import Literal, NamedTuple

import networkx as nx

from autospot.domain.guidance.network import (
    LIFT_METRES,
    LIFT_METRES_PER_LEVEL,
    STAIRS_METRES_PER_LEVEL,
    Network,
)
from autospot.domain.lot import Lot
from autospot.domain.plan import Node

Way = Literal["drive", "walk"]


class Piece(NamedTuple):
    start: str
    end: str
    metres: float
    both_ways: bool = True


def whole_graph(lot: Lot, way: Way, *, height_metres: float = 0.0, step_free: bool = False) -> nx.DiGraph[str]:
    """Every way of `lot` that is open for `way`; a bay's node is its code with `bay:` before it."""
    nodes = {node.node: node for node in lot.nodes}
    low = {level.level for level in lot.levels if (level.max_height_metres or math.inf) < height_metres}
    pieces = [*_aisles(lot, nodes, way), *_ramps(lot, nodes, way), *_edges(lot, nodes, way)]
    if way == "walk":
        pieces += _shafts(lot, nodes, step_free=step_free)
    graph: nx.DiGraph[str] = nx.DiGraph()
    for start, end, metres, both in pieces:
        if any(code in nodes and nodes[code].level in low for code in (start, end)):
            continue
        for a, b in ((start, end), (end, start)) if both else ((start, end),):
            if metres < graph.get_edge_data(a, b, {"weight": math.inf})["weight"]:
                graph.add_edge(a, b, weight=metres)
    return graph


def distances(graph: nx.DiGraph[str], sources: list[str], codes: list[str]) -> list[float]:
    """Metres from the nearest source to each bay, to the millimetre, infinite where there is no way."""
    known = {source for source in sources if source in graph}
    found = nx.multi_source_dijkstra_path_length(graph, known) if known else {}
    return [round(found.get(f"bay:{code}", math.inf), 3) for code in codes]


def _straight(a: Node, b: Node) -> float:
    return math.hypot(a.x - b.x, a.y - b.y)


def _aisles(lot: Lot, nodes: dict[str, Node], way: Way) -> Iterator[Piece]:
    feet: dict[tuple[str, str, str], list[tuple[float, str, float]]] = {}
    for code, opening in Network(lot).openings.items():
        stretch = opening.stretch
        key = (stretch.aisle.aisle, stretch.start.node, stretch.end.node)
        feet.setdefault(key, []).append((opening.along, code, opening.aside))
    for aisle in lot.aisles:
        if aisle.closed:
            continue
        both = way == "walk" or not aisle.one_way
        for a, b in pairwise(aisle.path):
            at, place = 0.0, a
            for along, code, aside in sorted(feet.get((aisle.aisle, a, b), [])):
                yield Piece(place, f"foot:{code}", along - at, both or along == at)
                yield Piece(f"foot:{code}", f"bay:{code}", aside)
                at, place = along, f"foot:{code}"
            rest = _straight(nodes[a], nodes[b]) - at
            yield Piece(place, b, rest, both or rest == 0.0)


def _ramps(lot: Lot, nodes: dict[str, Node], way: Way) -> Iterator[Piece]:
    for ramp in lot.ramps:
        if ramp.closed or (way == "walk" and not ramp.walk):
            continue
        flat = sum(_straight(nodes[a], nodes[b]) for a, b in pairwise(ramp.path))
        metres = flat if ramp.metres is None else ramp.metres
        for a, b in pairwise(ramp.path):
            yield Piece(a, b, _straight(nodes[a], nodes[b]) / flat * metres, way == "walk" or not ramp.one_way)


def _edges(lot: Lot, nodes: dict[str, Node], way: Way) -> Iterator[Piece]:
    for edge in lot.edges:
        if not edge.closed and edge.way in (way, "both"):
            metres = _straight(nodes[edge.start], nodes[edge.end]) if edge.metres is None else edge.metres
            yield Piece(edge.start, edge.end, metres, way == "walk" or not edge.one_way)


def _shafts(lot: Lot, nodes: dict[str, Node], *, step_free: bool) -> Iterator[Piece]:
    ordinal = {level.level: level.ordinal for level in lot.levels}
    for lift in (lift for lift in lot.lifts if not lift.closed):
        for a, b in combinations(lift.path, 2):
            levels = abs(ordinal[nodes[a].level] - ordinal[nodes[b].level])
            yield Piece(a, b, LIFT_METRES + LIFT_METRES_PER_LEVEL * levels)
    for stairs in (stairs for stairs in lot.stairs if not stairs.closed and not step_free):
        for a, b in pairwise(stairs.path):
            levels = abs(ordinal[nodes[a].level] - ordinal[nodes[b].level])
            yield Piece(a, b, STAIRS_METRES_PER_LEVEL * levels)
