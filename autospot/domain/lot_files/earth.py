"""Between the metres of a plan and the degrees of a map.

The plan is laid flat on the WGS 84 ellipsoid at its anchor, with the ellipsoid's two radii of curvature there. One
kilometre from the anchor a point is off by about 0.1 m at 50 degrees of latitude, inside a garage by less than 1 mm.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from autospot.domain.plan import Anchor

_AXIS_METRES = 6_378_137.0
_FLATTENING = 1 / 298.257223563
_ECCENTRICITY_SQUARED = _FLATTENING * (2 - _FLATTENING)


class Earth:
    """The two directions for one anchor."""

    def __init__(self, anchor: Anchor) -> None:
        self._anchor = anchor
        latitude, bearing = math.radians(anchor.lat), math.radians(anchor.bearing)
        bend = 1 - _ECCENTRICITY_SQUARED * math.sin(latitude) ** 2
        self._north_metres = math.radians(_AXIS_METRES * (1 - _ECCENTRICITY_SQUARED) / bend**1.5)
        self._east_metres = math.radians(_AXIS_METRES / math.sqrt(bend) * math.cos(latitude))
        self._sin, self._cos = math.sin(bearing), math.cos(bearing)

    def plan(self, lon: float, lat: float) -> tuple[float, float]:
        """Metres (x, y) of a place on the map, to the millimetre."""
        east = (lon - self._anchor.lon) * self._east_metres
        north = (lat - self._anchor.lat) * self._north_metres
        return round(east * self._cos - north * self._sin, 3), round(east * self._sin + north * self._cos, 3)

    def place(self, x: float, y: float) -> tuple[float, float]:
        """Longitude and latitude of a point of the plan, in GeoJSON's order, to about a millimetre."""
        east, north = x * self._cos + y * self._sin, y * self._cos - x * self._sin
        lon = self._anchor.lon + east / self._east_metres
        return round(lon, 8), round(self._anchor.lat + north / self._north_metres, 8)


def middle(places: Iterable[tuple[float, float]]) -> Anchor:
    """An anchor in the middle of some (longitude, latitude) places, of which there is at least one."""
    lons, lats = zip(*places, strict=True)
    return Anchor(lat=round((min(lats) + max(lats)) / 2, 7), lon=round((min(lons) + max(lons)) / 2, 7))
