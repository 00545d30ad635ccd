"""Lots: one, all, in a box, around a point."""

from __future__ import annotations

import pytest

from api.lots import Lots
from tests.support.api import RunningApi, running_api
from tests.support.lot_town import Town, placed
from tests.support.lots import a_lot


async def lots_found(api: RunningApi, query: str = "") -> list[str]:
    answer = await api.call("GET", f"/v1/lots{query}")
    assert answer.status == 200, answer.body
    return [lot["lot"] for lot in answer.json["data"]]


async def test_a_lot_says_what_a_driver_wants_to_know(api: RunningApi, town: Town) -> None:
    for bay, occupied in (("A1", False), ("A2", True), ("A4", False)):
        town.sense(bay, occupied, "garage")
    answer = await api.call("GET", "/v1/lots/garage")
    lot = answer.json

    assert answer.headers["ETag"] == '"e1:103"'
    assert (lot["places"], lot["free"], lot["free_by_kind"]) == (3, 2, {"general": 1, "ev": 1, "disabled": 0})
    assert lot["levels"][0] == {"level": "P1", "name": "Upper", "ordinal": 0, "max_height_metres": 2.1}
    assert lot["entrances"] == [{"code": "E1", "name": "North", "closed": False}]
    assert lot["doors"] == [{"code": "D1", "name": "", "closed": True}]
    assert lot["booking"]["minimum_minutes"] == 15
    assert lot["counts"]["total"]["occupied"] == 1
    assert lot["place"] is None


async def test_free_is_never_more_than_the_capacity_leaves(api: RunningApi, town: Town) -> None:
    for bay in ("A1", "A2", "A3", "A4"):
        town.sense(bay, False, "garage")
    town.sense("A2", True, "garage")
    town.sense("A3", True, "garage")

    assert (await api.call("GET", "/v1/lots/garage")).json["free"] == 1


async def test_the_plan_comes_without_the_sensors(api: RunningApi) -> None:
    answer = await api.call("GET", "/v1/lots/garage/layout")
    again = await api.call("GET", "/v1/lots/garage/layout", headers={"If-None-Match": answer.headers["ETag"]})

    assert [bay["bay"] for bay in answer.json["bays"]] == ["A1", "A2", "A3", "A4"]
    assert answer.json["entrances"] == [{"entrance": "E1", "node": "n1", "name": "North", "closed": False}]
    assert b"70b3d57ed0000001" not in answer.body
    assert again.status == 304


async def test_all_lots_are_listed_by_code_page_by_page() -> None:
    town = Town(*(a_lot(f"lot{number:02d}", 1) for number in range(25)))
    async with running_api(Lots(town.current, history=None), clock=town.clock) as api:  # type: ignore[arg-type]
        found: list[str] = []
        cursor = ""
        while True:
            page = (await api.call("GET", f"/v1/lots?limit=10{cursor}")).json
            found += [lot["lot"] for lot in page["data"]]
            if page["next_cursor"] is None:
                break
            cursor = f"&cursor={page['next_cursor']}"

    assert found == [f"lot{number:02d}" for number in range(25)]


async def test_lots_are_found_in_a_box_or_around_a_point_the_nearest_first() -> None:
    town = Town(
        placed("harbour", 53.5450, 9.9680),
        placed("station", 53.5530, 10.0060),
        placed("airport", 53.6300, 9.9880),
        a_lot("nowhere", 1),
    )
    async with running_api(Lots(town.current, history=None), clock=town.clock) as api:  # type: ignore[arg-type]
        everything = await lots_found(api)
        boxed = await lots_found(api, "?bbox=9.9,53.5,10.1,53.6")
        near_station = await lots_found(api, "?near=53.553,10.006")
        far_and_wide = await lots_found(api, "?near=53.553,10.006&radius_metres=20000")
        second_page = await lots_found(
            api,
            "?near=53.553,10.006&limit=1&cursor="
            + (await api.call("GET", "/v1/lots?near=53.553,10.006&limit=1")).json["next_cursor"],
        )
        nearest = (await api.call("GET", "/v1/lots?near=53.553,10.006")).json["data"][0]

    assert everything == ["airport", "harbour", "nowhere", "station"]
    assert boxed == ["harbour", "station"]
    assert near_station == ["station", "harbour"]
    assert far_and_wide == ["station", "harbour", "airport"]
    assert second_page == ["harbour"]
    assert (nearest["distance_metres"], nearest["place"]) == (0.0, {"lat": 53.553, "lon": 10.006})


@pytest.mark.parametrize(
    ("query", "place"),
    [
        ("bbox=1,2,3", "/query/bbox"),
        ("bbox=0,50,1,40", "/query/bbox"),
        ("near=north", "/query/near"),
        ("near=nan,nan", "/query/near"),
        ("near=53,10&bbox=1,2,3,4", "/query"),
        ("radius_metres=5", "/query"),
        ("near=53,10&radius_metres=0", "/query/radius_metres"),
        ("cursor=AAAA", "/query/cursor"),
    ],
)
async def test_a_search_that_makes_no_sense_is_refused_with_its_place(api: RunningApi, query: str, place: str) -> None:
    answer = await api.call("GET", f"/v1/lots?{query}")

    assert (answer.status, answer.json["errors"][0]["at"]) == (422, place)
