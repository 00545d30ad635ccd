"""How far everything is: the distances of one layout, worked out once and looked up per question."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Mapping

import networkx as nx

from autospot.domain.errors import NotFound
from autospot.domain.guidance.network import Mode, Network, Opening, weight
from autospot.domain.lot import Bay, BayKind, Lot

Metres = tuple[float, ...]
"""One distance per bay of `Guide.bays`, infinite where there is no way."""


class Guide:
    """The distances of one version of a lot. Make one when a layout is taken up and keep it with that version.

    Guarantees: depends on the layout alone; what is closed in it is never on the way; distances are exact along the
    plan. Making it costs a few shortest-path searches over the plan's nodes and a pass over the bays for every
    entrance and door; distances for vehicles of limited height, for those who need no steps, and to lifts are added
    when first asked for. There are at most (entrances + 1) x (levels + 1) + 2 x (doors + lifts + stairs + 1) lists.
    May be asked by several threads at once: at worst both work the same list out.

    `bays` are those that can be had at all: in a lot without a plan all of them, each zero metres away; `bookable` are
    the codes of those that are not kept for drivers who just come.
    """

    def __init__(self, lot: Lot) -> None:
        self.lot = lot
        self.network = Network(lot)
        self.planned = bool(lot.nodes)
        self._openings: tuple[Opening, ...] = tuple(
            self.network.openings[bay.bay] for bay in lot.bays if bay.bay in self.network.openings
        )
        self.bays: tuple[Bay, ...] = tuple(
            bay for bay in lot.bays if not self.planned or bay.bay in self.network.openings
        )
        self.codes: tuple[str, ...] = tuple(bay.bay for bay in self.bays)
        self._indexes = {code: index for index, code in enumerate(self.codes)}
        self.bookable: frozenset[str] = frozenset(bay.bay for bay in self.bays if bay.bookable)
        self.indexes_of: Mapping[BayKind, tuple[int, ...]] = _by_kind(self.bays)
        self.aisle_numbers, self.aisle_sizes = _aisles(self.bays, self._openings)
        clearances = {level.max_height_metres for level in lot.levels} - {None}
        self._clearances = sorted(float(height) for height in clearances if height is not None)
        self._entrances = {place.entrance: (place.node,) for place in lot.entrances if not place.closed}
        self._destinations = dict(_destinations(lot))
        self._drive: dict[tuple[str | None, int], Metres] = {}
        self._walk: dict[tuple[str | None, bool], Metres] = {}
        for entrance in (None, *self._entrances):
            self.drive_metres(entrance)
        for destination in (None, *(door.door for door in lot.doors if not door.closed)):
            self.walk_metres(destination)

    def drive_metres(self, entrance: str | None, height_metres: float = 0.0) -> Metres:
        """Metres from an open entrance (None: from the nearest one) to each bay, for a vehicle of that height.

        `NotFound` (code `no_such_place`) if there is no such entrance or it is closed.
        """
        if entrance is not None and entrance not in self._entrances:
            raise NotFound(f"there is no open entrance {entrance!r}", code="no_such_place")
        passable = bisect_left(self._clearances, height_metres)
        key = (entrance, passable)
        if key not in self._drive:
            sources = [self._entrances[entrance]] if entrance is not None else self._entrances.values()
            height = self._clearances[passable] if passable < len(self._clearances) else math.inf
            mode = Mode("drive", height_metres=height if height_metres else 0.0)
            self._drive[key] = self._metres(sources, mode)
        return self._drive[key]

    def walk_metres(self, destination: str | None, *, step_free: bool = False) -> Metres:
        """Metres to walk from each bay to an open door, lift or stairs (None: to the nearest door).

        Lifts and stairs on the way count as the metres walked in the same time. `NotFound` (code `no_such_place`) if
        there is no such place.
        """
        if destination is not None and destination not in self._destinations:
            raise NotFound(f"there is no open door, lift or stairs {destination!r}", code="no_such_place")
        key = (destination, step_free)
        if key not in self._walk:
            doors = (door.door for door in self.lot.doors if not door.closed)
            targets = [self._destinations[code] for code in ([destination] if destination is not None else doors)]
            self._walk[key] = self._metres(targets, Mode("walk", step_free=step_free))
        return self._walk[key]

    def entrance_of(self, bay: str, height_metres: float = 0.0) -> str | None:
        """The open entrance from which a vehicle of that height has the shortest way to `bay`; None if there is none,
        or no way. `bay` is one of `codes`."""
        index = self._indexes[bay]
        return _nearest((self.drive_metres(code, height_metres)[index], code) for code in self._entrances)

    def door_of(self, bay: str, *, step_free: bool = False) -> str | None:
        """The open door to which one walks least from `bay`; None if there is none, or no way."""
        index = self._indexes[bay]
        doors = (door.door for door in self.lot.doors if not door.closed)
        return _nearest((self.walk_metres(code, step_free=step_free)[index], code) for code in doors)

    def _metres(self, sources: Iterable[tuple[str, ...]], mode: Mode) -> Metres:
        """From the nearest of `sources` to each bay. Walks are as long there as back, so this does for them too."""
        if not self.planned:
            return (0.0,) * len(self.bays)
        nodes = {node for group in sources for node in group}
        if not nodes:
            return (math.inf,) * len(self.bays)
        reached = nx.multi_source_dijkstra_path_length(self.network.graph, nodes, weight=weight(mode))
        return tuple(_to_bay(opening, reached, mode) for opening in self._openings)


def _to_bay(opening: Opening, reached: Mapping[str, float], mode: Mode) -> float:
    tips = opening.entries if mode.way == "drive" else opening.ends
    # To the millimetre: ways that are equally long on the plan must not differ by the noise of adding them up.
    return round(opening.aside + min(reached.get(tip.node, math.inf) + tip.metres for tip in tips), 3)


def _nearest(places: Iterable[tuple[float, str]]) -> str | None:
    metres, code = min(places, default=(math.inf, ""))
    return code if metres < math.inf else None


def _by_kind(bays: tuple[Bay, ...]) -> dict[BayKind, tuple[int, ...]]:
    found: dict[BayKind, list[int]] = {}
    for index, bay in enumerate(bays):
        found.setdefault(bay.kind, []).append(index)
    return {kind: tuple(indexes) for kind, indexes in found.items()}


def _aisles(bays: tuple[Bay, ...], openings: tuple[Opening, ...]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The number of each bay's aisle (in a lot without a plan: of its level), and how many bays each number has."""
    names = [opening.stretch.aisle.aisle for opening in openings] or [bay.level for bay in bays]
    numbers = {name: number for number, name in enumerate(dict.fromkeys(names))}
    sizes = [0] * len(numbers)
    for name in names:
        sizes[numbers[name]] += 1
    return tuple(numbers[name] for name in names), tuple(sizes)


def _destinations(lot: Lot) -> Iterable[tuple[str, tuple[str, ...]]]:
    yield from ((door.door, (door.node,)) for door in lot.doors if not door.closed)
    yield from ((lift.lift, lift.path) for lift in lot.lifts if not lift.closed)
    yield from ((stairs.stairs, stairs.path) for stairs in lot.stairs if not stairs.closed)
