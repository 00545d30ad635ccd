"""What must hold between the parts of a lot, and between the lots of one file. Shapes are pydantic's business."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Literal

import networkx as nx

from autospot.domain.devices import NATIVE_MODEL, SENSOR_MODELS
from autospot.domain.guidance.network import Mode, Network, weight
from autospot.domain.lot import Lot, SensorRef
from autospot.domain.lot_files.problems import Problem
from autospot.domain.plan import Node

ROUNDING_METRES = 0.5
"""Lengths in plans are rounded: a way may be stated this much shorter than the straight line."""


_UPPER_EUI = re.compile(r"(?=.*[A-F])[0-9A-Fa-f]{16}")


def problems_of(lot: Lot, at: str = "") -> Iterator[Problem]:
    """Everything that is wrong between the parts of `lot`; nothing for a lot that can be stored.

    Codes are unique within their list, and across bays, entrances, exits, doors and lifts, because a route is asked for
    by them. Levels, nodes and aisles that are named exist. Sensors are unique. In a lot with a plan each bay can be
    driven to from an entrance, driven out of, and walked from, as long as nothing is closed.
    """
    found = [*_repeated_codes(lot), *_unknown_codes(lot)]
    if not found:
        found = [*_crooked_ways(lot), *_strayed_bays(lot), *_sensor_problems(lot), *_term_problems(lot)]
    if not found and lot.nodes:
        found = list(_unreachable(lot))  # builds the graph, which stands on all of the above
    return (Problem(at + problem.at, problem.message) for problem in found)


_LISTS = (
    ("levels", "level"),
    ("bays", "bay"),
    ("nodes", "node"),
    ("aisles", "aisle"),
    ("ramps", "ramp"),
    ("lifts", "lift"),
    ("stairs", "stairs"),
    ("entrances", "entrance"),
    ("exits", "exit"),
    ("doors", "door"),
    ("signs", "sign"),
)
"""The lists of a lot whose entries have a code, and the field that holds it."""

_PLACES = ("bays", "lifts", "stairs", "entrances", "exits", "doors")
"""A route is asked for by the codes of these: no two of them may share one."""


def _repeated_codes(lot: Lot) -> Iterator[Problem]:
    places: dict[str, str] = {}
    for plural, field in _LISTS:
        seen: set[str] = set()
        for index, item in enumerate(getattr(lot, plural)):
            code = getattr(item, field)
            if code in seen:
                yield Problem(f"/{plural}/{index}/{field}", f"{field} {code!r} is there twice")
            elif plural in _PLACES and code in places:
                message = f"{field} {code!r} shares its code with the {places[code]}: a route could not tell them apart"
                yield Problem(f"/{plural}/{index}/{field}", message)
            seen.add(code)
            if plural in _PLACES:
                places.setdefault(code, field)


def _unknown_codes(lot: Lot) -> Iterator[Problem]:
    known = {plural: {getattr(item, field) for item in getattr(lot, plural)} for plural, field in _LISTS}
    for at, plural, code in (*_named_by_bays(lot), *_named_by_nodes(lot), *_named_by_ways(lot), *_named_by_signs(lot)):
        if code not in known[plural]:
            yield Problem(at, f"there is no {dict(_LISTS)[plural]} {code!r}")


Named = tuple[str, str, str]
"""A place that names something, the list it should be in, and its code."""


def _named_by_bays(lot: Lot) -> Iterator[Named]:
    for index, bay in enumerate(lot.bays):
        yield f"/bays/{index}/level", "levels", bay.level
        if bay.aisle is not None:
            yield f"/bays/{index}/aisle", "aisles", bay.aisle


def _named_by_nodes(lot: Lot) -> Iterator[Named]:
    for index, node in enumerate(lot.nodes):
        yield f"/nodes/{index}/level", "levels", node.level
    for plural in ("entrances", "exits", "doors"):
        for index, portal in enumerate(getattr(lot, plural)):
            yield f"/{plural}/{index}/node", "nodes", portal.node


def _named_by_ways(lot: Lot) -> Iterator[Named]:
    for plural in ("aisles", "ramps", "lifts", "stairs"):
        for index, item in enumerate(getattr(lot, plural)):
            for step, code in enumerate(item.path):
                yield f"/{plural}/{index}/path/{step}", "nodes", code
    for index, edge in enumerate(lot.edges):
        yield f"/edges/{index}/start", "nodes", edge.start
        yield f"/edges/{index}/end", "nodes", edge.end


def _named_by_signs(lot: Lot) -> Iterator[Named]:
    for index, sign in enumerate(lot.signs):
        if sign.entrance is not None:
            yield f"/signs/{index}/entrance", "entrances", sign.entrance
        for step, code in enumerate(sign.levels):
            yield f"/signs/{index}/levels/{step}", "levels", code


def _crooked_ways(lot: Lot) -> Iterator[Problem]:
    nodes = {node.node: node for node in lot.nodes}
    for index, aisle in enumerate(lot.aisles):
        if _levels(aisle.path, nodes) != 1:
            yield Problem(f"/aisles/{index}/path", f"aisle {aisle.aisle!r} leaves its level: that takes a ramp")
    for index, ramp in enumerate(lot.ramps):
        if nodes[ramp.path[0]].level == nodes[ramp.path[-1]].level:
            yield Problem(f"/ramps/{index}/path", f"ramp {ramp.ramp!r} ends on the level it begins on")
        yield from _too_short(f"/ramps/{index}/metres", ramp.metres, [nodes[code] for code in ramp.path])
    for plural in ("lifts", "stairs"):
        for index, shaft in enumerate(getattr(lot, plural)):
            if _levels(shaft.path, nodes) != len(shaft.path):
                yield Problem(f"/{plural}/{index}/path", "two of its landings are on one level")
    for index, edge in enumerate(lot.edges):
        if nodes[edge.start].level != nodes[edge.end].level:
            yield Problem(f"/edges/{index}", "this edge leaves its level: that takes a ramp, a lift or stairs")
        yield from _too_short(f"/edges/{index}/metres", edge.metres, [nodes[edge.start], nodes[edge.end]])


def _too_short(at: str, metres: float | None, path: list[Node]) -> Iterator[Problem]:
    straight = sum(math.dist((a.x, a.y), (b.x, b.y)) for a, b in pairwise(path))
    if metres is not None and metres < straight - ROUNDING_METRES:
        yield Problem(at, f"its nodes are {straight:.1f} m apart, so it cannot be {metres:g} m long")


def _strayed_bays(lot: Lot) -> Iterator[Problem]:
    nodes = {node.node: node for node in lot.nodes}
    level_of = {aisle.aisle: nodes[aisle.path[0]].level for aisle in lot.aisles}
    for index, bay in enumerate(lot.bays):
        if bay.aisle is not None and level_of[bay.aisle] != bay.level:
            message = f"bay {bay.bay!r} is on level {bay.level!r}, its aisle {bay.aisle!r} is not"
            yield Problem(f"/bays/{index}/aisle", message)


def _levels(path: tuple[str, ...], nodes: dict[str, Node]) -> int:
    return len({nodes[code].level for code in path})


def _sensor_problems(lot: Lot) -> Iterator[Problem]:
    watched_by_their_own_code = {bay.bay for bay in lot.bays if bay.registered_sensor is None}
    bay_of: dict[str, str] = {}
    for index, bay in enumerate(lot.bays):
        if bay.registered_sensor is None:
            continue
        sensor, at = bay.registered_sensor.id, f"/bays/{index}/sensor/id"
        yield from _device_problems(bay.registered_sensor, f"/bays/{index}/sensor")
        if sensor in bay_of:
            yield Problem(at, f"sensor {sensor!r} also watches bay {bay_of[sensor]!r}")
        elif sensor in watched_by_their_own_code:
            yield Problem(at, f"sensor {sensor!r} has the code of another bay, which has no other sensor itself")
        bay_of.setdefault(sensor, bay.bay)


def _device_problems(sensor: SensorRef, at: str) -> Iterator[Problem]:
    """What would only be noticed when the bay stays unknown for ever."""
    if sensor.model not in SENSOR_MODELS:
        yield Problem(f"{at}/model", f"there is no sensor model {sensor.model!r} in the catalogue")
    elif sensor.model != NATIVE_MODEL and _UPPER_EUI.fullmatch(sensor.id):
        yield Problem(f"{at}/id", f"write the device EUI {sensor.id!r} in lower case")


def _term_problems(lot: Lot) -> Iterator[Problem]:
    if not lot.bays and lot.capacity is None:
        yield Problem("/bays", "a lot without bays needs a capacity")
    if lot.booking.minimum_minutes > lot.booking.maximum_minutes:
        yield Problem("/booking/minimum_minutes", "the shortest booking is longer than the longest")


def _unreachable(lot: Lot) -> Iterator[Problem]:
    missing = [word for word in ("entrances", "exits", "doors") if not getattr(lot, word)]
    yield from (Problem(f"/{word}", f"a lot with a plan needs {word}") for word in missing)
    if missing:
        return
    network = Network(lot, with_closed=True)
    by_car, out, on_foot = (
        _reached(network.graph, "drive", {entrance.node for entrance in lot.entrances}),
        _reached(network.graph.reverse(copy=False), "drive", {way_out.node for way_out in lot.exits}),
        _reached(network.graph, "walk", {door.node for door in lot.doors}),
    )
    everywhere = by_car & out & on_foot
    for index, bay in enumerate(lot.bays):
        at, opening = f"/bays/{index}", network.openings.get(bay.bay)
        if opening is None:
            yield Problem(at, f"bay {bay.bay!r} is too far from every aisle it could open on")
            continue
        if everywhere.issuperset((opening.stretch.start.node, opening.stretch.end.node)):
            continue  # as for nearly all bays; what follows takes three times as long
        if not any(tip.node in by_car for tip in opening.entries):
            yield Problem(at, f"bay {bay.bay!r} cannot be driven to from any entrance")
        if not any(tip.node in out for tip in opening.departures):
            yield Problem(at, f"bay {bay.bay!r} cannot be driven out of to any exit")
        if not any(tip.node in on_foot for tip in opening.ends):
            yield Problem(at, f"bay {bay.bay!r} cannot be walked to from any door")


def _reached(graph: nx.MultiDiGraph[str], way: Literal["drive", "walk"], sources: set[str]) -> set[str]:
    return set(nx.multi_source_dijkstra_path_length(graph, sources, weight=weight(Mode(way))))


class SeenInFile:
    """What must be unique across the lots of one file: lot codes and sensor ids. Holds one entry for each."""

    def __init__(self) -> None:
        self._lots: set[str] = set()
        self._lot_of_sensor: dict[str, str] = {}

    def add(self, lot: Lot, at: str) -> Iterator[Problem]:
        """Remembers `lot` and yields what clashes with the lots before it."""
        if lot.lot in self._lots:
            yield Problem(f"{at}/lot", f"lot {lot.lot!r} is in the file twice")
            return
        self._lots.add(lot.lot)
        for index, bay in enumerate(lot.bays):
            sensor = bay.registered_sensor
            if sensor is None:
                continue
            owner = self._lot_of_sensor.setdefault(sensor.id, lot.lot)
            if owner != lot.lot:
                message = f"sensor {sensor.id!r} also watches a bay of lot {owner!r}"
                yield Problem(f"{at}/bays/{index}/sensor/id", message)
