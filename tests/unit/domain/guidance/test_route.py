"""Routes: the line follows the plan, and the words say what somebody on that line sees."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autospot.domain.errors import NotFound
from autospot.domain.guidance import Guide, Route, route
from autospot.domain.guidance.route import place_of
from autospot.domain.lot import Bay, Lot
from autospot.domain.lot_files.generate import generate_lot
from autospot.domain.plan import Aisle, Door, Edge, Entrance, Exit, Level, Node
from sites.harbour import harbour
from sites.market_street import market_street

HARBOUR, MARKET, LARGE = Guide(harbour()), Guide(market_street()), Guide(generate_lot("large", 2000))
BAY = {bay.bay: bay for bay in HARBOUR.bays}


@pytest.mark.parametrize(
    ("start", "end", "words"),
    [
        # in by Quay Street, round P0 and P1, up twice; north row, driving west: the bay is on the right
        ("quay-in", "214", "first left, ramp to P1, first left, ramp to P2, bay 214 on the right"),
        # the corner straight ahead of the gate lies to the left of it
        ("quay-in", "039", "bay 039 on the left"),
        # past the exit lane (first right is not taken), along the south aisle: south row is on the right
        ("quay-in", "082", "first left, bay 082 on the right"),
        # round the whole level: at the ramps keep left
        ("quay-in", "001", "first left, first left, bay 001 on the right"),
        ("hill-in", "120", "bay 120 on the left"),
        ("hill-in", "050", "first left, ramp to P0, first left, bay 050 on the left"),
        ("214", "hill-out", "out of bay 214 to the right, ramp to P1, first right, exit Hill Street"),
        ("050", "quay-out", "out of bay 050 to the left, first left, first right, exit Quay Street"),
        ("214", "quay", "out of bay 214 to the right, first right, West stairs to P0, door Quay Street"),
        ("quay", "214", "West stairs to P2, first left, bay 214 on the left"),
        ("214", "210", "out of bay 214 to the left, bay 210 on the left"),
        ("210", "214", "out of bay 210 to the right, bay 214 on the right"),
    ],
)
def test_the_garage_is_told_as_one_sees_it(start: str, end: str, words: str) -> None:
    """Followed by finger on the drawing of the garage."""
    assert route(HARBOUR, start, end).text == words


@pytest.mark.parametrize(
    ("start", "end", "words"),
    [
        ("market-in", "M01", "bay M01 on the right"),
        ("market-in", "M20", "bay M20 on the left"),
        ("market-in", "B03", "first left, bay B03 on the right"),
        ("abbey-in", "A02", "bay A02 on the right"),
        ("abbey-in", "W05", "first left, first left, bay W05 on the right"),
        ("B03", "market-out", "out of bay B03 to the left, exit Market Street"),
        ("B03", "bridge-out", "out of bay B03 to the right, exit Bridge Street"),
        ("M01", "market-hall", "out of bay M01 to the right, first left, door Market Hall"),
        ("W05", "bus-station", "out of bay W05 to the left, first right, first right, door Bus Station"),
    ],
)
def test_the_streets_are_told_as_one_sees_them(start: str, end: str, words: str) -> None:
    assert route(MARKET, start, end).text == words


def test_turns_are_counted_by_the_aisles_that_are_passed() -> None:
    assert route(LARGE, "in", "B00230").text == "fifth right, bay B00230 on the left"
    assert route(LARGE, "in", "B00060").text == "second right, bay B00060 on the right"


def test_without_steps_the_lift_is_taken() -> None:
    assert "West stairs" in route(HARBOUR, "214", "quay").text
    assert route(HARBOUR, "214", "quay", step_free=True).text.split(", ")[-2] == "Lift to P0"


def test_a_route_to_a_lift_or_stairs_ends_at_its_landing_on_the_way() -> None:
    found = route(HARBOUR, "214", "lift")
    assert found.points[-1].level == "P2"
    assert found.steps[-1].text == "Lift"


def cross_roads(bend: float) -> Lot:
    """An entrance lane heading north to a fork: one lane `bend` degrees to the right, the other half the other way."""
    bent, other = math.radians(bend), math.radians(-45 if bend < 180 else 45)
    east, north = math.sin(bent), math.cos(bent)
    nodes = {
        "in": (0.0, -20.0),
        "x": (0.0, 0.0),
        "e": (40 * east, 40 * north),
        "w": (40 * math.sin(other), 40 * math.cos(other)),
    }
    beside = (20 * east + 5.5 * north, 20 * north - 5.5 * east)
    return Lot(
        lot="cross",
        name="Cross",
        time_zone="UTC",
        levels=(Level(level="L"),),
        bays=(Bay(bay="1", level="L", x=beside[0], y=beside[1], rotation=bend + 90 if bend < 270 else bend - 270),),
        nodes=tuple(Node(node=code, level="L", x=x, y=y) for code, (x, y) in nodes.items()),
        aisles=(Aisle(aisle="a", path=("x", "e")),),
        edges=(Edge(start="in", end="x"), Edge(start="x", end="w")),
        entrances=(Entrance(entrance="in", node="in"),),
        exits=(Exit(exit="out", node="in"),),
        doors=(Door(door="door", node="in"),),
    )


@pytest.mark.parametrize(
    ("bend", "words"),
    [
        (0.0, "bay 1 on the right"),
        (30.0, "bay 1 on the right"),
        (40.0, "first right, bay 1 on the right"),
        (90.0, "first right, bay 1 on the right"),
        (140.0, "first right, bay 1 on the right"),
        (170.0, "turn round, bay 1 on the right"),
        (220.0, "first left, bay 1 on the right"),
        (270.0, "first left, bay 1 on the right"),
        (330.0, "bay 1 on the right"),
    ],
)
def test_left_and_right_are_those_of_the_driver_whatever_the_direction(bend: float, words: str) -> None:
    assert route(Guide(cross_roads(bend)), "in", "1").text == words


def test_a_bend_without_a_choice_says_nothing() -> None:
    lot = cross_roads(90.0)
    alone = lot.model_copy(update={"edges": lot.edges[:1]})
    assert route(Guide(alone), "in", "1").text == "bay 1 on the right"


def assert_follows_the_plan(guide: Guide, found: Route, start: str, end: str) -> None:
    levels = {level.level for level in guide.lot.levels}
    assert {point.level for point in found.points} <= levels
    for code, point in ((start, found.points[0]), (end, found.points[-1])):
        place = place_of(guide, code)
        bay = place.bay
        spots = (
            {(bay.level, bay.x, bay.y)}
            if bay
            else {
                (guide.network.nodes[node].level, guide.network.nodes[node].x, guide.network.nodes[node].y)
                for node in place.nodes
            }
        )
        assert tuple(point) in spots
    drawn = sum(math.dist(one.flat, other.flat) for one, other in pairwise(found.points))
    assert found.metres >= drawn - 0.1  # ramps are longer than they look from above
    assert [step.metres for step in found.steps] == sorted(step.metres for step in found.steps)


@settings(max_examples=80, deadline=None)
@given(st.sampled_from([HARBOUR, MARKET, LARGE]), st.data())
def test_a_drive_is_as_long_as_the_distances_say_and_ends_on_the_right_side(guide: Guide, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(guide.bays) - 1))
    entrance = data.draw(st.sampled_from([entrance.entrance for entrance in guide.lot.entrances]))
    found = route(guide, entrance, guide.codes[index])
    assert found.way == "drive"
    assert found.metres == pytest.approx(guide.drive_metres(entrance)[index], abs=0.1)
    assert_follows_the_plan(guide, found, entrance, guide.codes[index])
    *_, before, at, inside = [*found.points]
    side = (at.x - before.x) * (inside.y - at.y) - (at.y - before.y) * (inside.x - at.x)
    if found.text.endswith(" left"):
        assert side > 0
    elif found.text.endswith(" right"):
        assert side < 0


@settings(max_examples=80, deadline=None)
@given(st.sampled_from([HARBOUR, MARKET, LARGE]), st.data())
def test_a_walk_is_as_long_as_the_distances_say(guide: Guide, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(guide.bays) - 1))
    door = data.draw(st.sampled_from([door.door for door in guide.lot.doors]))
    found = route(guide, guide.codes[index], door)
    assert found.way == "walk"
    wanted = guide.walk_metres(door)[index]
    if len({point.level for point in found.points}) == 1:
        assert found.metres == pytest.approx(wanted, abs=0.1)
    else:
        assert found.metres < wanted
    assert_follows_the_plan(guide, found, guide.codes[index], door)
    back = route(guide, door, guide.codes[index])
    assert back.metres == pytest.approx(found.metres, abs=0.2)


@pytest.mark.parametrize(("start", "end"), [("moon", "214"), ("quay-in", "moon")])
def test_a_place_nobody_knows_is_told(start: str, end: str) -> None:
    with pytest.raises(NotFound, match="'moon'"):
        route(HARBOUR, start, end)


def test_where_there_is_no_way_there_is_no_route() -> None:
    closed = tuple(replace(ramp, closed=ramp.ramp == "up-P2") for ramp in HARBOUR.lot.ramps)
    guide = Guide(HARBOUR.lot.model_copy(update={"ramps": closed}))
    with pytest.raises(NotFound) as refused:
        route(guide, "quay-in", "214")
    assert refused.value.code == "no_route"


def test_a_tall_car_is_not_sent_under_a_low_ceiling() -> None:
    assert route(HARBOUR, "quay-in", "001", height_metres=2.4).metres > 0
    with pytest.raises(NotFound):
        route(HARBOUR, "quay-in", "120", height_metres=2.4)
