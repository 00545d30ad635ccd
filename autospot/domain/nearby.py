"""Which lots are where: distances and boxes on the map, in WGS 84 degrees."""

from __future__ import annotations

import re
from math import asin, cos, radians, sin, sqrt
from typing import NamedTuple

from autospot.domain.errors import InvalidInput

EARTH_METRES = 6_371_008.8
"""Mean radius (IUGG). As a sphere the earth is off by 0.5 % at most, which does not change which lot is nearest."""


class MapPoint(NamedTuple):
    """A place on the map."""

    lat: float
    lon: float


class MapBox(NamedTuple):
    """A box on the map. `west` greater than `east` crosses the 180th meridian (RFC 7946, section 5.2)."""

    west: float
    south: float
    east: float
    north: float

    def contains(self, point: MapPoint) -> bool:
        """True if `point` is inside or on the edge."""
        if not self.south <= point.lat <= self.north:
            return False
        if self.west <= self.east:
            return self.west <= point.lon <= self.east
        return point.lon >= self.west or point.lon <= self.east


# Plainer than `float`, which takes 1_0 and the digits of every script.
_is_number = re.compile(r"-?[0-9]+(\.[0-9]+)?").fullmatch


def metres_between(one: MapPoint, other: MapPoint) -> float:
    """The way over the sphere (haversine)."""
    north, east = radians(other.lat - one.lat), radians(other.lon - one.lon)
    chord = sin(north / 2) ** 2 + cos(radians(one.lat)) * cos(radians(other.lat)) * sin(east / 2) ** 2
    return 2 * EARTH_METRES * asin(min(1.0, sqrt(chord)))


def map_point(text: str) -> MapPoint:
    """`"53.54,9.99"` (latitude, longitude) as a point; `InvalidInput` for anything that is none."""
    lat, lon = _numbers(text, 2)
    return MapPoint(_latitude(lat), _longitude(lon))


def map_box(text: str) -> MapBox:
    """`"9.9,53.5,10.1,53.6"` (west, south, east, north, as in GeoJSON) as a box."""
    west, south, east, north = _numbers(text, 4)
    if south > north:
        raise InvalidInput("a box is west,south,east,north: south is above north here")
    return MapBox(_longitude(west), _latitude(south), _longitude(east), _latitude(north))


def _numbers(text: str, count: int) -> list[float]:
    parts = text.split(",")
    if len(parts) != count or not all(_is_number(part) for part in parts):
        raise InvalidInput(f"{count} numbers in degrees, separated by commas, are needed")
    return [float(part) for part in parts]


def _latitude(degrees: float) -> float:
    if not -90 <= degrees <= 90:
        raise InvalidInput("a latitude is between -90 and 90 degrees")
    return degrees


def _longitude(degrees: float) -> float:
    if not -180 <= degrees <= 180:
        raise InvalidInput("a longitude is between -180 and 180 degrees")
    return degrees
