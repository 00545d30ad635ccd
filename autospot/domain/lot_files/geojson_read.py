"""Import from GeoJSON (RFC 7946): a FeatureCollection of bays and, where there are any, the ways between them.

A feature's property `type` says what it is; without one a Polygon or Point is a bay and a LineString an aisle. Other
properties are named as in the lot file, a bay's sensor flat as in `flat.py`. Lines meet where they share a point: two
points of one level within `SNAP_METRES` are the same node. What is no geometry (time zone, name, signs, terms) stands
in the member `lot` of the collection, or comes with the import.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from typing import Any

from pydantic import TypeAdapter, ValidationError

from autospot.domain.lot import Lot
from autospot.domain.lot_files.earth import Earth, middle
from autospot.domain.lot_files.flat import column_of, nested
from autospot.domain.lot_files.geojson_shape import Feature, FeatureCollection, Properties, parse_collection
from autospot.domain.lot_files.json_file import parse_lot
from autospot.domain.lot_files.outline import rectangle_around
from autospot.domain.lot_files.problems import InvalidLots, Problem, shape_problems
from autospot.domain.plan import Anchor
from autospot.domain.planar import Point

SNAP_METRES = 0.5
DEFAULT_LEVEL = "street"

Entry = dict[str, Any]
"""One entry of a list of the lot, as the lot file has it."""


def read_geojson(text: str, about: Mapping[str, Any]) -> Lot:
    """The lot that a GeoJSON document describes.

    `about` holds fields of the lot file and wins over the document's own member `lot`. Places in `InvalidLots` are
    pointers into the document.
    """
    collection = parse_collection(text)
    known = {**collection.lot, **about}
    anchor = _anchor(known, collection)
    draft = _Draft(Earth(anchor), collection.features)
    try:
        return parse_lot({**known, "anchor": anchor, **draft.lists()})
    except InvalidLots as error:
        raise InvalidLots(draft.in_document(problem) for problem in error.problems) from error


def _anchor(known: Mapping[str, Any], collection: FeatureCollection) -> Anchor:
    """The anchor that is given, else the middle of everything."""
    if known.get("anchor") is not None:
        try:
            return TypeAdapter(Anchor).validate_python(known["anchor"])
        except ValidationError as error:
            raise InvalidLots(shape_problems(error, "/lot/anchor")) from error
    places = [place for feature in collection.features for place in feature.places()]
    if not places:
        raise InvalidLots([Problem("/features", "none of the features has a geometry")])
    return middle(places)


_LISTS = {
    "level": "levels",
    "bay": "bays",
    "aisle": "aisles",
    "ramp": "ramps",
    "edge": "edges",
    "lift": "lifts",
    "stairs": "stairs",
    "entrance": "entrances",
    "exit": "exits",
    "door": "doors",
    "pillars": "pillars",
}
"""Types of features, and the list each one goes to."""

_LINES = {"aisle", "ramp", "edge"}
_LEAST_POINTS = {"level": 0, "aisle": 2, "ramp": 2, "edge": 2}


class _Draft:
    """The lists of a lot as they grow feature by feature, and which feature each entry came from."""

    def __init__(self, earth: Earth, features: list[Feature]) -> None:
        self._lists: dict[str, list[Entry]] = {plural: [] for plural in _LISTS.values()}
        self._sources: dict[str, list[int]] = {plural: [] for plural in _LISTS.values()}
        self._nodes = _Nodes()
        self._lines: dict[str, list[tuple[Point, Point]]] = {}
        # Lines first: they make the nodes that points then fall on, and tell bays where their mouth is.
        for index, feature in sorted(enumerate(features), key=lambda item: item[1].kind not in _LINES):
            self._add(index, feature, [earth.plan(lon, lat) for lon, lat in feature.places()])

    def _add(self, index: int, feature: Feature, points: list[Point]) -> None:
        kind = feature.kind
        if kind not in _LISTS:
            message = f"{kind!r:.80} is none of {', '.join(sorted(_LISTS))}"
            raise InvalidLots([Problem(f"/features/{index}/properties/type", message)])
        if len(points) < _LEAST_POINTS.get(kind, 1):
            raise InvalidLots([Problem(f"/features/{index}/geometry", f"too few points for the type {kind!r}")])
        entry = _ENTRIES[kind](self, feature.properties or Properties(), points)
        self._lists[_LISTS[kind]].append(entry)
        self._sources[_LISTS[kind]].append(index)

    def lists(self) -> dict[str, list[Entry]]:
        """All lists of the lot that come from features."""
        named = dict.fromkeys(entry["level"] for entry in (*self._lists["bays"], *self._nodes.entries))
        levels = self._lists["levels"] or [{"level": code, "ordinal": ordinal} for ordinal, code in enumerate(named)]
        for level in levels:
            entries = [entry for entry in self._lists["pillars"] if entry["level"] == level.get("level")]
            level["pillars"] = [point for entry in entries for point in entry["points"]]
        lists = {plural: entries for plural, entries in self._lists.items() if plural != "pillars"}
        return {**lists, "levels": levels, "nodes": self._nodes.entries}

    def in_document(self, problem: Problem) -> Problem:
        """The problem at its feature."""
        parts = tuple(problem.at.split("/")[1:])
        if len(parts) < 2 or not self._sources.get(parts[0]):
            return Problem(f"/lot{problem.at}", problem.message)
        feature = f"/features/{self._sources[parts[0]][int(parts[1])]}"
        field = column_of(parts[2:]) if parts[0] == "bays" else "/".join(parts[2:])
        return Problem(f"{feature}/properties/{field}" if field else feature, problem.message)

    def level(self, properties: Properties, points: list[Point]) -> Entry:
        code = {} if properties.level is None else {"level": properties.level}
        return {**properties.fields, **code, "outline": points[:-1]}

    def pillars(self, properties: Properties, points: list[Point]) -> Entry:
        return {"level": properties.level or DEFAULT_LEVEL, "points": points}

    def bay(self, properties: Properties, points: list[Point]) -> Entry:
        level = properties.level or DEFAULT_LEVEL
        return {**rectangle_around(points, self._lines.get(level, [])), **nested(properties.fields), "level": level}

    def aisle(self, properties: Properties, points: list[Point]) -> Entry:
        level = properties.levels[0] if properties.levels else properties.level or DEFAULT_LEVEL
        self._lines.setdefault(level, []).extend(pairwise(points))
        return self.way(properties, points)

    def way(self, properties: Properties, points: list[Point]) -> Entry:
        return {**properties.fields, "path": self._path(properties, points)}

    def edge(self, properties: Properties, points: list[Point]) -> Entry:
        path = self._path(properties, points)
        return {**properties.fields, "start": path[0], "end": path[-1]}

    def portal(self, properties: Properties, points: list[Point]) -> Entry:
        node = self._nodes.at(properties.level or DEFAULT_LEVEL, points[0], properties.node)
        return {**properties.fields, "node": node}

    def _path(self, properties: Properties, points: list[Point]) -> list[str]:
        levels = properties.levels or [properties.level or DEFAULT_LEVEL]
        if len(points) == 1:
            points = points * len(levels)  # a lift may be one point on several levels
        if len(levels) == 1:
            levels = levels * len(points)
        codes: list[str | None] = [*(properties.path or ())]
        codes += [None] * (len(points) - len(codes))
        steps = zip(levels, points, codes, strict=False)
        return [self._nodes.at(level, point, code) for level, point, code in steps]


_ENTRIES: Mapping[str, Callable[[_Draft, Properties, list[Point]], Entry]] = {
    "level": _Draft.level,
    "pillars": _Draft.pillars,
    "bay": _Draft.bay,
    "aisle": _Draft.aisle,
    "ramp": _Draft.way,
    "lift": _Draft.way,
    "stairs": _Draft.way,
    "edge": _Draft.edge,
    "entrance": _Draft.portal,
    "exit": _Draft.portal,
    "door": _Draft.portal,
}
"""How a feature of each type becomes an entry."""


class _Nodes:
    """The nodes met so far; a point within `SNAP_METRES` of one on its level is that node."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self._cells: dict[tuple[str, int, int], list[Entry]] = {}

    def at(self, level: str, point: Point, code: str | None) -> str:
        """The code of the node at `point`, which is new and gets `code` (or a made-up one) if there is none yet."""
        x, y = point
        for node in self._near(level, x, y):
            if code in (None, node["node"]) and math.hypot(node["x"] - x, node["y"] - y) <= SNAP_METRES:
                return str(node["node"])
        node = {"node": code or f"n{len(self.entries)}", "level": level, "x": x, "y": y}
        self.entries.append(node)
        self._cells.setdefault(_cell(level, x, y), []).append(node)
        return str(node["node"])

    def _near(self, level: str, x: float, y: float) -> Iterator[Entry]:
        _, column, row = _cell(level, x, y)
        for across in (-1, 0, 1):
            for up in (-1, 0, 1):
                yield from self._cells.get((level, column + across, row + up), ())


def _cell(level: str, x: float, y: float) -> tuple[str, int, int]:
    return level, math.floor(x / SNAP_METRES), math.floor(y / SNAP_METRES)
