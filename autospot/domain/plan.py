"""The plan of a lot: its levels, where things stand, and what is joined to what.

Coordinates are metres in the lot's own frame, the same for all its levels: x to the right, y up. Angles are degrees
clockwise from +y, as on a compass laid on the plan. `Anchor` ties the frame to the earth.

A driver's way is made of aisles, ramps and plain edges between nodes; a walker's of the same plus lifts and stairs.
`autospot.domain.guidance` builds the graph from these values; here they are only stated. The numerous parts are
slotted pydantic dataclasses instead of models, which makes a bay eight times smaller in memory.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass

from autospot.domain.ids import Code

CLOSED = ConfigDict(extra="forbid")
"""Unknown fields are refused: a misspelt field must not pass as a missing one."""

EXTENT_METRES = 10_000.0
"""No lot reaches further than this from its origin."""

LEVELS_LIMIT = 50
NODES_LIMIT = 50_000
EDGES_LIMIT = 100_000
AISLES_LIMIT = 2_000
RAMPS_LIMIT = 500
SHAFTS_LIMIT = 500
PORTALS_LIMIT = 200
"""Most entrances, exits, doors or signs, each."""

PATH_LIMIT = 2_000
"""Most nodes along one aisle or ramp, and most corners of one outline."""

Name = Annotated[str, Field(max_length=120)]
Metres = Annotated[float, Field(strict=True, ge=0, le=EXTENT_METRES, allow_inf_nan=False)]
Coordinate = Annotated[float, Field(strict=True, ge=-EXTENT_METRES, le=EXTENT_METRES, allow_inf_nan=False)]
Degrees = Annotated[float, Field(strict=True, ge=-360, le=360, allow_inf_nan=False)]
Flag = Annotated[bool, Field(strict=True)]
Height = Annotated[float, Field(strict=True, gt=0, le=20, allow_inf_nan=False)]
Point = tuple[Coordinate, Coordinate]
Path = Annotated[tuple[Code, ...], Field(min_length=2, max_length=PATH_LIMIT)]

Way = Literal["drive", "walk", "both"]


@dataclass(frozen=True, slots=True, kw_only=True, config=CLOSED)
class Anchor:
    """Where the plan lies on the earth: the origin in WGS 84 degrees, and the compass bearing of the plan's +y axis."""

    lat: Annotated[float, Field(strict=True, ge=-90, le=90, allow_inf_nan=False)]
    lon: Annotated[float, Field(strict=True, ge=-180, le=180, allow_inf_nan=False)]
    bearing: Degrees = 0.0


@dataclass(frozen=True, slots=True, kw_only=True, config=CLOSED)
class Level:
    """One floor, or one street zone. `ordinal` orders levels from low to high; 0 is the street.

    `max_height_metres` is the clearance everywhere on the level, None where the sky is the limit. `outline` is the
    slab's edge, `pillars` the centres of columns `PILLAR_METRES` square: both only for drawings.
    """

    level: Code
    ordinal: Annotated[int, Field(strict=True, ge=-50, le=200)] = 0
    name: Name = ""
    max_height_metres: Height | None = None
    outline: Annotated[tuple[Point, ...], Field(max_length=PATH_LIMIT)] = ()
    pillars: Annotated[tuple[Point, ...], Field(max_length=NODES_LIMIT)] = ()


PILLAR_METRES = 0.4


@dataclass(frozen=True, slots=True, kw_only=True, config=CLOSED)
class Node:
    """A point of a level where ways meet, bend or end."""

    node: Code
    level: Code
    x: Coordinate
    y: Coordinate


@dataclass(frozen=True, slots=True, kw_only=True, config=CLOSED)
class Aisle:
    """A lane that bays open on, for cars and walkers: nodes of one level in order, joined by straight stretches.

    `one_way` binds cars to the order of `path`; walkers go both ways. Nobody is sent through a `closed` aisle.
    """

    aisle: Code
    path: Path
    name: Name = ""
    width: Metres = 6.0
    one_way: Flag = False
    closed: Flag = False


@dataclass(frozen=True, slots=True, kw_only=True, config=CLOSED)
class Ramp:
    """A way for cars from the level of its first node to that of its last. `metres` is its length along the slope;
    None takes the straight lines between its nodes. Walkers use it only if `walk`.
    """

    ramp: Code
    path: Path
    name: Name = ""
    metres: Metres | None = None
    one_way: Flag = False
    closed: Flag = False
    walk: Flag = False


@dataclass(frozen=True, slots=True, kw_only=True, config=CLOSED)
class Lift:
    """A lift: its landing on each level it serves, lowest first."""

    lift: Code
    path: Path
    name: Name = ""
    closed: Flag = False


@dataclass(frozen=True, slots=True, kw_only=True, config=CLOSED)
class Stairs:
    """Stairs: their landing on each level they join, lowest first. Not a way for somebody who needs no steps."""

    stairs: Code
    path: Path
    name: Name = ""
    closed: Flag = False


@dataclass(frozen=True, slots=True, kw_only=True, config=CLOSED)
class Edge:
    """A way between two nodes that is no aisle, ramp, lift or stairs: a drive to a barrier, a walkway to a door.

    `metres` None takes the straight line. `one_way` binds cars to the direction start to end.
    """

    start: Code
    end: Code
    way: Way = "both"
    metres: Metres | None = None
    one_way: Flag = False
    closed: Flag = False


@dataclass(frozen=True, slots=True, kw_only=True, config=CLOSED)
class Entrance:
    """Where cars come in."""

    entrance: Code
    node: Code
    name: Name = ""
    closed: Flag = False


@dataclass(frozen=True, slots=True, kw_only=True, config=CLOSED)
class Exit:
    """Where cars leave."""

    exit: Code
    node: Code
    name: Name = ""
    closed: Flag = False


@dataclass(frozen=True, slots=True, kw_only=True, config=CLOSED)
class Door:
    """Where walkers leave the lot: what a driver names as the destination."""

    door: Code
    node: Code
    name: Name = ""
    closed: Flag = False


@dataclass(frozen=True, slots=True, kw_only=True, config=CLOSED)
class Sign:
    """A display that shows free places: at an entrance, or inside (`entrance` None). `levels` empty shows them all."""

    sign: Code
    name: Name = ""
    entrance: Code | None = None
    levels: Annotated[tuple[Code, ...], Field(max_length=LEVELS_LIMIT)] = ()
