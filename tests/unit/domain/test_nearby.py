"""Distances and boxes on the map."""

from __future__ import annotations

import pytest

from autospot.domain.errors import InvalidInput
from autospot.domain.nearby import MapBox, MapPoint, map_box, map_point, metres_between

HAMBURG = MapPoint(53.5511, 9.9937)
BERLIN = MapPoint(52.5200, 13.4050)


def test_a_distance_is_the_way_over_the_sphere() -> None:
    assert metres_between(HAMBURG, BERLIN) == pytest.approx(255_000, rel=0.01)
    assert metres_between(BERLIN, HAMBURG) == metres_between(HAMBURG, BERLIN)
    assert metres_between(HAMBURG, HAMBURG) == 0
    assert metres_between(MapPoint(90, 0), MapPoint(-90, 0)) == pytest.approx(20_015_000, rel=0.001)


def test_a_box_holds_what_is_inside_or_on_its_edge() -> None:
    box = MapBox(west=9.9, south=53.5, east=10.1, north=53.6)

    assert box.contains(HAMBURG)
    assert box.contains(MapPoint(53.5, 9.9))
    assert not box.contains(BERLIN)
    assert not box.contains(MapPoint(53.61, 10))


def test_a_box_may_cross_the_180th_meridian() -> None:
    fiji = MapBox(west=177, south=-20, east=-178, north=-12)

    assert fiji.contains(MapPoint(-18, 178))
    assert fiji.contains(MapPoint(-18, -179))
    assert not fiji.contains(MapPoint(-18, 0))


def test_texts_are_read_in_the_order_of_each_convention() -> None:
    assert map_point("53.5511,9.9937") == HAMBURG
    assert map_box("9.9,53.5,10.1,53.6") == MapBox(9.9, 53.5, 10.1, 53.6)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "53",
        "53,9,1",
        "north,west",
        "91,0",
        "-91,0",
        "0,181",
        "nan,0",
        "0,inf",
        "1e999,0",
        "1_0,0",
        "+1,0",
        "\u0661,0",
        "1, 2",
    ],
)
def test_what_is_no_point_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        map_point(text)


@pytest.mark.parametrize("text", ["", "1,2,3", "0,2,0,1", "0,0,nan,0", "-181,0,0,0", "0,-90.1,0,0", "0,0,0,91"])
def test_what_is_no_box_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        map_box(text)
