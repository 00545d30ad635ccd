"""Whatever the operator closes: who is recommended a bay can get there, by ways that are there and open for them.

Every piece of a way is looked up in the plan itself, by geometry alone: the graph is not asked about its own work.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations, pairwise
from typing import Any, Literal, NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from autospot.domain.errors import NotFound
from autospot.domain.guidance import SUITABLE, Guide, Route, RoutePoint, Wish, match_drivers, recommend, route
from autospot.domain.lot import Bay, Lot
from autospot.domain.lot_files.generate import generate_lot
from autospot.domain.plan import Node
from sites.harbour import harbour
from sites.market_street import market_street

LOTS = (harbour(), market_street(), generate_lot("large", 2000))
NEAR = 0.005
"""Metres by which a point may be beside a line."""


class Piece(NamedTuple):
    """A straight stretch of the plan that may be used from `start` to `end`, and back unless `one_way`."""

    start: Node
    end: Node
    one_way: bool


def pieces_of(lot: Lot, way: Literal["drive", "walk"], *, step_free: bool) -> Iterator[Piece]:
    """Everything of a plan that is open to somebody."""
    node = {each.node: each for each in lot.nodes}
    binds = way == "drive"
    for aisle in lot.aisles:
        if not aisle.closed:
            yield from (Piece(node[a], node[b], binds and aisle.one_way) for a, b in pairwise(aisle.path))
    for ramp in lot.ramps:
        if not ramp.closed and (binds or ramp.walk):
            yield from (Piece(node[a], node[b], binds and ramp.one_way) for a, b in pairwise(ramp.path))
    for edge in lot.edges:
        if not edge.closed and edge.way in (way, "both"):
            yield Piece(node[edge.start], node[edge.end], binds and edge.one_way)
    if way == "walk":
        yield from _shafts_of(lot, node, step_free=step_free)


def _shafts_of(lot: Lot, node: dict[str, Node], *, step_free: bool) -> Iterator[Piece]:
    for lift in lot.lifts:
        if not lift.closed:
            yield from (Piece(node[a], node[b], False) for a, b in combinations(lift.path, 2))
    for stairs in lot.stairs:
        if not stairs.closed and not step_free:
            yield from (Piece(node[a], node[b], False) for a, b in pairwise(stairs.path))


def may_be_gone(piece: Piece, start: RoutePoint, end: RoutePoint) -> bool:
    """True if the straight line from `start` to `end` lies on `piece`, in a direction in which it may be used."""
    if start.level == end.level == piece.start.level == piece.end.level:
        along = [_along(piece, point) for point in (start, end)]
        if None in along:
            return False
        return not piece.one_way or along[0] <= along[1] + NEAR  # type: ignore[operator]
    ends = [(RoutePoint(each.level, each.x, each.y)) for each in (piece.start, piece.end)]
    return (start, end) == tuple(ends) or (not piece.one_way and (end, start) == tuple(ends))


def _along(piece: Piece, point: RoutePoint) -> float | None:
    """Metres from the start of `piece` at which `point` lies on it; None if it does not."""
    dx, dy = piece.end.x - piece.start.x, piece.end.y - piece.start.y
    length = math.hypot(dx, dy)
    px, py = point.x - piece.start.x, point.y - piece.start.y
    if length == 0:
        return 0.0 if math.hypot(px, py) <= NEAR else None
    along, aside = (px * dx + py * dy) / length, abs(px * dy - py * dx) / length
    return along if aside <= NEAR and -NEAR <= along <= length + NEAR else None


def assert_can_be_gone(
    lot: Lot, found: Route, bays: list[Bay], *, step_free: bool = False, height: float = 0.0
) -> None:
    """Every piece of the way is on the plan; the ends may be pieces between a bay of `bays` and its aisle."""
    pieces = list(pieces_of(lot, found.way, step_free=step_free))
    centres = {RoutePoint(bay.level, bay.x, bay.y) for bay in bays}
    for start, end in pairwise(found.points):
        beside_a_bay = bool({start, end} & centres) and start.level == end.level
        assert beside_a_bay or any(may_be_gone(piece, start, end) for piece in pieces), (start, end, found.text)
    if found.way == "drive":
        clearance = {level.level: level.max_height_metres or math.inf for level in lot.levels}
        assert all(clearance[point.level] >= height for point in found.points)


@st.composite
def lots_with_closures(draw: st.DrawFn) -> Lot:
    """A lot in which some ways and places are closed."""
    lot = draw(st.sampled_from(LOTS))
    random = draw(st.randoms(use_true_random=False))
    changes: dict[str, Any] = {}
    for name in ("aisles", "ramps", "edges", "lifts", "stairs", "entrances", "doors"):
        things = getattr(lot, name)
        changes[name] = tuple(replace(each, closed=each.closed or random.random() < 0.12) for each in things)
    return lot.model_copy(update=changes)


wishes = st.builds(
    Wish,
    kinds=st.sampled_from(list(SUITABLE.values())),
    height_metres=st.sampled_from([0.0, 1.9, 2.4]),
    width_metres=st.sampled_from([0.0, 1.9]),
    step_free=st.booleans(),
)


@settings(max_examples=60, deadline=None)
@given(lots_with_closures(), wishes, st.randoms(use_true_random=False))
def test_who_is_recommended_a_bay_can_drive_there_and_walk_on(lot: Lot, wish: Wish, random: Any) -> None:
    guide = Guide(lot)
    free = {code for code in guide.codes if random.random() < 0.3}
    for found in recommend(guide, free, wish, 3):
        bay = found.bay
        entrance = guide.entrance_of(bay.bay, wish.height_metres)
        door = guide.door_of(bay.bay, step_free=wish.step_free)
        assert entrance in {each.entrance for each in lot.entrances if not each.closed}
        assert door in {each.door for each in lot.doors if not each.closed}

        drive = route(guide, str(entrance), bay.bay, height_metres=wish.height_metres)
        walk = route(guide, bay.bay, str(door), step_free=wish.step_free)
        assert (drive.way, walk.way) == ("drive", "walk")
        assert drive.points[-1] == walk.points[0] == (bay.level, bay.x, bay.y)
        assert_can_be_gone(lot, drive, [bay], height=wish.height_metres)
        assert_can_be_gone(lot, walk, [bay], step_free=wish.step_free)
        assert abs(drive.metres - found.drive_metres) <= 0.1


@settings(max_examples=25, deadline=None)
@given(lots_with_closures(), st.lists(wishes, min_size=2, max_size=20), st.randoms(use_true_random=False))
def test_drivers_who_come_together_never_meet_on_one_bay(lot: Lot, together: list[Wish], random: Any) -> None:
    guide = Guide(lot)
    free = {code for code in guide.codes if random.random() < 0.05}
    dealt = [(wish, found) for wish, found in zip(together, match_drivers(guide, free, together), strict=True) if found]
    given = [found.bay.bay for _, found in dealt]
    assert len(given) == len(set(given))
    assert set(given) <= free
    for wish, found in dealt:
        assert found.bay.kind in wish.kinds
        assert not wish.width_metres or found.bay.width >= wish.width_metres + 0.4


@settings(max_examples=40, deadline=None)
@given(lots_with_closures(), st.data())
def test_a_walk_between_any_two_places_goes_by_what_is_open(lot: Lot, data: st.DataObject) -> None:
    guide = Guide(lot)
    bays = [bay for bay in lot.bays if bay.bay in guide.codes]
    if not bays:
        return
    bay, step_free = data.draw(st.sampled_from(bays)), data.draw(st.booleans())
    for door in lot.doors:
        try:
            found = route(guide, door.door, bay.bay, step_free=step_free)
        except NotFound as refusal:
            if refusal.code != "no_route":
                raise
            continue
        assert_can_be_gone(lot, found, [bay], step_free=step_free)
