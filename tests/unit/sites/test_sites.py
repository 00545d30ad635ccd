"""The example sites are what their drawings say, and sound."""

from __future__ import annotations

import math
from itertools import combinations

import pytest

from autospot.domain.lot import Bay, Lot
from autospot.domain.lot_files import problems_of, read_lots
from autospot.domain.lot_files.geojson_write import corners_of
from sites.build import FOLDER, SITES, text_of

BOTH = pytest.mark.parametrize("name", SITES)


def shipped(name: str) -> Lot:
    (lot,) = read_lots([(FOLDER / name).read_text(encoding="utf-8")])
    return lot


@BOTH
def test_the_file_is_what_the_drawing_builds(name: str) -> None:
    assert (FOLDER / name).read_text(encoding="utf-8") == text_of(SITES[name]())


@BOTH
def test_the_site_has_no_problem(name: str) -> None:
    assert list(problems_of(shipped(name))) == []


@BOTH
def test_no_two_bays_overlap(name: str) -> None:
    lot = shipped(name)
    overlapping = [
        (one.bay, other.bay)
        for one, other in combinations(lot.bays, 2)
        if one.level == other.level and math.dist((one.x, one.y), (other.x, other.y)) < 8 and overlap(one, other)
    ]
    assert overlapping == []


@BOTH
def test_no_bay_stands_on_a_column(name: str) -> None:
    lot = shipped(name)
    columns = {level.level: level.pillars for level in lot.levels}
    on_column = [bay.bay for bay in lot.bays if any(covers(bay, column) for column in columns[bay.level])]
    assert on_column == []


def test_the_garage_has_what_was_ordered() -> None:
    lot = shipped("harbour.json")
    assert len(lot.bays) == 239
    assert [level.level for level in lot.levels] == ["P0", "P1", "P2"]
    assert len(lot.entrances) == 2
    assert {bay.kind for bay in lot.bays} == {
        "general",
        "disabled",
        "ev",
        "family",
        "motorcycle",
        "oversize",
        "car_share",
    }
    assert {bay.sensor.gateway for bay in lot.bays if bay.sensor} == {"gw-p0", "gw-p1", "gw-p2"}


def overlap(one: Bay, other: Bay) -> bool:
    """True if the two rectangles share more than their edge: no side of either separates them."""
    for bay in (one, other):
        looks = math.radians(bay.rotation)
        for x, y in ((math.sin(looks), math.cos(looks)), (math.cos(looks), -math.sin(looks))):
            mine = [x * a + y * b for a, b in corners_of(one)]
            theirs = [x * a + y * b for a, b in corners_of(other)]
            if max(mine) <= min(theirs) + 0.01 or max(theirs) <= min(mine) + 0.01:
                return False
    return True


def covers(bay: Bay, point: tuple[float, float]) -> bool:
    looks = math.radians(bay.rotation)
    east, north = point[0] - bay.x, point[1] - bay.y
    aside = east * math.cos(looks) - north * math.sin(looks)
    ahead = east * math.sin(looks) + north * math.cos(looks)
    return abs(aside) < bay.width / 2 and abs(ahead) < bay.length / 2
