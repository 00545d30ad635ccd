"""GeoJSON: what is exported comes back, and what a map tool drew becomes a lot."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import pytest

from autospot.domain.lot import Bay, Lot
from autospot.domain.lot_files.earth import Earth
from autospot.domain.lot_files.generate import generate_lots
from autospot.domain.lot_files.geojson_read import read_geojson
from autospot.domain.lot_files.geojson_write import geojson_of
from autospot.domain.lot_files.problems import InvalidLots
from autospot.domain.plan import Anchor
from sites.build import SITES
from tests.unit.domain.lot_files.building import said_of

ABOUT = {"lot": "court", "name": "Court Square", "time_zone": "Europe/Berlin"}
ANCHOR = Anchor(lat=52.5, lon=13.4)


def feature(shape: str, coordinates: Any, **properties: Any) -> dict[str, Any]:
    return {"type": "Feature", "properties": properties, "geometry": {"type": shape, "coordinates": coordinates}}


def at(x: float, y: float) -> list[float]:
    return list(Earth(ANCHOR).place(x, y))


def read(*features: Any, **about: Any) -> Lot:
    document = {"type": "FeatureCollection", "features": list(features)}
    return read_geojson(json.dumps(document), {**ABOUT, "anchor": {"lat": 52.5, "lon": 13.4}, **about})


def polygon(*corners: tuple[float, float]) -> list[list[list[float]]]:
    return [[at(*corner) for corner in (*corners, corners[0])]]


def same_but_for_millimetres(one: Bay, other: Bay) -> bool:
    near = math.dist((one.x, one.y), (other.x, other.y)) < 0.005
    return near and replace(one, x=0.0, y=0.0) == replace(other, x=0.0, y=0.0)


@pytest.mark.parametrize(
    "lot", [next(generate_lots(1, 1100)), *(site() for site in SITES.values())], ids=lambda lot: lot.lot
)
def test_an_exported_lot_comes_back_to_the_millimetre(lot: Lot) -> None:
    back = read_geojson(json.dumps(geojson_of(lot)), {})
    assert all(same_but_for_millimetres(*pair) for pair in zip(back.bays, lot.bays, strict=True))
    placed = {"bays", "nodes", "levels"}
    assert back.model_dump(exclude=placed) == lot.model_dump(exclude=placed)
    assert {node.node for node in back.nodes} == {node.node for node in lot.nodes}


def test_a_lot_without_an_anchor_has_no_place_on_a_map() -> None:
    lot = next(generate_lots(1, 2)).model_copy(update={"anchor": None})
    with pytest.raises(InvalidLots, match="no anchor"):
        geojson_of(lot)


def test_a_polygon_becomes_the_rectangle_along_its_longest_side() -> None:
    lot = read(feature("Polygon", polygon((1, 1), (3.5, 1), (3.5, 6), (1, 6)), bay="1"))
    bay = lot.bays[0]
    assert (bay.x, bay.y) == pytest.approx((2.25, 3.5), abs=0.005)
    assert (bay.width, bay.length) == (2.5, 5.0)


@pytest.mark.parametrize(("aisle_y", "looks"), [(-4, 0.0), (11, 180.0)])
def test_noses_look_away_from_the_nearest_aisle(aisle_y: float, looks: float) -> None:
    lot = read_with_portals(
        feature("Polygon", polygon((1, 1), (3.5, 1), (3.5, 6), (1, 6)), bay="1"),
        feature("Point", at(5, 3.5), bay="2"),
        feature("LineString", [at(-10, aisle_y), at(20, aisle_y)], aisle="a"),
    )
    assert [bay.rotation for bay in lot.bays] == pytest.approx([looks, looks], abs=0.2)


def read_with_portals(*features: Any) -> Lot:
    """A lot whose only aisle is also its entrance, exit and door."""
    start = next(entry for entry in features if entry["geometry"]["type"] == "LineString")["geometry"]["coordinates"][0]
    portals = [feature("Point", start, type=kind, **{kind: kind}) for kind in ("entrance", "exit", "door")]
    return read(*features, *portals)


def test_lines_that_share_a_point_meet_and_points_fall_on_them() -> None:
    lot = read_with_portals(
        feature("LineString", [at(0, 0), at(30, 0)], aisle="a"),
        feature("LineString", [at(30.2, 0.1), at(30, 40)], aisle="b"),
        feature("Point", at(25, 5.5), bay="1"),
        feature("Point", at(35.5, 30), bay="2"),
    )
    assert len(lot.nodes) == 3
    assert lot.aisles[0].path[1] == lot.aisles[1].path[0]
    assert lot.entrances[0].node == lot.aisles[0].path[0]


def test_a_lift_may_be_one_point_on_several_levels() -> None:
    lot = read(
        feature("LineString", [at(0, 0), at(30, 0)], aisle="a", level="P0"),
        feature("LineString", [at(30, 0), at(0, 0)], aisle="b", level="P1"),
        feature("LineString", [at(30, 0), at(30, 0)], type="ramp", ramp="r", levels=["P0", "P1"], metres=30.0),
        feature("Point", at(0, 0), type="lift", lift="l", levels=["P0", "P1"]),
        feature("Point", at(10, 5.5), bay="1", level="P1"),
        *(
            feature("Point", at(0, 0), type=kind, level="P0", **{kind: f"{kind}-0"})
            for kind in ("entrance", "exit", "door")
        ),
    )
    ends = {node.node: node.level for node in lot.nodes}
    assert [ends[code] for code in lot.lifts[0].path] == ["P0", "P1"]


def test_the_sensor_stands_flat_among_the_properties() -> None:
    lot = read(feature("Point", at(0, 0), bay="1", sensor="s-1", gateway="g", threshold_mm=900))
    sensor = lot.bays[0].sensor
    assert sensor is not None
    assert (sensor.id, sensor.gateway, sensor.threshold_mm) == ("s-1", "g", 900)


def test_without_an_anchor_the_middle_is_the_origin() -> None:
    document = {"type": "FeatureCollection", "features": [feature("Point", [13.0, 52.0], bay="1")]}
    lot = read_geojson(json.dumps(document), ABOUT)
    assert lot.anchor == Anchor(lat=52.0, lon=13.0)
    assert (lot.bays[0].x, lot.bays[0].y) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("features", "told"),
    [
        ([], "/features: list should have at least 1 item"),
        ([feature("Point", [200, 0], bay="1")], "/features/0/geometry/coordinates/0: input should be less than"),
        ([feature("Point", [1], bay="1")], "/features/0/geometry/coordinates/1: this field is needed"),
        ([feature("Circle", [1, 2], bay="1")], "/features/0/geometry: "),
        ([feature("Point", [1, 2], type="tree")], "/features/0/properties/type: 'tree' is none of aisle, bay"),
        ([feature("Point", [1, 2])], "/features/0/properties/bay: this field is needed"),
        ([feature("Point", [1, 2], bay="1", kind="x")], "/features/0/properties/kind: 'x' is none of"),
        ([feature("Point", [1, 2], bay="1", colour="red")], "/features/0/properties/colour: no such field"),
        ([feature("Point", [1, 2], bay="1", sensor="a b")], "/features/0/properties/sensor: not a code"),
        ([feature("Point", [1, 2], bay="1", level=5)], "/features/0/properties/level: input should be a valid string"),
        ([feature("Point", [1, 2], type="aisle", aisle="a")], "/features/0/geometry: too few points"),
        ([{"type": "Feature", "properties": {"bay": "1"}}], "/features: none of the features has a geometry"),
    ],
)
def test_a_mistake_is_told_at_its_feature(features: list[Any], told: str) -> None:
    document = json.dumps({"type": "FeatureCollection", "features": features})
    assert said_of(lambda: read_geojson(document, ABOUT))[0].startswith(told)


@pytest.mark.parametrize("text", ["", "[]", "{", '{"type": "Feature"}', '{"type": "FeatureCollection"}', "\x00"])
def test_what_is_no_collection_is_refused(text: str) -> None:
    assert said_of(lambda: read_geojson(text, ABOUT))


def test_a_field_the_import_was_not_given_is_told() -> None:
    document = json.dumps({"type": "FeatureCollection", "features": [feature("Point", [1, 2], bay="1")]})
    assert said_of(lambda: read_geojson(document, {"lot": "x", "name": "X"})) == [
        "/lot/time_zone: this field is needed"
    ]


@pytest.mark.parametrize("latitude", [0.0, 52.5, -33.9, 69.6])
def test_the_plan_lies_on_the_earth_true_to_length(latitude: float) -> None:
    """100 m north and 100 m east, against the lengths of a degree on WGS 84 (NGA.STND.0036, series expansion)."""
    earth = Earth(Anchor(lat=latitude, lon=10.0))
    phi = math.radians(latitude)
    north = 111132.954 - 559.822 * math.cos(2 * phi) + 1.175 * math.cos(4 * phi)
    east = 111412.84 * math.cos(phi) - 93.5 * math.cos(3 * phi) + 0.118 * math.cos(5 * phi)
    lon, lat = earth.place(100.0, 100.0)
    assert (lat - latitude) * north == pytest.approx(100.0, abs=0.01)
    assert (lon - 10.0) * east == pytest.approx(100.0, abs=0.01)
    assert earth.plan(lon, lat) == pytest.approx((100.0, 100.0), abs=0.002)


def test_the_bearing_turns_the_plan() -> None:
    lon, lat = Earth(Anchor(lat=52.0, lon=10.0, bearing=90.0)).place(0.0, 100.0)
    assert lat == pytest.approx(52.0, abs=1e-7)
    assert lon > 10.001
