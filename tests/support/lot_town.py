"""Lots in memory, and what happens to them: what the routes about lots answer from."""

from __future__ import annotations

from api.current import CurrentLots
from autospot.clock import SetClock
from autospot.domain.bay import Claim, Closure
from autospot.domain.change import ClaimChange, Commit, FeedEntry, SensorChange
from autospot.domain.instant import to_ms
from autospot.domain.lot import Bay, Level, Lot, SensorRef
from autospot.domain.plan import Anchor, Door, Entrance, Node
from autospot.live import LiveLots
from tests.support.api import NOON
from tests.support.lots import a_lot

NOON_MS = to_ms(NOON)


class Stopwatch:
    """Counts seconds only when told to: making a snapshot takes `cost`."""

    def __init__(self) -> None:
        self.now = 0.0
        self.cost = 0.0

    def __call__(self) -> float:
        self.now += self.cost
        return self.now


class Town:
    """Lots and what happens to them."""

    def __init__(self, *lots: Lot) -> None:
        self.live = LiveLots()
        self.live.begin("e1", 100, [(lot, 100) for lot in lots])
        self.clock = SetClock(NOON)
        self.stopwatch = Stopwatch()
        self.is_ready = True
        self.current = CurrentLots(self.live, self.clock, lambda: self.is_ready, self.stopwatch)

    def sense(self, bay: str, occupied: bool | None, lot: str = "harbour") -> None:
        change = SensorChange(bay, occupied, NOON_MS, NOON_MS)
        self._commit(FeedEntry("test", sensors={lot: [change]}))

    def claim(self, bay: str, claim: Claim | None = None, closure: Closure | None = None, lot: str = "harbour") -> None:
        self._commit(FeedEntry("test", claims={lot: [ClaimChange(bay, claim, closure)]}))

    def _commit(self, entry: FeedEntry) -> None:
        self.live.apply(Commit(self.live.rev + 1, entry, NOON_MS))


def placed(code: str, lat: float, lon: float, bays: int = 2) -> Lot:
    return a_lot(code, bays).model_copy(update={"anchor": Anchor(lat=lat, lon=lon)})


def a_garage() -> Lot:
    return Lot(
        lot="garage",
        name="Garage",
        time_zone="Europe/Berlin",
        capacity=3,
        levels=(Level(level="P1", name="Upper", max_height_metres=2.1), Level(level="P2", ordinal=-1)),
        bays=(
            Bay(bay="A1", level="P1", sensor=SensorRef(id="70b3d57ed0000001")),
            Bay(bay="A2", level="P1", kind="ev", charger_kw=22.0),
            Bay(bay="A3", level="P2", kind="disabled", bookable=False),
            Bay(bay="A4", level="P2", kind="ev"),
        ),
        nodes=(Node(node="n1", level="P1", x=0.0, y=0.0), Node(node="n2", level="P1", x=9.0, y=0.0)),
        entrances=(Entrance(entrance="E1", node="n1", name="North"),),
        doors=(Door(door="D1", node="n2", closed=True),),
    )
