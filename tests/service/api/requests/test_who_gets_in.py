"""Who may ask, how often, under which id, and from which page."""

from __future__ import annotations

import pytest

from api.limits import LimitClass, Rates
from autospot.domain.access import Role, Scope
from tests.support.api import RunningApi, bearer, running_api
from tests.support.boxes import OPERATOR, Boxes

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": ""},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer  "},
        {"Authorization": "Basic dXNlcjpwYXNz"},
        {"Authorization": "Bearer nobody"},
        {"Authorization": "Bearer " + "x" * 5000},
        {"Authorization": "Bearer tökén"},
    ],
)
async def test_without_a_token_that_holds_nobody_gets_in(api: RunningApi, headers: dict[str, str]) -> None:
    answer = await api.call("POST", "/v1/boxes", json={"name": "a"}, headers=headers)

    assert (answer.status, answer.code) == (401, "unauthenticated")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (OPERATOR, 200),
        (bearer("usr_3", Role.ADMIN), 200),
        (bearer("usr_4", scopes=[Scope.LOT_EDIT], lots=["harbour"]), 200),
        (bearer("usr_2", Role.OPERATOR, lots=["station"]), 403),
        (bearer("usr_5", Role.ATTENDANT, lots=["harbour"]), 403),
        (bearer("usr_1", Role.DRIVER), 403),
        (bearer("usr_4", scopes=[Scope.LOT_READ], lots=["harbour"]), 403),
        (bearer("usr_4", scopes=[Scope.LOT_EDIT], lots=["station"]), 403),
    ],
)
async def test_the_action_is_asked_for_the_lot_in_the_path(
    api: RunningApi, headers: dict[str, str], status: int
) -> None:
    answer = await api.call("PATCH", "/v1/harbour/boxes/1", json={"name": "a"}, headers=headers)

    assert answer.status == status


async def test_permission_comes_before_the_body_is_looked_at(api: RunningApi) -> None:
    answer = await api.call("PATCH", "/v1/harbour/boxes/1", data=b"rubbish", headers=bearer())

    assert answer.status == 403


@pytest.mark.parametrize(
    ("given", "kept"),
    [("abc-123.DEF_4", True), ("short", False), ("x" * 65, False), ("a b c d e f", False), ("näh-näh-näh", False)],
)
async def test_a_request_id_that_is_safe_to_log_is_kept(api: RunningApi, given: str, kept: bool) -> None:
    answer = await api.call("GET", "/v1/boxes", headers={"X-Request-ID": given})

    assert (answer.headers["X-Request-ID"] == given) is kept
    assert 8 <= len(answer.headers["X-Request-ID"]) <= 64


async def test_requests_without_an_id_get_different_ones(api: RunningApi) -> None:
    ids = {(await api.call("GET", "/v1/boxes")).headers["X-Request-ID"] for _ in range(5)}

    assert len(ids) == 5


async def test_an_address_has_its_allowance_per_class_of_route() -> None:
    async with running_api(Boxes(), rates={LimitClass.READ: Rates(address="2/minute")}) as api:
        answers = [await api.call("GET", "/v1/boxes") for _ in range(3)]
        other_class = await api.call("POST", "/v1/boxes/touch")
        live = await api.call("GET", "/v1/boxes/state")

    assert [each.status for each in answers] == [200, 200, 429]
    assert [each.headers["RateLimit"].partition(";t=")[0] for each in answers] == [
        '"read";r=1',
        '"read";r=0',
        '"read";r=0',
    ]
    assert answers[2].code == "rate_limited"
    assert 1 <= int(answers[2].headers["Retry-After"]) <= 60
    assert (other_class.status, live.status) == (204, 200)


async def test_a_user_has_an_allowance_wherever_they_come_from() -> None:
    rates = {LimitClass.WRITE: Rates(address="100/minute", user="1/minute")}
    async with running_api(Boxes(), rates=rates, trusted_proxies=["127.0.0.0/8"]) as api:
        statuses = [
            (
                await api.call(
                    "POST", "/v1/boxes", json={"name": "a"}, headers={**bearer(user), "X-Forwarded-For": address}
                )
            ).status
            for user, address in [("usr_1", "198.51.100.1"), ("usr_1", "198.51.100.2"), ("usr_2", "198.51.100.1")]
        ]

    assert statuses == [201, 429, 201]


async def test_a_token_that_does_not_hold_still_counts_for_the_address() -> None:
    async with running_api(Boxes(), rates={LimitClass.WRITE: Rates(address="3/minute")}) as api:
        headers = {"Authorization": "Bearer guess"}
        statuses = [(await api.call("POST", "/v1/boxes", json={}, headers=headers)).status for _ in range(4)]

    assert statuses == [401, 401, 401, 429]


async def test_pages_of_listed_origins_may_read_answers_and_no_others() -> None:
    async with running_api(Boxes(), cors_origins=["https://app.example"]) as api:
        ours = await api.call("GET", "/v1/boxes", headers={"Origin": "https://app.example"})
        theirs = await api.call("GET", "/v1/boxes", headers={"Origin": "https://evil.example"})
        preflight = await api.call(
            "OPTIONS",
            "/v1/boxes",
            headers={"Origin": "https://app.example", "Access-Control-Request-Method": "POST"},
        )
        refused = await api.call("GET", "/v1/nothing", headers={"Origin": "https://app.example"})

    assert ours.headers["Access-Control-Allow-Origin"] == "https://app.example"
    assert "ETag" in ours.headers["Access-Control-Expose-Headers"]
    assert "Access-Control-Allow-Origin" not in theirs.headers
    assert ours.headers["Vary"] == theirs.headers["Vary"] == "Origin"
    assert "Idempotency-Key" in preflight.headers["Access-Control-Allow-Headers"]
    assert "PATCH" in preflight.headers["Access-Control-Allow-Methods"]
    assert refused.headers["Access-Control-Allow-Origin"] == "https://app.example"


async def test_without_a_list_no_origin_is_let_in(api: RunningApi) -> None:
    answer = await api.call("GET", "/v1/boxes", headers={"Origin": "https://app.example"})

    assert "Access-Control-Allow-Origin" not in answer.headers


async def test_requests_are_counted_by_route(api: RunningApi) -> None:
    labels = {"method": "GET", "route": "/v1/{lot}/boxes/{box}", "status": "200"}
    before = api.registry.get_sample_value("autospot_http_request_seconds_count", labels) or 0
    await api.call("GET", "/v1/harbour/boxes/1")
    await api.call("GET", "/v1/station/boxes/2")

    assert api.registry.get_sample_value("autospot_http_request_seconds_count", labels) == before + 2
