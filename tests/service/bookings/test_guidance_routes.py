"""Guidance as an app meets it: which bay, and the way there, from the garage as it is at this moment."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from api.assignments import AssignmentOperations
from api.current import CurrentLots
from api.guidance import GuidanceOperations
from api.limits import LimitClass, Rates
from autospot.domain.change import Commit, FeedEntry, SensorChange
from autospot.domain.guidance import Guide
from autospot.domain.instant import to_ms
from autospot.domain.lot_files.generate import generate_lot
from autospot.services.guides import GUIDES_KEPT, Guides
from autospot.storage.idempotency import IdempotencyKeys
from autospot.storage.mongo import Database
from sites.harbour import harbour as the_garage
from tests.support.api import Answer, RunningApi, bearer, running_api
from tests.support.bookings import at
from tests.support.lots import a_lot
from tests.support.office import DORA, Harbour, a_harbour

BEST = "039"
"""The bay of the garage that is nearest to Quay Street, by car and on foot."""

FROM_QUAY = {"entrance": "quay-in", "destination": "quay"}


@pytest.fixture
async def harbour(database: Database) -> Harbour:
    return await a_harbour(database, lot=the_garage())


@pytest.fixture
async def api(harbour: Harbour) -> AsyncIterator[RunningApi]:
    current = CurrentLots(harbour.live, harbour.clock, lambda: True)
    async with running_api(
        GuidanceOperations(harbour.office.guiding, current),
        AssignmentOperations(harbour.office.assigning),
        keys=IdempotencyKeys(harbour.database),
        clock=harbour.clock,
    ) as api:
        yield api


async def ask(api: RunningApi, lot: str = "harbour", **body: Any) -> Answer:
    return await api.call("POST", f"/v1/lots/{lot}/recommendations", json=body)


async def bays(api: RunningApi, **body: Any) -> list[str]:
    answer = await ask(api, **body)
    assert answer.status == 200, answer.body
    return [each["bay"] for each in answer.json["data"]]


async def way(api: RunningApi, start: str, to: str, **more: Any) -> Answer:
    headers = more.pop("headers", None)
    return await api.call("GET", "/v1/lots/harbour/route", params={"from": start, "to": to, **more}, headers=headers)


async def test_the_best_bay_comes_first_with_its_way_and_its_score(api: RunningApi, harbour: Harbour) -> None:
    answer = (await ask(api, **FROM_QUAY, limit=5)).json
    best, *others = answer["data"]
    assert (best["bay"], best["level"], best["kind"]) == (BEST, "P0", "general")
    assert best["score"] == pytest.approx(best["drive_metres"] + 2 * best["walk_metres"], abs=0.2)
    assert [each["score"] for each in others] == sorted(each["score"] for each in others)
    assert len(others) == 4
    assert (answer["lot"], answer["epoch"], answer["rev"], answer["layout"]) == ("harbour", "epoch", 0, 1)


async def test_whoever_names_no_place_is_told_by_which_entrance_and_to_which_door(api: RunningApi) -> None:
    (best,) = (await ask(api, limit=1)).json["data"]
    told = {"entrance": best["entrance"], "destination": best["destination"]}
    (same,) = (await ask(api, limit=1, **told)).json["data"]
    assert same == best
    assert (await way(api, best["entrance"], best["bay"])).json["metres"] == pytest.approx(
        best["drive_metres"], abs=0.1
    )


async def test_a_bay_that_is_taken_is_recommended_to_nobody_from_that_moment_on(
    api: RunningApi, harbour: Harbour
) -> None:
    assert (await bays(api, **FROM_QUAY))[0] == BEST
    await harbour.sensor(True, bay=BEST)
    second = (await bays(api, **FROM_QUAY))[0]
    kept = await api.call(
        "POST",
        "/v1/lots/harbour/assignments",
        json=FROM_QUAY,
        headers={**bearer(DORA), "Idempotency-Key": "dora-is-on-her-way"},
    )
    assert (kept.status, kept.json["bay"]) == (201, second), "the recommended bay is the one that is kept"
    await harbour.read_feed()
    assert not {BEST, second} & set(await bays(api, **FROM_QUAY, limit=20))


async def test_a_bay_that_nobody_can_see_or_that_is_closed_is_not_recommended(
    api: RunningApi, harbour: Harbour
) -> None:
    await harbour.sensor(None, bay=BEST)
    assert BEST not in await bays(api, **FROM_QUAY, limit=20)


async def test_for_a_stay_the_bookings_of_that_time_count(api: RunningApi, harbour: Harbour) -> None:
    await harbour.book(bay=BEST)
    ten, eleven, noon, one = (f"2040-11-26T{hour}:00:00Z" for hour in ("10", "11", "12", "13"))
    assert BEST in await bays(api, **FROM_QUAY)
    assert BEST not in await bays(api, **FROM_QUAY, until=eleven)
    assert BEST not in await bays(api, **FROM_QUAY, **{"from": ten, "until": noon})
    assert BEST in await bays(api, **FROM_QUAY, **{"from": noon, "until": one})


@pytest.mark.parametrize(
    ("body", "status", "place"),
    [
        ({"from": "2040-11-26T10:00:00Z"}, 422, ""),
        ({"from": "2040-11-26T10:00:00Z", "until": "2040-11-26T10:00:00Z"}, 422, ""),
        ({"from": "2040-11-26T07:00:00Z", "until": "2040-11-26T10:00:00Z"}, 422, "/from"),
        ({"until": "2040-11-26T07:00:00Z"}, 422, "/until"),
        ({"limit": 21}, 422, "/limit"),
        ({"walk_weight": -1}, 422, "/walk_weight"),
        ({"height_metres": 1e300}, 422, "/height_metres"),
        ({"kind": "boat"}, 422, "/kind"),
        ({"friend": "dora"}, 422, "/friend"),
    ],
)
async def test_what_cannot_be_asked_is_refused_by_its_place(
    api: RunningApi, body: dict[str, Any], status: int, place: str
) -> None:
    refused = await ask(api, **body)
    assert refused.status == status
    assert [each["at"] for each in refused.json["errors"]] == [place]


@pytest.mark.parametrize("body", [{"entrance": "moon"}, {"destination": "moon"}, {"destination": BEST}])
async def test_a_place_that_is_not_there_is_told(api: RunningApi, body: dict[str, str]) -> None:
    refused = await ask(api, **body)
    assert (refused.status, refused.code) == (404, "no_such_place")
    assert (await ask(api, "nowhere", **body)).code == "not_found"


async def test_the_kind_the_size_and_the_feet_of_the_driver_count(api: RunningApi) -> None:
    kind_of = {bay.bay: bay.kind for bay in the_garage().bays}
    level_of = {bay.bay: bay.level for bay in the_garage().bays}
    disabled = [kind_of[bay] for bay in await bays(api, kind="disabled", limit=20)]
    assert disabled == sorted(disabled, key=("disabled", "general").index)
    assert len(set(disabled)) == 2
    assert {level_of[bay] for bay in await bays(api, height_metres=2.4, limit=20)} == {"P0"}
    walks_far = await bays(api, **FROM_QUAY, walk_weight=0, limit=1)
    drives_far = await bays(api, entrance="hill-in", destination="quay", walk_weight=100, limit=1)
    assert level_of[walks_far[0]] == level_of[drives_far[0]] == "P0"


async def test_a_lot_without_a_plan_gives_its_free_bays_and_no_way(database: Database) -> None:
    harbour = await a_harbour(database, lot=a_lot("harbour", 3))
    current = CurrentLots(harbour.live, harbour.clock, lambda: True)
    async with running_api(GuidanceOperations(harbour.office.guiding, current)) as api:
        found = (await ask(api)).json["data"]
        assert [each["bay"] for each in found] == ["B00000", "B00001", "B00002"]
        assert {(each["entrance"], each["destination"], each["score"]) for each in found} == {(None, None, 0)}
        assert (await way(api, "B00000", "B00001")).code == "no_route"


async def test_a_way_is_told_in_words_and_drawn_level_by_level(api: RunningApi) -> None:
    found = (await way(api, "quay-in", "214")).json
    assert found["text"] == "first left, ramp to P1, first left, ramp to P2, bay 214 on the right"
    assert ", ".join(step["text"] for step in found["steps"]) == found["text"]
    assert (found["way"], found["layout"]) == ("drive", 1)
    assert [line["level"] for line in found["lines"]] == ["P0", "P1", "P2"]
    for before, after in zip(found["lines"], found["lines"][1:], strict=False):
        assert before["points"][-1] == after["points"][0], "the ramp is drawn to where it ends"
    bay = next(bay for bay in the_garage().bays if bay.bay == "214")
    assert found["lines"][-1]["points"][-1] == [bay.x, bay.y]


async def test_a_walk_without_steps_takes_the_lift(api: RunningApi) -> None:
    assert "stairs" in (await way(api, "214", "quay")).json["text"]
    found = (await way(api, "214", "quay", step_free="true")).json
    assert (found["way"], "stairs" in found["text"], "Lift to P0" in found["text"]) == ("walk", False, True)
    levels = [line["level"] for line in found["lines"]]
    assert levels[0] == "P2"
    assert levels[-1] == "P0"


async def test_a_way_is_kept_until_the_plan_changes(api: RunningApi, harbour: Harbour) -> None:
    first = await way(api, "quay-in", "214")
    known = {"If-None-Match": first.headers["ETag"]}
    assert (await way(api, "quay-in", "214", headers=known)).status == 304
    plan = harbour.live.lots["harbour"].layout
    closed = tuple(_closed(ramp) if ramp.ramp == "up-P2" else ramp for ramp in plan.ramps)
    harbour.live.put_layout(plan.model_copy(update={"version": 2, "ramps": closed}), 1)
    after = await way(api, "quay-in", "214", headers=known)
    assert (after.status, after.code) == (404, "no_route")
    assert {bay["level"] for bay in (await ask(api, limit=20, entrance="quay-in")).json["data"]} <= {"P0", "P1"}


def _closed(ramp: Any) -> Any:
    return type(ramp)(**{name: getattr(ramp, name) for name in ramp.__slots__} | {"closed": True})


@pytest.mark.parametrize(
    ("start", "to", "code"),
    [("moon", "214", "no_such_place"), ("214", "moon", "no_such_place"), ("quay-in", "!", "invalid_input")],
)
async def test_a_way_from_nowhere_is_refused(api: RunningApi, start: str, to: str, code: str) -> None:
    assert (await way(api, start, to)).code == code


async def test_asking_is_limited_like_any_reading(harbour: Harbour) -> None:
    current = CurrentLots(harbour.live, harbour.clock, lambda: True)
    rates = {LimitClass.READ: Rates(address="2/minute")}
    async with running_api(GuidanceOperations(harbour.office.guiding, current), rates=rates) as api:
        statuses = [(await ask(api)).status for _ in range(3)]
    assert statuses == [200, 200, 429]


async def test_two_thousand_bays_are_answered_and_the_plan_is_measured_once(database: Database) -> None:
    large = generate_lot("harbour", 2000)
    harbour = await a_harbour(database, lot=large)
    current = CurrentLots(harbour.live, harbour.clock, lambda: True)
    async with running_api(GuidanceOperations(harbour.office.guiding, current)) as api:
        answers = await asyncio.gather(*(ask(api, limit=20) for _ in range(10)))
        assert {answer.status for answer in answers} == {200}
        assert len({answer.body for answer in answers}) == 1
        best = answers[0].json["data"][0]
        change = [SensorChange(best["bay"], True, to_ms(at(8)), to_ms(at(8)))]
        harbour.live.apply(Commit(1, FeedEntry("hub/0", sensors={"harbour": change}), to_ms(at(8))))
        assert best not in (await ask(api, limit=20)).json["data"]


async def test_a_guide_is_made_once_per_layout_and_the_oldest_gives_way() -> None:
    guides, lot = Guides(), a_lot("a", 2)
    first, second = await asyncio.gather(guides.of(lot), guides.of(lot))
    assert first is second
    newer = lot.model_copy(update={"version": 2})
    assert (await guides.of(newer)).lot is newer
    assert await guides.of(newer) is not first
    for number in range(GUIDES_KEPT):
        await guides.of(a_lot(f"other-{number}", 1))
    assert len(guides) == GUIDES_KEPT


async def test_who_stops_waiting_for_a_guide_takes_it_from_nobody() -> None:
    guides, lot = Guides(), generate_lot("large", 500)
    impatient = asyncio.create_task(guides.of(lot))
    patient = asyncio.create_task(guides.of(lot))
    await asyncio.sleep(0)
    impatient.cancel()
    assert isinstance(await patient, Guide)
