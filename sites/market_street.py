"""Market Street: an on-street zone around one block, 65 bays in four streets, no parking meters and no level above it.

::

              D ◄───── Mill Street (one-way, bays at 45 degrees on its north side) ◄───── C
              │                        town hall                                          │
       Abbey  │                                                                           │  Bridge Street
       Street │                       market hall                          bus station    │  (both ways, bays
              ▼                            │                                              │   across)
              A ─────► Market Street (one-way, bays along both kerbs) ───────────────────► B

Every street is cut where house drives, crossings and corners keep the kerb free: no bay within 10 m of a crossroads.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from autospot.domain.lot import Bay, BayKind, BookingTerms, Lot, SensorRef
from autospot.domain.plan import Aisle, Anchor, Door, Edge, Entrance, Exit, Level, Node, Sign

LEVEL = "street"
BLOCK_WIDTH, BLOCK_DEPTH = 160.0, 70.0
HALF_ROAD = 3.25

KERB_LENGTH, KERB_WIDTH, WIDE_KERB_LENGTH = 5.7, 2.1, 6.6
"""A bay along the kerb, and one for the disabled."""

SLANT_WIDTH, SLANT_LENGTH, SLANT_DEGREES = 2.5, 5.0, 45.0
ACROSS_WIDTH, ACROSS_LENGTH = 2.5, 5.0
MOTORCYCLE_WIDTH, MOTORCYCLE_LENGTH = 1.25, 2.5

HEARTBEAT_SECONDS = 3600

Shape = dict[str, Any]
"""Fields of a bay."""


def market_street() -> Lot:
    """The zone."""
    return Lot(
        lot="market-street",
        name="Market Street zone",
        time_zone="Europe/Dublin",
        address="Market Street, Galway",
        country="IE",
        anchor=Anchor(lat=53.27405, lon=-9.05455, bearing=24.0),
        booking=BookingTerms(maximum_minutes=4 * 60, horizon_days=14),
        levels=(Level(level=LEVEL, name="Street"),),
        bays=tuple(_bays()),
        nodes=tuple(Node(node=code, level=LEVEL, x=x, y=y) for code, (x, y) in NODES.items()),
        aisles=(
            Aisle(aisle="market", name="Market Street", path=("a", "hall", "b"), width=2 * HALF_ROAD, one_way=True),
            Aisle(aisle="bridge", name="Bridge Street", path=("b", "bus", "c"), width=2 * HALF_ROAD),
            Aisle(aisle="mill", name="Mill Street", path=("c", "town", "d"), width=2 * HALF_ROAD, one_way=True),
            Aisle(aisle="abbey", name="Abbey Street", path=("d", "a"), width=2 * HALF_ROAD, one_way=True),
        ),
        edges=(
            Edge(start="abbey-in", end="d", one_way=True),
            Edge(start="market-in", end="a", one_way=True),
            Edge(start="b", end="market-out", one_way=True),
            Edge(start="c", end="bridge-out", one_way=True),
            Edge(start="hall", end="hall-door", way="walk"),
            Edge(start="town", end="town-door", way="walk"),
            Edge(start="bus", end="bus-door", way="walk"),
        ),
        entrances=(
            Entrance(entrance="abbey-in", node="abbey-in", name="Abbey Street"),
            Entrance(entrance="market-in", node="market-in", name="Market Street"),
        ),
        exits=(
            Exit(exit="market-out", node="market-out", name="Market Street"),
            Exit(exit="bridge-out", node="bridge-out", name="Bridge Street"),
        ),
        doors=(
            Door(door="market-hall", node="hall-door", name="Market Hall"),
            Door(door="town-hall", node="town-door", name="Town Hall"),
            Door(door="bus-station", node="bus-door", name="Bus Station"),
        ),
        signs=(
            Sign(sign="sign-abbey", entrance="abbey-in", name="Abbey Street"),
            Sign(sign="sign-market", entrance="market-in", name="Market Street"),
        ),
    )


NODES = {
    "a": (0.0, 0.0),
    "hall": (80.0, 0.0),
    "b": (BLOCK_WIDTH, 0.0),
    "bus": (BLOCK_WIDTH, 35.0),
    "c": (BLOCK_WIDTH, BLOCK_DEPTH),
    "town": (30.0, BLOCK_DEPTH),
    "d": (0.0, BLOCK_DEPTH),
    "abbey-in": (0.0, BLOCK_DEPTH + 40),
    "market-in": (-50.0, 0.0),
    "market-out": (BLOCK_WIDTH + 50, 0.0),
    "bridge-out": (BLOCK_WIDTH, BLOCK_DEPTH + 40),
    "hall-door": (80.0, 14.0),
    "town-door": (30.0, BLOCK_DEPTH - 12),
    "bus-door": (BLOCK_WIDTH - 12, 35.0),
}


def _bays() -> Iterator[Bay]:
    streets = (("M", _market), ("B", _bridge), ("W", _mill), ("A", _abbey))
    serial = 0
    for letter, street in streets:
        for number, place in enumerate(street(), start=1):
            serial += 1
            yield Bay(bay=f"{letter}{number:02d}", level=LEVEL, sensor=_sensor(serial, letter, number), **place)


def _sensor(serial: int, letter: str, number: int) -> SensorRef:
    """LoRaWAN sensors in the asphalt, but for Bridge Street, where a gateway of our own listens to native ones."""
    if letter == "B":
        return SensorRef(id=f"bridge-{number:02d}", gateway="gw-bridge", heartbeat_seconds=HEARTBEAT_SECONDS)
    return SensorRef(id=f"02005e1000{serial:06x}", model="nwave-nps405", heartbeat_seconds=HEARTBEAT_SECONDS)


def _market() -> Iterator[Shape]:
    south = _kerb(12.0, 6) + _kerb(52.0, 3) + _kerb(90.0, 5) + _kerb(125.0, 4)
    north = _kerb(12.0, 5) + _kerb(90.0, 4) + _kerb(128.0, 3)
    for x in south:
        yield _along("market", "general", x, -1, KERB_LENGTH)
    for x in _kerb(52.0, 3, WIDE_KERB_LENGTH):
        yield _along("market", "disabled", x, 1, WIDE_KERB_LENGTH)
    for x in north:
        yield _along("market", "general", x, 1, KERB_LENGTH)


def _kerb(start: float, count: int, length: float = KERB_LENGTH) -> list[float]:
    """Middles of `count` bays in a line along a kerb that begins at `start`."""
    return [round(start + (number + 0.5) * length, 2) for number in range(count)]


def _along(aisle: str, kind: BayKind, x: float, side: int, length: float) -> Shape:
    y = side * (HALF_ROAD + KERB_WIDTH / 2)
    return {
        "kind": kind,
        "x": x,
        "y": y,
        "width": KERB_WIDTH,
        "length": length,
        "rotation": 90.0,
        "aisle": aisle,
    }


def _mill() -> Iterator[Shape]:
    """Noses to the north-west: a driver who comes from the east turns half right."""
    slant = math.radians(SLANT_DEGREES)
    pitch = SLANT_WIDTH / math.sin(slant)
    depth = SLANT_LENGTH * math.sin(slant) + SLANT_WIDTH * math.cos(slant)
    groups: tuple[tuple[BayKind, int], ...] = (("ev", 4), ("car_share", 2), ("family", 2), ("general", 8))
    for number, kind in enumerate(kind for kind, count in groups for _ in range(count)):
        charger = {"charger_kw": 22.0} if kind == "ev" else {}
        yield {
            "kind": kind,
            "x": round(140 - number * pitch, 2),
            "y": round(BLOCK_DEPTH + HALF_ROAD + depth / 2, 2),
            "width": SLANT_WIDTH,
            "length": SLANT_LENGTH,
            "rotation": 270.0 + SLANT_DEGREES,
            "aisle": "mill",
            **charger,
        }


def _bridge() -> Iterator[Shape]:
    for number in range(8):
        yield {
            "x": BLOCK_WIDTH + HALF_ROAD + ACROSS_LENGTH / 2,
            "y": 12 + (number + 0.5) * ACROSS_WIDTH,
            "width": ACROSS_WIDTH,
            "length": ACROSS_LENGTH,
            "rotation": 90.0,
            "aisle": "bridge",
        }
    for number in range(4):
        yield {
            "kind": "motorcycle",
            "x": BLOCK_WIDTH + HALF_ROAD + MOTORCYCLE_LENGTH / 2,
            "y": 44 + (number + 0.5) * MOTORCYCLE_WIDTH,
            "width": MOTORCYCLE_WIDTH,
            "length": MOTORCYCLE_LENGTH,
            "rotation": 90.0,
            "aisle": "bridge",
        }


def _abbey() -> Iterator[Shape]:
    for number in range(4):
        yield {
            "x": -(HALF_ROAD + KERB_WIDTH / 2),
            "y": round(46 - number * KERB_LENGTH, 2),
            "width": KERB_WIDTH,
            "length": KERB_LENGTH,
            "rotation": 180.0,
            "aisle": "abbey",
        }
