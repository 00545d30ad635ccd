"""Export to GeoJSON (RFC 7946): a lot as a map layer that any GIS draws, and that `geojson_read` takes back.

Each thing of the plan is one feature. Its property `type` says what it is, the others are named as in the lot file; the
geometry replaces coordinates. What has no place on a map stands in the collection's own member `lot`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from autospot.domain.lot import Bay, Lot
from autospot.domain.lot_files.earth import Earth
from autospot.domain.lot_files.flat import flattened
from autospot.domain.lot_files.problems import InvalidLots, Problem
from autospot.domain.plan import Node

PLANNED = {"levels", "bays", "nodes", "aisles", "ramps", "lifts", "stairs", "edges", "entrances", "exits", "doors"}
"""The lists of a lot that become features."""

Feature = dict[str, Any]


def geojson_of(lot: Lot) -> dict[str, Any]:
    """The lot as a FeatureCollection. `InvalidLots` if it has no anchor: nobody knows where on earth it is."""
    if lot.anchor is None:
        raise InvalidLots([Problem("/anchor", f"lot {lot.lot!r} has no anchor, so it has no place on a map")])
    about = lot.model_dump(mode="json", exclude=PLANNED | {"version"}, exclude_defaults=True)
    features = list(_Writer(lot, Earth(lot.anchor)).features())
    return {"type": "FeatureCollection", "lot": about, "features": features}


class _Writer:
    def __init__(self, lot: Lot, earth: Earth) -> None:
        self._lot = lot
        self._earth = earth
        self._nodes = {node.node: node for node in lot.nodes}

    def features(self) -> Iterator[Feature]:
        yield from self._levels()
        for bay in self._lot.bays:
            yield _feature("bay", flattened(bay), "Polygon", [self._places(corners_of(bay), closed=True)])
        for kind, ways in (("aisle", self._lot.aisles), ("ramp", self._lot.ramps)):
            for way in ways:
                yield self._line(kind, asdict(way), way.path)
        for edge in self._lot.edges:
            yield self._line("edge", _without(asdict(edge), "start", "end"), (edge.start, edge.end))
        for kind, shafts in (("lift", self._lot.lifts), ("stairs", self._lot.stairs)):
            for shaft in shafts:
                yield self._line(kind, asdict(shaft), shaft.path)
        for kind, portals in (
            ("entrance", self._lot.entrances),
            ("exit", self._lot.exits),
            ("door", self._lot.doors),
        ):
            for portal in portals:
                node = self._nodes[portal.node]
                properties = {**asdict(portal), "level": node.level}
                yield _feature(kind, properties, "Point", self._place(node))

    def _levels(self) -> Iterator[Feature]:
        for level in self._lot.levels:
            properties = _without(asdict(level), "outline", "pillars")
            ring = [self._places(level.outline, closed=True)] if level.outline else None
            yield _feature("level", properties, "Polygon", ring)
            if level.pillars:
                pillars = self._places(level.pillars, closed=False)
                yield _feature("pillars", {"level": level.level}, "MultiPoint", pillars)

    def _line(self, kind: str, properties: dict[str, Any], path: tuple[str, ...]) -> Feature:
        nodes = [self._nodes[code] for code in path]
        properties = {**properties, "path": list(path), "levels": [node.level for node in nodes]}
        return _feature(kind, properties, "LineString", [self._place(node) for node in nodes])

    def _place(self, node: Node) -> list[float]:
        return list(self._earth.place(node.x, node.y))

    def _places(self, points: tuple[tuple[float, float], ...], *, closed: bool) -> list[list[float]]:
        ring = [*points, points[0]] if closed else points
        return [list(self._earth.place(x, y)) for x, y in ring]


def corners_of(bay: Bay) -> tuple[tuple[float, float], ...]:
    """The four corners, counter-clockwise from the left one at the mouth, as a driver sees it who looks in."""
    looks = math.radians(bay.rotation)
    sin, cos = math.sin(looks), math.cos(looks)
    across, along = bay.width / 2, bay.length / 2
    corners = ((-across, -along), (across, -along), (across, along), (-across, along))
    return tuple((bay.x + right * cos + ahead * sin, bay.y + ahead * cos - right * sin) for right, ahead in corners)


def _feature(kind: str, properties: dict[str, Any], geometry: str, coordinates: Any) -> Feature:
    kept = {name: value for name, value in properties.items() if value is not None}
    shape = None if coordinates is None else {"type": geometry, "coordinates": coordinates}
    return {"type": "Feature", "properties": {"type": kind, **_without(kept, "x", "y")}, "geometry": shape}


def _without(properties: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in properties.items() if name not in names}
