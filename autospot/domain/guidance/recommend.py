"""Which bay: for one driver the best ones in order, for several drivers one each.

A bay costs the metres to drive from the entrance plus the metres to walk to the destination, weighted. A walked metre
counts `Weights.walk` times a driven one because it takes about twice as long: 1.3 m/s on foot against 10 km/h (2.8 m/s)
in a garage. Costs that are the same to the metre are a tie, and ties go to the emptier aisle.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from heapq import nsmallest
from typing import NamedTuple

import networkx as nx

from autospot.domain.errors import InvalidInput
from autospot.domain.guidance.distances import Guide
from autospot.domain.lot import Bay, BayKind

MATCH_LIMIT = 64
"""Most drivers that are matched together. In a lot of 2,000 bays they take 3 ms if all want the same, 16 ms with six
different wishes among them, 130 ms if no two are alike. Whoever is over is matched next."""

FAR_METRES = 100_000
"""A bay whose weighted way is longer than this is not recommended: it cannot be reached."""

DOOR_METRES = 0.4
"""What a bay must be wider than the vehicle, so that somebody can get out."""

_PREFERENCE = 10 * FAR_METRES
_TIE = 100_000
"""A cost is (preference x `_PREFERENCE` + metres) x `_TIE` + how full the aisle is, 0 to 1000: one whole number that
orders as the three do, also when the costs of `MATCH_LIMIT` drivers are added up."""

SUITABLE: Mapping[BayKind, tuple[BayKind, ...]] = {
    "general": ("general",),
    "disabled": ("disabled", "general"),
    "ev": ("ev",),
    "family": ("family", "general"),
    "motorcycle": ("motorcycle",),
    "oversize": ("oversize",),
    "car_share": ("car_share",),
}
"""Which bays do for a driver who is entitled to a kind, the preferred ones first."""


class Weights(NamedTuple):
    """What a metre counts."""

    drive: float = 1.0
    walk: float = 2.0


DEFAULT_WEIGHTS = Weights()


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What one driver needs.

    `entrance` is where the car is (None: wherever is nearest), `destination` the door, lift or stairs the driver walks
    to (None: the nearest door). `kinds` are the kinds of bay that will do, better ones first: a worse kind comes up
    only after all bays of a better one. Sizes are the vehicle's in metres, 0 where nobody said.
    """

    entrance: str | None = None
    destination: str | None = None
    kinds: tuple[BayKind, ...] = ("general",)
    height_metres: float = 0.0
    width_metres: float = 0.0
    length_metres: float = 0.0
    step_free: bool = False


@dataclass(frozen=True, slots=True)
class Recommendation:
    """One bay with its way. `cost` orders recommendations and means nothing else; metres as in `Guide`."""

    bay: Bay
    drive_metres: float
    walk_metres: float
    cost: int

    def metres(self, weights: Weights = DEFAULT_WEIGHTS) -> float:
        """The way there and back to where one walks, each metre as `weights` count it."""
        return round(weights.drive * self.drive_metres + weights.walk * self.walk_metres, 1)


def recommend(
    guide: Guide, free: Collection[str], wish: Wish, limit: int = 3, weights: Weights = DEFAULT_WEIGHTS
) -> list[Recommendation]:
    """The `limit` best bays for `wish`, best first; fewer if there are not so many.

    `free` holds the codes of the bays that are free and unclaimed (for the time in question); use a set. `NotFound` if
    the wish names an entrance or destination that is unknown or closed.
    """
    drive = guide.drive_metres(wish.entrance, wish.height_metres)
    walk = guide.walk_metres(wish.destination, step_free=wish.step_free)
    fullness = _fullness(guide, free)
    sized = bool(wish.height_metres or wish.width_metres or wish.length_metres)
    candidates: list[tuple[int, int]] = []
    for preference, kind in enumerate(wish.kinds):
        base = preference * _PREFERENCE
        for index in guide.indexes_of.get(kind, ()):
            if guide.codes[index] not in free or (sized and not fits(guide.bays[index], wish)):
                continue
            metres = weights.drive * drive[index] + weights.walk * walk[index]
            if metres <= FAR_METRES:
                candidates.append(((base + round(metres)) * _TIE + fullness[guide.aisle_numbers[index]], index))
    return [
        Recommendation(guide.bays[index], drive[index], walk[index], cost)
        for cost, index in nsmallest(limit, candidates)
    ]


def match_drivers(
    guide: Guide, free: Collection[str], wishes: Sequence[Wish], weights: Weights = DEFAULT_WEIGHTS
) -> list[Recommendation | None]:
    """One bay for each driver, never the same twice, None for those who get none.

    As many drivers as possible get a bay, and then their costs together are the least possible. In the order of
    `wishes`, of which there may be `MATCH_LIMIT`.
    """
    if len(wishes) > MATCH_LIMIT:
        raise InvalidInput(f"at most {MATCH_LIMIT} drivers are matched together")
    drivers = Counter(wishes)
    # With n drivers nobody needs more than a choice of n: the others can take at most n - 1 of them.
    choices = {wish: recommend(guide, free, wish, len(wishes), weights) for wish in drivers}
    bays = _assigned([({choice.bay.bay: choice.cost for choice in choices[wish]}, drivers[wish]) for wish in drivers])
    dealt = {
        wish: iter([choice for choice in choices[wish] if choice.bay.bay in given])
        for wish, given in zip(drivers, bays, strict=True)
    }
    return [next(dealt[wish], None) for wish in wishes]


_ALL_DRIVERS, _NOBODY = "drivers", "nobody"


def _assigned(groups: Sequence[tuple[Mapping[str, int], int]]) -> list[frozenset[str]]:
    """The bays of each group of drivers, given its costs by bay and how many they are: the cheapest flow of one unit
    per driver through bays that take one each. Drivers who want the same are one node: what it costs grows with the
    number of different wishes, not of drivers.

    A driver may also go to nobody's bay, which is dearer than all others together and so is the last resort.
    """
    nobody = 1 + sum(drivers * max(costs.values(), default=0) for costs, drivers in groups)
    network: nx.DiGraph[int | tuple[str] | str] = nx.DiGraph()
    network.add_node(_ALL_DRIVERS, demand=sum(drivers for _, drivers in groups))
    for number, (costs, drivers) in enumerate(groups):
        network.add_node(number, demand=-drivers)
        network.add_edge(number, _NOBODY, weight=nobody)
        for bay, cost in costs.items():
            network.add_edge(number, (bay,), weight=cost)
            network.add_edge((bay,), _ALL_DRIVERS, weight=0, capacity=1)
    network.add_edge(_NOBODY, _ALL_DRIVERS, weight=0)
    _, flow = nx.network_simplex(network)
    return [
        frozenset(node[0] for node, units in flow[number].items() if units and node != _NOBODY)
        for number in range(len(groups))
    ]


def fits(bay: Bay, wish: Wish) -> bool:
    """True if a vehicle of the wished size can stand on `bay`. The way there is `Guide.drive_metres`' business."""
    if bay.max_height_metres is not None and wish.height_metres > bay.max_height_metres:
        return False
    if wish.length_metres > bay.length:
        return False
    return not wish.width_metres or wish.width_metres + DOOR_METRES <= bay.width


def _fullness(guide: Guide, free: Collection[str]) -> list[int]:
    """How full each aisle is, in thousandths."""
    free_bays = [0] * len(guide.aisle_sizes)
    for code, number in zip(guide.codes, guide.aisle_numbers, strict=True):
        if code in free:
            free_bays[number] += 1
    return [1000 - 1000 * vacant // size for vacant, size in zip(free_bays, guide.aisle_sizes, strict=True)]
