"""A bay drawn on a map as the rectangle the lot file holds: centre, size, and which way its nose looks."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

from autospot.domain.planar import Point, bearing, foot_on

Line = tuple[Point, Point]


def rectangle_around(points: list[Point], lines: list[Line]) -> dict[str, Any]:
    """`x`, `y`, `rotation`, and for a polygon `width` and `length`, of a bay drawn as `points`.

    A polygon becomes the rectangle along its longest side. The nose looks away from the nearest of `lines` (the aisles
    of its level); without any, up.
    """
    if len(points) < 4:
        x, y = points[0]
        return {"x": x, "y": y, "rotation": _away_from((x, y), lines)}
    length_bearing = _bearing_of_longest(points)
    along, across = _extents(points, length_bearing)
    sin, cos = math.sin(length_bearing), math.cos(length_bearing)
    ahead, aside = (along[0] + along[1]) / 2, (across[0] + across[1]) / 2
    x, y = round(aside * cos + ahead * sin, 3), round(ahead * cos - aside * sin, 3)
    away = math.radians(_away_from((x, y), lines))
    nose = length_bearing if math.cos(away - length_bearing) >= 0 else length_bearing + math.pi
    return {
        "x": x,
        "y": y,
        "width": round(across[1] - across[0], 2),
        "length": round(along[1] - along[0], 2),
        "rotation": round(math.degrees(nose) % 360, 1),
    }


def _bearing_of_longest(points: list[Point]) -> float:
    return math.radians(bearing(*max(pairwise(points), key=lambda side: math.dist(*side))))


def _extents(points: list[Point], direction: float) -> tuple[Point, Point]:
    """How far the points reach along `direction`, radians from +y, and to the right of it: (from, to) each."""
    sin, cos = math.sin(direction), math.cos(direction)
    along = [x * sin + y * cos for x, y in points]
    across = [x * cos - y * sin for x, y in points]
    return (min(along), max(along)), (min(across), max(across))


def _away_from(point: Point, lines: list[Line]) -> float:
    """The bearing from the nearest point of `lines` to `point`."""
    feet = [foot_on(start, end, point) for start, end in lines]
    if not feet:
        return 0.0
    foot = min(feet, key=lambda foot: foot.aside)
    return round(bearing((foot.x, foot.y), point), 1)
