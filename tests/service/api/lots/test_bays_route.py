"""Bays of a lot, and one of them."""

from __future__ import annotations

import pytest

from autospot.domain.bay import Claim, Closure
from tests.support.api import Answer, RunningApi
from tests.support.lot_town import NOON_MS, Town


def codes(answer: Answer) -> list[str]:
    return [bay["bay"] for bay in answer.json["data"]]


async def test_bays_are_chosen_by_kind_and_state(api: RunningApi, town: Town) -> None:
    town.sense("B00000", False)
    town.sense("B00001", False)
    town.sense("B00002", True)
    town.claim("B00003", closure=Closure("roadworks"))
    path = "/v1/lots/harbour/bays"

    assert codes(await api.call("GET", path)) == [f"B0000{number}" for number in range(6)]
    assert codes(await api.call("GET", f"{path}?kind=ev")) == ["B00001", "B00003", "B00005"]
    assert codes(await api.call("GET", f"{path}?state=free")) == ["B00000", "B00001"]
    assert codes(await api.call("GET", f"{path}?state=free&state=occupied&kind=general")) == ["B00000", "B00002"]
    assert codes(await api.call("GET", f"{path}?state=out_of_service")) == ["B00003"]


async def test_bays_come_in_pages_in_the_order_of_the_plan(api: RunningApi, town: Town) -> None:
    town.sense("B00000", True)
    first = await api.call("GET", "/v1/lots/harbour/bays?state=unknown&limit=3")
    town.sense("B00001", True)
    rest = await api.call("GET", f"/v1/lots/harbour/bays?state=unknown&limit=3&cursor={first.json['next_cursor']}")

    assert codes(first) == ["B00001", "B00002", "B00003"]
    assert codes(rest) == ["B00004", "B00005"]
    assert rest.json["next_cursor"] is None


@pytest.mark.parametrize("query", ["kind=boat", "state=full", "limit=1000", "kind=", "cursor=IjUi", "kind[]=ev"])
async def test_a_choice_that_makes_no_sense_is_refused(api: RunningApi, query: str) -> None:
    assert (await api.call("GET", f"/v1/lots/harbour/bays?{query}")).status == 422


async def test_one_bay_says_what_it_is_and_how_it_is(api: RunningApi, town: Town) -> None:
    town.sense("A2", True, "garage")
    town.claim("A2", Claim("reserved", NOON_MS + 1, NOON_MS + 3_600_000, "bkg_secret"), lot="garage")
    answer = await api.call("GET", "/v1/lots/garage/bays/A2")

    assert answer.headers["ETag"] == '"e1:102"'
    assert answer.json == {
        "bay": "A2",
        "level": "P1",
        "kind": "ev",
        "bookable": True,
        "charger_kw": 22.0,
        "max_height_metres": None,
        "rev": 102,
        "now": {
            "state": "occupied",
            "occupied": True,
            "since": "2026-11-22T12:00:00.000Z",
            "at": "2026-11-22T12:00:00.000Z",
            "claim": "reserved",
            "until": "2026-11-22T13:00:00.000Z",
            "conflict": True,
        },
    }


async def test_a_bay_that_is_not_there_is_not_found(api: RunningApi) -> None:
    for path in ("", "/history"):
        assert (await api.call("GET", f"/v1/lots/harbour/bays/nowhere{path}")).code == "not_found"
