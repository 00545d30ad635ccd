"""Distances to bays equal those on a graph in which every bay is a node."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autospot.domain.errors import NotFound
from autospot.domain.guidance import Guide
from autospot.domain.lot import Lot
from autospot.domain.lot_files.generate import generate_lot
from sites.harbour import harbour
from sites.market_street import market_street
from tests.unit.domain.guidance.reference import distances, whole_graph

HARBOUR, MARKET, FLOORS = harbour(), market_street(), generate_lot("floors", 620)
EVERY_LOT = pytest.mark.parametrize("lot", [HARBOUR, MARKET, FLOORS], ids=lambda lot: lot.lot)


def same(found: tuple[float, ...], wanted: list[float]) -> bool:
    return list(found) == pytest.approx(wanted, abs=1e-6)


@EVERY_LOT
@pytest.mark.parametrize("height", [0.0, 2.3])
def test_every_bay_is_as_far_from_every_entrance_as_the_plan_says(lot: Lot, height: float) -> None:
    guide = Guide(lot)
    graph = whole_graph(lot, "drive", height_metres=height)
    for entrance in lot.entrances:
        wanted = distances(graph, [entrance.node], list(guide.codes))
        assert same(guide.drive_metres(entrance.entrance, height), wanted)


@EVERY_LOT
@pytest.mark.parametrize("step_free", [False, True])
def test_every_bay_is_as_far_from_every_door_as_the_plan_says(lot: Lot, step_free: bool) -> None:
    guide = Guide(lot)
    graph = whole_graph(lot, "walk", step_free=step_free)
    for door in lot.doors:
        wanted = distances(graph, [door.node], list(guide.codes))
        assert same(guide.walk_metres(door.door, step_free=step_free), wanted)
    nearest = distances(graph, [door.node for door in lot.doors], list(guide.codes))
    assert same(guide.walk_metres(None, step_free=step_free), nearest)


@st.composite
def battered_lots(draw: st.DrawFn) -> Lot:
    """A lot of two or three aisles a level where some ways are one-way and some are closed."""
    lot = generate_lot("battered", draw(st.sampled_from([60, 130, 560])))

    def battered(way):  # type: ignore[no-untyped-def]
        return replace(way, one_way=draw(st.integers(0, 3)) == 0, closed=draw(st.integers(0, 9)) == 0)

    return lot.model_copy(
        update={
            "aisles": tuple(battered(aisle) for aisle in lot.aisles),
            "edges": tuple(battered(edge) for edge in lot.edges),
            "ramps": tuple(battered(ramp) for ramp in lot.ramps),
        }
    )


@settings(max_examples=40, deadline=None)
@given(battered_lots())
def test_one_way_and_closed_ways_count_as_on_the_plan(lot: Lot) -> None:
    guide = Guide(lot)
    codes = list(guide.codes)
    assert same(guide.drive_metres("in"), distances(whole_graph(lot, "drive"), ["P0-in"], codes))
    assert same(guide.walk_metres("door"), distances(whole_graph(lot, "walk"), ["P0-core"], codes))


def test_a_way_is_never_shorter_than_the_straight_line() -> None:
    guide = Guide(HARBOUR)
    nodes = {node.node: node for node in HARBOUR.nodes}
    entrance = nodes[HARBOUR.entrances[0].node]
    for bay, metres in zip(guide.bays, guide.drive_metres("quay-in"), strict=True):
        assert metres >= math.hypot(bay.x - entrance.x, bay.y - entrance.y) - 1e-9


def test_bays_behind_a_closed_aisle_are_not_had() -> None:
    closed = tuple(replace(aisle, closed=aisle.aisle == "P2-south") for aisle in HARBOUR.aisles)
    guide = Guide(HARBOUR.model_copy(update={"aisles": closed}))
    gone = {bay.bay for bay in HARBOUR.bays} - set(guide.codes)
    assert gone == {bay.bay for bay in HARBOUR.bays if bay.aisle == "P2-south"}


def test_a_closed_entrance_is_not_where_anybody_comes_from() -> None:
    entrances = tuple(replace(entrance, closed=entrance.entrance == "quay-in") for entrance in HARBOUR.entrances)
    guide = Guide(HARBOUR.model_copy(update={"entrances": entrances}))
    assert guide.drive_metres(None) == guide.drive_metres("hill-in")
    with pytest.raises(NotFound):
        guide.drive_metres("quay-in")


def test_an_unknown_destination_is_told() -> None:
    with pytest.raises(NotFound, match="'moon'"):
        Guide(HARBOUR).walk_metres("moon")


def test_in_a_lot_without_a_plan_every_bay_is_right_here() -> None:
    lot = HARBOUR.model_copy(update=dict.fromkeys(("nodes", "aisles", "ramps", "lifts", "stairs", "edges"), ()))
    lot = lot.model_copy(update=dict.fromkeys(("entrances", "exits", "doors"), ()))
    guide = Guide(lot)
    assert len(guide.bays) == len(HARBOUR.bays)
    assert set(guide.drive_metres(None)) == set(guide.walk_metres(None)) == {0.0}
