"""Harbour Garage: three levels, two entrances from streets of different height, one-way traffic, 239 bays.

One level, seen from above, north up; numbers are metres::

    32 ┌────┬──────┬───────────────────────────────────┬──────┬──────────┐
       │    │ core │  north row                        │      │          │
    27 │    └──────┴───────────────────────────────────┘      │  ▲    ▲  │
       │ ◄──────────────── north aisle ◄───────────────────── │  │    │  │
    21 │    ┌──────────────────────────────────────────┐      │  │    │  │
       │west│  two rows, back to back                  │ east │  up down │
    11 │    └──────────────────────────────────────────┘      │  │    │  │
       │ ───────────────► south aisle ───────────────────────►│  │    │  │
     5 │    ┌───────────────────────────────────┬──────┐      │  │    │  │
       │    │  south row                        │stairs│      │          │
     0 └────┴───────────────────────────────────┴──────┴──────┴──────────┘
       0    6                                         61.7   67.7       75.8

Columns stand every 7.9 m; between two of them are three bays of 2.5 m, or two of 3.75 m for the disabled, families and
vans. Both ramps climb or fall 3 m over 20 m from south to north, so that every car circles once on each level: up by
the inner ramp, down by the outer one. Quay Street lies at P0 in the west, Hill Street at P1 in the north.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from autospot.domain.lot import Bay, BayKind, BookingTerms, Lot, SensorRef
from autospot.domain.plan import (
    Aisle,
    Anchor,
    Door,
    Edge,
    Entrance,
    Exit,
    Level,
    Lift,
    Node,
    Ramp,
    Sign,
    Stairs,
)

WIDTH, DEPTH = 75.8, 32.0
WEST, EAST = 3.0, 64.7
SOUTH, NORTH = 8.0, 24.0
"""Centre lines of the four aisles."""

FIRST_COLUMN, COLUMN_STEP, COLUMN = 6.2, 7.9, 0.4
MODULES = 7
MODULE_METRES = COLUMN_STEP - COLUMN
BAY_LENGTH = 5.0
MOTORCYCLE_LENGTH = 2.5

UP, DOWN = 69.8, 73.8
RAMP_FOOT, RAMP_HEAD, RAMP_RISE = 6.0, 26.0, 3.0
RAMP_METRES = round(math.hypot(RAMP_HEAD - RAMP_FOOT, RAMP_RISE), 1)

CORE = (10.15, 28.5)
EAST_STAIRS = (57.55, 3.5)

KINDS: dict[str, tuple[BayKind, int]] = {
    "g": ("general", 3),
    "d": ("disabled", 2),
    "f": ("family", 2),
    "e": ("ev", 3),
    "c": ("car_share", 3),
    "o": ("oversize", 2),
    "m": ("motorcycle", 6),
}
"""What stands between two columns, and how many of it. `x` is a core and holds no bays."""

ROWS = ((29.5, 0.0, "north"), (18.5, 180.0, "north"), (13.5, 0.0, "south"), (2.5, 180.0, "south"))
"""The rows from north to south: middle, where noses look, and the aisle each opens on."""

LEVELS = {
    "P0": (0, "Ground floor", 2.5, ("xdggggg", "dgggggg", "mgggggo", "ggggggx"), ("south-west", "north-west")),
    "P1": (1, "First floor", 2.1, ("xdggggg", "fgggggg", "eeeeggg", "cgggggx"), ("south-west",)),
    "P2": (2, "Second floor", 2.1, ("xdggggg", "ffggggg", "ggggggg", "ggggggx"), ("south-west", "north-west")),
}
"""Ordinal, name, clearance, the four rows from west to east, and the corners with two more bays."""

HEARTBEAT_SECONDS = 900
CHARGER_KW = 11.0

Shape = dict[str, Any]
"""Fields of a bay."""


def harbour() -> Lot:
    """The garage."""
    return Lot(
        lot="harbour",
        name="Harbour Garage",
        time_zone="Europe/Dublin",
        address="1 Quay Street, Galway",
        country="IE",
        anchor=Anchor(lat=53.26905, lon=-9.04985, bearing=-12.0),
        lamps=True,
        booking=BookingTerms(no_show_fee=300),
        levels=tuple(_level(code) for code in LEVELS),
        bays=tuple(bay for code in LEVELS for bay in _bays(code)),
        nodes=tuple(node for code in LEVELS for node in _nodes(code)),
        aisles=tuple(aisle for code in LEVELS for aisle in _aisles(code)),
        ramps=tuple(_ramps()),
        lifts=(Lift(lift="lift", name="Lift", path=tuple(f"{code}-core" for code in LEVELS)),),
        stairs=(
            Stairs(stairs="stairs-west", name="West stairs", path=tuple(f"{code}-core" for code in LEVELS)),
            Stairs(stairs="stairs-east", name="East stairs", path=tuple(f"{code}-east-stairs" for code in LEVELS)),
        ),
        edges=tuple(edge for code in LEVELS for edge in _edges(code)),
        entrances=(
            Entrance(entrance="quay-in", node="P0-quay-in", name="Quay Street"),
            Entrance(entrance="hill-in", node="P1-hill-in", name="Hill Street"),
        ),
        exits=(
            Exit(exit="quay-out", node="P0-quay-out", name="Quay Street"),
            Exit(exit="hill-out", node="P1-hill-out", name="Hill Street"),
        ),
        doors=(
            Door(door="quay", node="P0-quay-door", name="Quay Street"),
            Door(door="hill", node="P1-hill-door", name="Hill Street"),
            Door(door="market", node="P0-market-door", name="Fish Market"),
        ),
        signs=(
            Sign(sign="sign-quay", entrance="quay-in", name="Quay Street"),
            Sign(sign="sign-hill", entrance="hill-in", name="Hill Street"),
            Sign(sign="sign-p1", name="Ramp to P1", levels=("P1",)),
            Sign(sign="sign-p2", name="Ramp to P2", levels=("P2",)),
        ),
    )


def _level(code: str) -> Level:
    ordinal, name, clearance, _, _ = LEVELS[code]
    columns = tuple(
        (round(FIRST_COLUMN + number * COLUMN_STEP, 2), y) for y in (4.6, 16.0, 27.4) for number in range(MODULES + 1)
    )
    outline = ((0.0, 0.0), (WIDTH, 0.0), (WIDTH, DEPTH), (0.0, DEPTH))
    return Level(level=code, ordinal=ordinal, name=name, max_height_metres=clearance, outline=outline, pillars=columns)


def _bays(level: str) -> Iterator[Bay]:
    """The bays of a level, numbered from x01 on in the order a car passes them that comes up the ramp."""
    ordinal, _, _, rows, corners = LEVELS[level]
    north, inner_north, inner_south, south = (
        [place for number, letter in enumerate(modules) for place in _module(level, number, letter, *row)]
        for row, modules in zip(ROWS, rows, strict=True)
    )
    places = [*north[::-1], *inner_north[::-1], *_corner(level, "north-west", corners)]
    places += [*_corner(level, "south-west", corners), *inner_south, *south]
    for number, place in enumerate(places, start=1):
        code = f"{ordinal * 100 + number:03d}"
        sensor = SensorRef(id=f"harbour-{code}", gateway=f"gw-{level.lower()}", heartbeat_seconds=HEARTBEAT_SECONDS)
        yield Bay(bay=code, sensor=sensor, **place)


def _module(level: str, number: int, letter: str, middle: float, nose: float, aisle: str) -> Iterator[Shape]:
    if letter == "x":
        return
    kind, count = KINDS[letter]
    west = FIRST_COLUMN + COLUMN / 2 + number * COLUMN_STEP
    width = MODULE_METRES / count
    shape: Shape = {"width": round(width, 2), "rotation": nose}
    y = middle
    if kind == "motorcycle":
        shape["length"] = MOTORCYCLE_LENGTH
        y += (MOTORCYCLE_LENGTH - BAY_LENGTH) / 2 * (1 if nose == 0 else -1)
    if kind == "ev":
        shape["charger_kw"] = CHARGER_KW
    for place in range(count):
        yield {
            "level": level,
            "kind": kind,
            "x": round(west + (place + 0.5) * width, 3),
            "y": y,
            "aisle": f"{level}-{aisle}",
            **shape,
        }


def _corner(level: str, corner: str, wanted: tuple[str, ...]) -> Iterator[Shape]:
    """Two bays in a corner of the building, where an aisle would only run into the wall."""
    if corner not in wanted:
        return
    south = corner == "south-west"
    for x in (4.25, 1.75):
        yield {
            "level": level,
            "x": x,
            "y": 2.5 if south else DEPTH - 2.5,
            "rotation": 180.0 if south else 0.0,
            "aisle": f"{level}-{'west' if south else 'north'}",
        }


def _nodes(level: str) -> Iterator[Node]:
    points = {
        "nw": (WEST, NORTH),
        "sw": (WEST, SOUTH),
        "se": (EAST, SOUTH),
        "ne": (EAST, NORTH),
        "north-core": (CORE[0], NORTH),
        "core": CORE,
        "south-stairs": (EAST_STAIRS[0], SOUTH),
        "east-stairs": EAST_STAIRS,
        "up-foot": (UP, RAMP_FOOT),
        "up-head": (UP, RAMP_HEAD),
        "down-head": (DOWN, RAMP_FOOT),
        "down-foot": (DOWN, RAMP_HEAD),
    }
    absent = {"P0": {"up-head", "down-head"}, "P2": {"up-foot", "down-foot"}}.get(level, set())
    outside = {
        "P0": {
            "quay-in": (-8.0, NORTH),
            "quay-out": (-8.0, SOUTH),
            "quay-door": (CORE[0], DEPTH + 1.5),
            "market-door": (EAST_STAIRS[0], -1.5),
        },
        "P1": {"hill-in": (EAST, DEPTH + 8), "hill-out": (WEST, DEPTH + 8), "hill-door": (CORE[0], DEPTH + 1.5)},
    }.get(level, {})
    for name, (x, y) in {**points, **outside}.items():
        if name not in absent:
            yield Node(node=f"{level}-{name}", level=level, x=x, y=y)


def _aisles(level: str) -> Iterator[Aisle]:
    for name, path in (
        ("north", ("ne", "north-core", "nw")),
        ("west", ("nw", "sw")),
        ("south", ("sw", "south-stairs", "se")),
        ("east", ("se", "ne")),
    ):
        nodes = tuple(f"{level}-{node}" for node in path)
        yield Aisle(aisle=f"{level}-{name}", name=f"{name.title()} aisle", path=nodes, one_way=True)


def _ramps() -> Iterator[Ramp]:
    for below, above in (("P0", "P1"), ("P1", "P2")):
        up, down = (f"{below}-up-foot", f"{above}-up-head"), (f"{above}-down-head", f"{below}-down-foot")
        yield Ramp(ramp=f"up-{above}", name=f"Ramp to {above}", path=up, metres=RAMP_METRES, one_way=True)
        yield Ramp(ramp=f"down-{below}", name=f"Ramp to {below}", path=down, metres=RAMP_METRES, one_way=True)


def _edges(level: str) -> Iterator[Edge]:
    drives = [("se", "up-foot"), ("down-foot", "ne")] if level != "P2" else []
    drives += [("up-head", "ne"), ("se", "down-head")] if level != "P0" else []
    walks = [("north-core", "core"), ("south-stairs", "east-stairs")]
    if level == "P0":
        drives += [("quay-in", "nw"), ("sw", "quay-out")]
        walks += [("core", "quay-door"), ("east-stairs", "market-door")]
    if level == "P1":
        drives += [("hill-in", "ne"), ("nw", "hill-out")]
        walks += [("core", "hill-door")]
    for start, end in drives:
        yield Edge(start=f"{level}-{start}", end=f"{level}-{end}", way="drive", one_way=True)
    for start, end in walks:
        yield Edge(start=f"{level}-{start}", end=f"{level}-{end}", way="walk")
