"""Geometry on the plan: points, straight lines, bearings. Metres, and degrees clockwise from +y."""

from __future__ import annotations

import math
from typing import NamedTuple

Point = tuple[float, float]


class Foot(NamedTuple):
    """The point of a straight line nearest to some point: `along` metres from the start, `aside` metres away."""

    along: float
    aside: float
    x: float
    y: float


def foot_on(start: Point, end: Point, point: Point) -> Foot:
    """Where the line from `start` to `end` comes nearest to `point`."""
    (start_x, start_y), (x, y) = start, point
    across, up = end[0] - start_x, end[1] - start_y
    metres = math.hypot(across, up)
    if not metres:
        return Foot(0.0, math.hypot(x - start_x, y - start_y), start_x, start_y)
    along = ((x - start_x) * across + (y - start_y) * up) / metres
    along = 0.0 if along < 0.0 else min(along, metres)
    foot_x, foot_y = start_x + across * along / metres, start_y + up * along / metres
    return Foot(along, math.hypot(foot_x - x, foot_y - y), foot_x, foot_y)


def bearing(start: Point, end: Point) -> float:
    """The direction from `start` to `end`, 0 to 360."""
    return math.degrees(math.atan2(end[0] - start[0], end[1] - start[1])) % 360


def turn(before: float, after: float) -> float:
    """From one bearing to another, -180 to 180: positive to the right."""
    return (after - before + 180) % 360 - 180
