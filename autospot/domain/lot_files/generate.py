"""Made-up lots of any size with a plan that works: rows of bays on parallel aisles between two cross aisles.

One level, seen from above (up to `LEVEL_BAYS` bays; more bays make more levels, joined by ramps and a lift)::

    W2 ═══════ aisle 2 ═══════ E2
    ║  bays on both sides       ║
    W1 ═══════ aisle 1 ═══════ E1   foot ───┐  up: out to the east and back,
    ║                           ║ /         │  half a turn
    W0 ═══════ aisle 0 ═══════ E0 ─ head ───┘  of the ramp from below
    ║ entrance             exit ║

Lift, stairs and a door stand beside the middle of the west cross aisle.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from autospot.domain.lot import BAYS_LIMIT, Bay, BayKind, Lot
from autospot.domain.plan import Aisle, Anchor, Door, Edge, Entrance, Exit, Level, Lift, Node, Ramp, Sign, Stairs

LOTS_LIMIT = 100_000

LEVEL_BAYS = 500
AISLE_BAYS = 50
ROW_BAYS = AISLE_BAYS // 2

AISLE_METRES = 6.0
BAY_WIDTH, BAY_LENGTH, WIDE_BAY_WIDTH = 2.5, 5.0, 3.5
MODULE_METRES = AISLE_METRES + 2 * BAY_LENGTH
"""One aisle with its two rows."""

ROW_METRES = WIDE_BAY_WIDTH + (ROW_BAYS - 1) * BAY_WIDTH
WEST, EAST = -AISLE_METRES / 2, ROW_METRES + AISLE_METRES / 2
CORE = WEST - AISLE_METRES
"""Where the lift and the stairs stand."""

RAMP_NEAR, RAMP_FAR, RAMP_ASIDE = EAST + AISLE_METRES, EAST + 3 * AISLE_METRES, AISLE_METRES / 2
"""A ramp is a narrow U: 12 m away from the east cross aisle, 6 m to the side, 12 m back."""

_BERLIN_LAT, _BERLIN_LON = 52.45, 13.25
_SPACING_DEGREES = 0.005


def generate_lots(lots: int, bays: int, prefix: str = "L") -> Iterator[Lot]:
    """`lots` lots with codes `{prefix}000`…, each with `bays` bays `B00000`…; the same arguments give the same lots.

    `bays` is 1 to `BAYS_LIMIT`. Bays name no sensor: a sensor whose id equals the bay's code speaks for it.
    """
    if not 0 <= lots <= LOTS_LIMIT:
        raise ValueError(f"lots is 0 to {LOTS_LIMIT}")
    if not 1 <= bays <= BAYS_LIMIT:
        raise ValueError(f"bays is 1 to {BAYS_LIMIT}")
    first = generate_lot("", bays)  # all the same but for code, name and place
    for number in range(lots):
        code = f"{prefix}{number:03d}"
        anchor = Anchor(
            lat=round(_BERLIN_LAT + _SPACING_DEGREES * (number // 50), 6),
            lon=round(_BERLIN_LON + _SPACING_DEGREES * (number % 50), 6),
        )
        yield first.model_copy(update={"lot": code, "name": f"Lot {code}", "anchor": anchor})


def generate_lot(code: str, bays: int, *, time_zone: str = "Europe/Berlin") -> Lot:
    """One lot with `bays` bays and everything that guidance and signs need."""
    counts = [min(LEVEL_BAYS, bays - first) for first in range(0, bays, LEVEL_BAYS)]
    floors = [_Floor(number, count, top=number == len(counts) - 1) for number, count in enumerate(counts)]
    ground = floors[0]
    return Lot.model_construct(
        lot=code,
        name=code,
        time_zone=time_zone,
        levels=tuple(Level(level=floor.code, ordinal=floor.number) for floor in floors),
        bays=tuple(bay for floor in floors for bay in floor.bays()),
        nodes=tuple(node for floor in floors for node in floor.nodes()),
        aisles=tuple(aisle for floor in floors for aisle in floor.aisles()),
        ramps=tuple(_ramp(below, above) for below, above in pairwise(floors)),
        lifts=(Lift(lift="lift", path=tuple(floor.core for floor in floors)),) if len(floors) > 1 else (),
        stairs=(Stairs(stairs="stairs", path=tuple(floor.core for floor in floors)),) if len(floors) > 1 else (),
        edges=tuple(edge for floor in floors for edge in floor.edges()),
        entrances=(Entrance(entrance="in", node=ground.node("in")),),
        exits=(Exit(exit="out", node=ground.node("out")),),
        doors=(Door(door="door", node=ground.core),),
        signs=(Sign(sign="sign-in", entrance="in", name="Entrance sign"),),
    )


class _Floor:
    """One level of the pattern above, with `count` bays."""

    def __init__(self, number: int, count: int, *, top: bool) -> None:
        self.number = number
        self.top = top
        self.code = f"P{number}"
        self.count = count
        self.rows = -(-count // AISLE_BAYS)
        self.core = self.node("core")

    def node(self, name: str) -> str:
        """The code of a node of this level."""
        return f"{self.code}-{name}"

    def bays(self) -> Iterator[Bay]:
        for index in range(self.count):
            row, place = divmod(index, AISLE_BAYS)
            north, column = divmod(place, ROW_BAYS)
            aside = (AISLE_METRES + BAY_LENGTH) / 2
            yield Bay(
                bay=f"B{self.number * LEVEL_BAYS + index:05d}",
                level=self.code,
                kind=_kind(row, column),
                x=WIDE_BAY_WIDTH / 2 if column == 0 else WIDE_BAY_WIDTH + (column - 0.5) * BAY_WIDTH,
                y=_middle(row) + (aside if north else -aside),
                width=WIDE_BAY_WIDTH if column == 0 else BAY_WIDTH,
                rotation=0.0 if north else 180.0,
            )

    def nodes(self) -> Iterator[Node]:
        for row in range(self.rows):
            yield Node(node=self.node(f"W{row}"), level=self.code, x=WEST, y=_middle(row))
            yield Node(node=self.node(f"E{row}"), level=self.code, x=EAST, y=_middle(row))
        yield Node(node=self.core, level=self.code, x=CORE, y=_middle(self.rows // 2))
        if self.number == 0:
            yield Node(node=self.node("in"), level=self.code, x=WEST, y=-AISLE_METRES)
            yield Node(node=self.node("out"), level=self.code, x=EAST, y=-AISLE_METRES)
        else:
            yield Node(node=self.node("head"), level=self.code, x=RAMP_NEAR, y=_middle(0) - RAMP_ASIDE)
        if not self.top:
            for name, x, side in (("foot", RAMP_NEAR, 1), ("bend", RAMP_FAR, 1), ("back", RAMP_FAR, -1)):
                yield Node(node=self.node(name), level=self.code, x=x, y=_middle(0) + side * RAMP_ASIDE)

    def aisles(self) -> Iterator[Aisle]:
        for row in range(self.rows):
            code = self.node(f"A{row}")
            yield Aisle(aisle=code, path=(self.node(f"W{row}"), self.node(f"E{row}")), width=AISLE_METRES)

    def edges(self) -> Iterator[Edge]:
        for side in "WE":
            for row in range(self.rows - 1):
                yield Edge(start=self.node(f"{side}{row}"), end=self.node(f"{side}{row + 1}"))
        yield Edge(start=self.node(f"W{self.rows // 2}"), end=self.core, way="walk")
        if self.number == 0:
            yield Edge(start=self.node("in"), end=self.node("W0"), one_way=True)
            yield Edge(start=self.node("E0"), end=self.node("out"), one_way=True)
        else:
            yield Edge(start=self.node("head"), end=self.node("E0"), way="drive")
        if not self.top:
            yield Edge(start=self.node("E0"), end=self.node("foot"), way="drive")


def _middle(row: int) -> float:
    return row * MODULE_METRES + MODULE_METRES / 2


def _kind(row: int, column: int) -> BayKind:
    """The place nearest the lift is for the disabled, the next for families, one in 25 at the far end has a charger."""
    if column == 0:
        return "disabled"
    if column == 1 and row % 2 == 0:
        return "family"
    return "ev" if column == ROW_BAYS - 1 else "general"


def _ramp(below: _Floor, above: _Floor) -> Ramp:
    path = (below.node("foot"), below.node("bend"), below.node("back"), above.node("head"))
    return Ramp(ramp=f"R{above.number}", name=f"Ramp {above.number}", path=path)
