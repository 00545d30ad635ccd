"""Recommendations are the best there are, by an exhaustive look at every bay and every way to deal them out."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autospot.domain.errors import InvalidInput, NotFound
from autospot.domain.guidance import MATCH_LIMIT, SUITABLE, Guide, Weights, Wish, match_drivers, recommend
from autospot.domain.lot import Bay, BayKind, Level, Lot
from autospot.domain.lot_files.generate import generate_lot
from autospot.domain.plan import Aisle, Door, Edge, Entrance, Exit, Node
from sites.harbour import harbour
from sites.market_street import market_street
from tests.unit.domain.guidance.reference import Way, distances, whole_graph

HARBOUR, MARKET = Guide(harbour()), Guide(market_street())
LARGE = Guide(generate_lot("large", 2000))
ALL_OF_HARBOUR = frozenset(HARBOUR.codes)
GUIDES = {guide.lot.lot: guide for guide in (HARBOUR, MARKET, LARGE)}


def best(guide: Guide, free: frozenset[str], **wish: object) -> str:
    return recommend(guide, free, Wish(**wish))[0].bay.bay  # type: ignore[arg-type]


@st.composite
def questions(draw: st.DrawFn) -> tuple[Guide, frozenset[str], Wish]:
    """One of three lots, some of its bays free, and somebody who wants one."""
    guide = draw(st.sampled_from([HARBOUR, MARKET, LARGE]))
    share = draw(st.integers(1, 40))
    random = draw(st.randoms(use_true_random=False))
    free = frozenset(code for code in guide.codes if random.randrange(40) < share)
    kinds: tuple[BayKind, ...] = draw(st.sampled_from(list(SUITABLE.values())))
    wish = Wish(
        entrance=draw(st.sampled_from([None, *(entrance.entrance for entrance in guide.lot.entrances)])),
        destination=draw(st.sampled_from([None, *(door.door for door in guide.lot.doors)])),
        kinds=kinds,
        height_metres=draw(st.sampled_from([0.0, 1.9, 2.3, 2.6])),
        width_metres=draw(st.sampled_from([0.0, 1.8, 2.2])),
        step_free=draw(st.booleans()),
    )
    return guide, free, wish


@cache
def plain_metres(lot_code: str, place: str | None, way: Way, height_metres: float, step_free: bool) -> list[float]:
    lot = GUIDES[lot_code].lot
    ends = [
        *((entrance.entrance, entrance.node) for entrance in lot.entrances if way == "drive"),
        *((door.door, door.node) for door in lot.doors if way == "walk"),
    ]
    graph = whole_graph(lot, way, height_metres=height_metres, step_free=step_free)
    return distances(graph, [node for code, node in ends if place in (None, code)], [bay.bay for bay in lot.bays])


def plain_costs(guide: Guide, free: frozenset[str], wish: Wish) -> dict[str, tuple[int, int]]:
    """Preference and weighted metres of every bay that would do, worked out the plain way."""
    drive = plain_metres(guide.lot.lot, wish.entrance, "drive", wish.height_metres, False)
    walk = plain_metres(guide.lot.lot, wish.destination, "walk", 0.0, wish.step_free)
    return {
        bay.bay: (wish.kinds.index(bay.kind), round(to + 2.0 * from_))
        for bay, to, from_ in zip(guide.lot.bays, drive, walk, strict=True)
        if bay.bay in free
        and bay.kind in wish.kinds
        and math.isfinite(to + from_)
        and (not wish.width_metres or bay.width >= wish.width_metres + 0.4)
    }


@settings(max_examples=60, deadline=None)
@given(questions())
def test_nobody_could_have_been_sent_to_a_better_bay(question: tuple[Guide, frozenset[str], Wish]) -> None:
    guide, free, wish = question
    costs = plain_costs(guide, free, wish)
    found = recommend(guide, free, wish, limit=5)
    assert [costs[choice.bay.bay] for choice in found] == sorted(costs.values())[: len(found)]
    assert len(found) == min(5, len(costs))


def mirrored() -> Lot:
    """Two aisles, left and right of the entrance, with four bays each: `l1` is exactly as far as `r1`, and so on."""
    nodes = {"in": (0.0, -20.0), "x": (0.0, 0.0), "l": (-40.0, 0.0), "r": (40.0, 0.0)}
    places = [(side, number) for side in (-1, 1) for number in range(1, 5)]
    return Lot(
        lot="mirrored",
        name="Mirrored",
        time_zone="UTC",
        levels=(Level(level="L"),),
        bays=tuple(
            Bay(bay=f"{'r' if side > 0 else 'l'}{number}", level="L", x=side * number * 5.0, y=5.5)
            for side, number in places
        ),
        nodes=tuple(Node(node=code, level="L", x=x, y=y) for code, (x, y) in nodes.items()),
        aisles=(Aisle(aisle="left", path=("x", "l")), Aisle(aisle="right", path=("x", "r"))),
        edges=(Edge(start="in", end="x"),),
        entrances=(Entrance(entrance="in", node="in"),),
        exits=(Exit(exit="out", node="in"),),
        doors=(Door(door="door", node="in"),),
    )


@pytest.mark.parametrize(
    ("taken", "sent_to"),
    [({"l3", "l4", "r4"}, "r1"), ({"l4", "r3", "r4"}, "l1"), ({"l1", "r2", "r3"}, "r1"), (set(), "l1")],
)
def test_among_equals_the_emptier_aisle_is_taken(taken: set[str], sent_to: str) -> None:
    guide = Guide(mirrored())
    assert best(guide, frozenset(guide.codes) - taken) == sent_to


def test_a_bay_that_is_not_free_is_never_recommended() -> None:
    first = best(HARBOUR, ALL_OF_HARBOUR, entrance="quay-in", destination="quay")
    second = best(HARBOUR, ALL_OF_HARBOUR - {first}, entrance="quay-in", destination="quay")
    assert first != second
    assert recommend(HARBOUR, frozenset(), Wish()) == []


def test_the_best_bay_of_the_garage_is_the_one_you_would_take_by_hand() -> None:
    """From Quay Street straight on into the north-west corner, and back past the stairs; read off the drawing."""
    corner = recommend(HARBOUR, ALL_OF_HARBOUR, Wish(entrance="quay-in", destination="quay"))[0]
    assert (corner.bay.level, corner.bay.x, corner.bay.y) == ("P0", 1.75, 29.5)
    into_the_bay = math.hypot(1.25, 5.5)
    assert corner.drive_metres == pytest.approx(11 + into_the_bay, abs=0.001)
    along_the_aisle, to_the_core, to_the_door = 7.15, 4.5, 5.0
    assert corner.walk_metres == pytest.approx(into_the_bay + along_the_aisle + to_the_core + to_the_door, abs=0.001)


def test_the_disabled_are_sent_beside_the_lift_and_others_are_not() -> None:
    assert best(HARBOUR, ALL_OF_HARBOUR, entrance="quay-in", kinds=("disabled",), destination="quay") in {
        bay.bay for bay in HARBOUR.bays if bay.kind == "disabled" and bay.level == "P0"
    }
    for wish in (Wish(entrance="quay-in"), Wish(entrance="hill-in", destination="hill")):
        assert {choice.bay.kind for choice in recommend(HARBOUR, ALL_OF_HARBOUR, wish, 20)} == {"general"}


def test_a_worse_kind_comes_up_only_when_the_better_is_full() -> None:
    wish = Wish(kinds=SUITABLE["disabled"], entrance="quay-in")
    disabled = {bay.bay for bay in HARBOUR.bays if bay.kind == "disabled"}
    found = recommend(HARBOUR, ALL_OF_HARBOUR, wish, limit=len(disabled) + 1)
    assert {choice.bay.bay for choice in found[:-1]} == disabled
    assert found[-1].bay.kind == "general"


def test_a_driver_for_hill_street_is_sent_to_the_first_floor() -> None:
    found = recommend(HARBOUR, ALL_OF_HARBOUR, Wish(entrance="hill-in", destination="hill"), 10)
    assert {choice.bay.level for choice in found} == {"P1"}


def test_a_van_stays_on_the_ground_floor_and_cannot_come_in_from_above() -> None:
    tall = {"height_metres": 2.4, "kinds": ("oversize", "general")}
    assert {
        choice.bay.level
        for choice in recommend(HARBOUR, ALL_OF_HARBOUR, Wish(entrance="quay-in", **tall), 300)  # type: ignore[arg-type]
    } == {"P0"}
    assert recommend(HARBOUR, ALL_OF_HARBOUR, Wish(entrance="hill-in", **tall)) == []  # type: ignore[arg-type]


def test_a_long_or_wide_car_gets_a_bay_it_fits_in() -> None:
    everything = frozenset(MARKET.codes)
    long = recommend(MARKET, everything, Wish(length_metres=5.4), 100)
    assert min(choice.bay.length for choice in long) >= 5.4
    wide = recommend(MARKET, everything, Wish(width_metres=2.0), 100)
    assert min(choice.bay.width for choice in wide) >= 2.4


def test_a_beam_above_one_bay_counts() -> None:
    lot = harbour()
    low = tuple(replace(bay, max_height_metres=1.8) if bay.bay == "039" else bay for bay in lot.bays)
    guide = Guide(lot.model_copy(update={"bays": low}))
    found = recommend(guide, ALL_OF_HARBOUR, Wish(entrance="quay-in", height_metres=1.9), 300)
    assert "039" not in {choice.bay.bay for choice in found}


def test_who_needs_no_steps_is_not_sent_up_the_stairs() -> None:
    """Beside the east stairs a walker is near the Fish Market, unless the stairs are no way."""
    east = frozenset({"275"})
    steps = recommend(HARBOUR, east, Wish(destination="market"))[0]
    none = recommend(HARBOUR, east, Wish(destination="market", step_free=True))[0]
    assert none.walk_metres > steps.walk_metres + 40


def test_the_weights_decide_between_driving_and_walking() -> None:
    drive = recommend(LARGE, frozenset(LARGE.codes), Wish(entrance="in"), 1, Weights(drive=1.0, walk=0.0))[0]
    walk = recommend(LARGE, frozenset(LARGE.codes), Wish(entrance="in"), 1, Weights(drive=0.0, walk=1.0))[0]
    assert drive.drive_metres == min(LARGE.drive_metres("in")[index] for index in LARGE.indexes_of["general"])
    assert walk.walk_metres == min(LARGE.walk_metres(None)[index] for index in LARGE.indexes_of["general"])


def test_a_lot_without_a_plan_gives_its_bays_in_order() -> None:
    bays = tuple(Bay(bay=str(number), level="P0") for number in range(5))
    guide = Guide(Lot(lot="x", name="x", time_zone="UTC", levels=(Level(level="P0"),), bays=bays))
    assert [choice.bay.bay for choice in recommend(guide, {"3", "1", "4"}, Wish(), 2)] == ["1", "3"]


def test_an_entrance_nobody_knows_is_told() -> None:
    with pytest.raises(NotFound, match="'moon'"):
        recommend(HARBOUR, ALL_OF_HARBOUR, Wish(entrance="moon"))


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from([HARBOUR, MARKET]),
    st.randoms(use_true_random=False),
    st.lists(st.sampled_from(list(SUITABLE.values())), min_size=1, max_size=4),
    st.integers(1, 6),
)
def test_drivers_dealt_out_together_cost_the_least_possible(
    guide: Guide, random: object, wanted: list[tuple[BayKind, ...]], free_bays: int
) -> None:
    free = frozenset(random.sample(guide.codes, free_bays))  # type: ignore[attr-defined]
    entrances = [entrance.entrance for entrance in guide.lot.entrances]
    wishes = [Wish(entrance=entrances[number % 2], kinds=kinds) for number, kinds in enumerate(wanted)]
    dealt = match_drivers(guide, free, wishes)

    taken = [choice.bay.bay for choice in dealt if choice is not None]
    assert len(taken) == len(set(taken))
    assert set(taken) <= free
    cost_of = [{choice.bay.bay: choice.cost for choice in recommend(guide, free, wish, 300)} for wish in wishes]
    assert (len(taken), -sum(choice.cost for choice in dealt if choice)) == best_deal(cost_of, free)


def best_deal(cost_of: list[dict[str, int]], free: frozenset[str]) -> tuple[int, int]:
    """The most drivers with a bay, and then minus the least cost, over every way to deal the bays out."""
    hands = permutations([*free, *[None] * len(cost_of)], len(cost_of))
    deals = [
        [costs[bay] for costs, bay in zip(cost_of, hand, strict=True) if bay is not None]
        for hand in set(hands)
        if all(bay is None or bay in costs for costs, bay in zip(cost_of, hand, strict=True))
    ]
    return max((len(deal), -sum(deal)) for deal in deals)


def test_a_full_house_of_drivers_is_dealt_out_without_a_bay_twice() -> None:
    wishes = [Wish(entrance="in", kinds=SUITABLE["disabled"]) for _ in range(MATCH_LIMIT)]
    dealt = match_drivers(LARGE, frozenset(LARGE.codes), wishes)
    assert len({choice.bay.bay for choice in dealt if choice}) == MATCH_LIMIT


def test_who_gets_no_bay_is_told_so() -> None:
    ev = next(bay.bay for bay in HARBOUR.bays if bay.kind == "ev")
    dealt = match_drivers(HARBOUR, {ev}, [Wish(), Wish(kinds=("ev",)), Wish(kinds=("ev",))])
    assert dealt[0] is None
    assert sorted(choice.bay.bay for choice in dealt if choice) == [ev]


def test_no_drivers_are_dealt_no_bays() -> None:
    assert match_drivers(HARBOUR, ALL_OF_HARBOUR, []) == []


def test_more_drivers_than_the_limit_are_refused() -> None:
    with pytest.raises(InvalidInput):
        match_drivers(HARBOUR, ALL_OF_HARBOUR, [Wish()] * (MATCH_LIMIT + 1))
