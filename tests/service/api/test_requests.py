"""One small resource, asked in every way it can be asked."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
import structlog
from pydantic import Field

from api.call import Call
from api.contract import PUBLIC, Encoded, File, Input, Output, Reply, operation
from api.limits import LimitClass, Rates
from api.pages import Page, PageQuery
from api.values import Instant
from autospot.domain.access import Action, Role, Scope
from autospot.domain.errors import Conflict, InvalidInput, NotFound, Unavailable
from tests.support.api import RunningApi, bearer, running_api


class BoxPath(Input):
    """A box of a lot."""

    lot: str = Field(pattern="^[a-z]{1,20}$")
    box: int = Field(ge=1, le=9)


class NewBox(Input):
    """What a box is made of."""

    name: str = Field(max_length=20)
    at: Instant | None = None
    sizes: list[int] = Field([], max_length=5)


class BoxView(Output):
    """A box."""

    name: str
    at: Instant | None = None
    note: str | None = None


class BoxesQuery(PageQuery):
    """A filter."""

    colour: list[str] = Field([])
    heavy: bool | None = None


class Boxes:
    """Every sort of operation there is."""

    def __init__(self) -> None:
        self.version = 1

    @operation("GET /v1/{lot}/boxes/{box}", summary="A box", tag="boxes", access=PUBLIC, etag=True)
    async def one(self, path: BoxPath) -> Reply[BoxView]:
        return Reply(BoxView(name=f"{path.lot}/{path.box}"), etag=f"v{self.version}")

    @operation("PATCH /v1/{lot}/boxes/{box}", summary="Change", tag="boxes", access=Action.EDIT_LOT, if_match=True)
    async def change(self, call: Call, path: BoxPath, body: NewBox) -> Reply[BoxView]:
        call.if_match.check(f"v{self.version}")
        self.version += 1
        return Reply(BoxView(name=body.name), etag=f"v{self.version}")

    @operation("GET /v1/boxes", summary="Boxes", tag="boxes", access=PUBLIC)
    async def listed(self, query: BoxesQuery) -> Page[BoxView]:
        return Page(data=[BoxView(name=each) for each in query.colour], next_cursor=f"{query.limit}-{query.heavy}")

    @operation("POST /v1/boxes", summary="Make", tag="boxes", access=Action.DRIVE, status=201)
    async def make(self, call: Call, body: NewBox) -> Reply[BoxView]:
        return Reply(BoxView(name=body.name, at=body.at, note=call.principal.user_id), location="/v1/boxes/1")

    @operation("POST /v1/boxes/touch", summary="Touch", tag="boxes", access=PUBLIC, status=204)
    async def touch(self) -> None: ...

    @operation("GET /v1/boxes/state", summary="Live", tag="boxes", access=PUBLIC, limit=LimitClass.LIVE, etag=True)
    async def live(self) -> Encoded[BoxView]:
        return Encoded(b'{"name":"live","at":null,"note":null}', "e1:7")

    @operation("GET /v1/boxes/picture", summary="Picture", tag="boxes", access=PUBLIC, media=("image/svg+xml",))
    async def picture(self) -> File:
        return File(b"<svg/>", "image/svg+xml", "box.svg")

    @operation("GET /v1/boxes/fail/{lot}/{box}", summary="Fails", tag="boxes", access=PUBLIC)
    async def fail(self, path: BoxPath) -> BoxView:
        raise {
            1: NotFound("there is no such box"),
            2: Conflict("somebody was faster", code="box_taken"),
            3: InvalidInput("in the past", at="/from"),
            4: Unavailable("the database does not answer"),
            5: KeyError("mongodb://user:secret@db/"),
            6: TimeoutError("inner"),
            7: RecursionError(),
        }[path.box]


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def api() -> AsyncIterator[RunningApi]:
    async with running_api(Boxes()) as running:
        yield running


OPERATOR = bearer("usr_2", Role.OPERATOR, lots=["harbour"])


# -- what goes in


async def test_a_good_request_is_answered(api: RunningApi) -> None:
    answer = await api.call("POST", "/v1/boxes", json={"name": "Kiste", "sizes": [1, 2]}, headers=bearer())

    assert (answer.status, answer.json) == (201, {"name": "Kiste", "at": None, "note": "usr_1"})
    assert answer.headers["Location"] == "/v1/boxes/1"
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Server"] == "AutoSpot"


async def test_instants_come_in_with_any_offset_and_go_out_in_utc(api: RunningApi) -> None:
    answer = await api.call(
        "POST", "/v1/boxes", json={"name": "a", "at": "2026-11-22T13:00:00.5+01:00"}, headers=bearer()
    )

    assert answer.json["at"] == "2026-11-22T12:00:00.500Z"


@pytest.mark.parametrize(
    ("body", "places"),
    [
        ({}, ["/name"]),
        ({"name": "a", "role": "admin", "_id": 1}, ["/role", "/_id"]),
        ({"name": {"$ne": None}}, ["/name"]),
        ({"name": 5}, ["/name"]),
        ({"name": "x" * 21}, ["/name"]),
        ({"name": "a", "sizes": ["1"]}, ["/sizes/0"]),
        ({"name": "a", "sizes": [True]}, ["/sizes/0"]),
        ({"name": "a", "at": "2026-11-22T13:00:00"}, ["/at"]),
        ({"name": "a", "at": "0001-01-01T00:00:00+14:00"}, ["/at"]),
        ({"name": "a", "at": 5}, ["/at"]),
        ({"name": "a", "at": "1795348800"}, ["/at"]),
        ({"name": "a", "at": "2026-11-22"}, ["/at"]),
        ({"name": "a", "at": "2026-11-22 13:00:00Z"}, ["/at"]),
        ({"name": "a", "at": "2026-13-22T13:00:00Z"}, ["/at"]),
        ([], [""]),
        (0, [""]),
        ("name", [""]),
        ({"name": "a", "a/b~c": 1}, ["/a~1b~0c"]),
    ],
)
async def test_a_body_is_taken_at_its_word_or_refused_with_the_places(
    api: RunningApi, body: Any, places: list[str]
) -> None:
    answer = await api.call("POST", "/v1/boxes", json=body, headers=bearer())

    assert (answer.status, answer.code) == (422, "invalid_input")
    assert [each["at"] for each in answer.json["errors"]] == places


async def test_a_thousand_wrong_fields_are_not_all_named(api: RunningApi) -> None:
    answer = await api.call("POST", "/v1/boxes", json={f"f{n}": n for n in range(1000)}, headers=bearer())

    assert answer.status == 422
    assert len(answer.json["errors"]) == 20


@pytest.mark.parametrize(
    ("content", "headers", "status", "code"),
    [
        (b'{"name": "a"', {}, 400, "malformed_json"),
        (b'{"name": "\xff"}', {}, 400, "malformed_json"),
        (b'{"name": "a", "name": "b"}', {}, 400, "duplicate_name"),
        (b'{"name": ' + b"[" * 40 + b"]" * 40 + b"}", {}, 400, "too_deep"),
        (b'{"name": NaN}', {}, 400, "malformed_json"),
        (b'{"name": "a"}', {"Content-Type": "text/plain"}, 415, "wrong_content_type"),
        (b'{"name": "a"}', {"Content-Type": "application/json; charset=utf-16"}, 415, "wrong_content_type"),
        (b"name=a", {"Content-Type": "application/x-www-form-urlencoded"}, 415, "wrong_content_type"),
        (b"\x1f\x8b", {"Content-Encoding": "gzip"}, 415, "wrong_content_type"),
        (b'"' + b"x" * 70_000 + b'"', {}, 413, "too_large"),
    ],
)
async def test_a_body_that_is_no_json_object_of_ours_is_refused(
    api: RunningApi, content: bytes, headers: dict[str, str], status: int, code: str
) -> None:
    headers = {"Content-Type": "application/json", **bearer(), **headers}
    answer = await api.call("POST", "/v1/boxes", data=content, headers=headers)

    assert (answer.status, answer.code) == (status, code)


async def test_a_body_without_length_is_cut_at_the_limit_too(api: RunningApi) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b" " * 1024

    headers = {"Content-Type": "application/json", **bearer()}
    answer = await api.call("POST", "/v1/boxes", data=endless(), headers=headers)

    assert (answer.status, answer.code) == (413, "too_large")


@pytest.mark.parametrize(
    ("query", "place"),
    [
        ("limit=0", "/query/limit"),
        ("limit=1&limit=2", "/query/limit"),
        ("limit[$gt]=1", "/query/limit[$gt]"),
        ("size=1", "/query/size"),
        ("heavy=maybe", "/query/heavy"),
        ("cursor=%00", "/query/cursor"),
        ("cursor=" + "a" * 600, "/query/cursor"),
    ],
)
async def test_a_query_is_checked_like_a_body(api: RunningApi, query: str, place: str) -> None:
    answer = await api.call("GET", f"/v1/boxes?{query}")

    assert (answer.status, answer.json["errors"][0]["at"]) == (422, place)


async def test_a_list_in_a_query_is_its_name_several_times(api: RunningApi) -> None:
    answer = await api.call("GET", "/v1/boxes?colour=red&limit=7&colour=blue&heavy=true")

    assert [each["name"] for each in answer.json["data"]] == ["red", "blue"]
    assert answer.json["next_cursor"] == "7-True"


@pytest.mark.parametrize(
    "path", ["/v1/HARBOUR/boxes/1", "/v1/harbour/boxes/0", "/v1/harbour/boxes/%31%00", "/v1/a%2Fb/boxes/1"]
)
async def test_a_path_that_cannot_name_anything_names_nothing(api: RunningApi, path: str) -> None:
    answer = await api.call("GET", path)

    assert (answer.status, answer.code) == (404, "not_found")


@pytest.mark.parametrize("path", ["/v1/boxes/state?x=1", "/v1/harbour/boxes/1?x=1"])
async def test_unknown_parameters_are_refused_where_there_are_none(api: RunningApi, path: str) -> None:
    answer = await api.call("GET", path)

    assert (answer.status, answer.json["errors"]) == (422, [{"at": "/query/x", "message": "unknown parameter"}])


@pytest.mark.parametrize(
    ("content", "status"), [(b"", 204), (b"{}", 204), (b'{"role": "admin"}', 422), (b"[" * 99, 422)]
)
async def test_an_operation_without_a_body_takes_none(api: RunningApi, content: bytes, status: int) -> None:
    answer = await api.call("POST", "/v1/boxes/touch", data=content, headers={"Content-Type": "application/json"})

    assert answer.status == status


# -- who


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


# -- conditional


async def test_who_has_the_present_version_is_not_sent_it_again(api: RunningApi) -> None:
    first = await api.call("GET", "/v1/harbour/boxes/1")
    again = await api.call("GET", "/v1/harbour/boxes/1", headers={"If-None-Match": first.headers["ETag"]})

    assert first.headers["ETag"].startswith('"v')
    assert (again.status, again.body) == (304, b"")
    assert again.headers["ETag"] == first.headers["ETag"]


async def test_a_change_on_top_of_an_unseen_one_is_refused(api: RunningApi) -> None:
    path, change = "/v1/harbour/boxes/1", {"json": {"name": "a"}}
    seen = (await api.call("GET", path)).headers["ETag"]
    one = await api.call("PATCH", path, headers={**OPERATOR, "If-Match": seen}, **change)
    other = await api.call("PATCH", path, headers={**OPERATOR, "If-Match": seen}, **change)
    anyway = await api.call("PATCH", path, headers=OPERATOR, **change)

    assert [each.status for each in (one, other, anyway)] == [200, 412, 200]
    assert other.code == "precondition_failed"


async def test_live_state_is_the_same_on_its_short_way(api: RunningApi) -> None:
    whole = await api.call("GET", "/v1/boxes/state")
    again = await api.call("GET", "/v1/boxes/state", headers={"If-None-Match": '"e1:7"'})
    head = await api.call("HEAD", "/v1/boxes/state")
    closing = await api.call("GET", "/v1/boxes/state", headers={"Connection": "close"})

    assert whole.json == {"name": "live", "at": None, "note": None}
    assert (again.status, again.body) == (304, b"")
    assert (head.status, head.body) == (200, b"")
    assert closing.body == whole.body
    for answer in (whole, head, closing):
        assert answer.headers["ETag"] == '"e1:7"'
        assert answer.headers["Content-Length"] == str(len(whole.body))
        assert answer.headers["Content-Type"] == "application/json"
        assert answer.headers["Cache-Control"] == "no-cache"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["X-Request-ID"]


async def test_other_media_come_as_they_are(api: RunningApi) -> None:
    answer = await api.call("GET", "/v1/boxes/picture")

    assert (answer.status, answer.body, answer.headers["Content-Type"]) == (200, b"<svg/>", "image/svg+xml")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="box.svg"'


# -- refusals


@pytest.mark.parametrize(
    ("box", "status", "code"),
    [
        (1, 404, "not_found"),
        (2, 409, "box_taken"),
        (3, 422, "invalid_input"),
        (4, 503, "unavailable"),
        (5, 500, "internal_error"),
        (6, 500, "internal_error"),
        (7, 500, "internal_error"),
    ],
)
async def test_errors_are_problems(api: RunningApi, box: int, status: int, code: str) -> None:
    with structlog.testing.capture_logs() as logged:
        answer = await api.call("GET", f"/v1/boxes/fail/harbour/{box}", headers={"X-Request-ID": "my-request-1"})

    assert (answer.status, answer.code, answer.json["request_id"]) == (status, code, "my-request-1")
    assert answer.json["type"] == f"/docs/errors#{code}"
    assert b"secret" not in answer.body
    assert b"Traceback" not in answer.body
    assert [each["request_id"] for each in logged if each["event"] == "request_failed"] == (
        ["my-request-1"] if status == 500 else []
    )
    assert ("Retry-After" in answer.headers) == (status == 503)


@pytest.mark.parametrize(
    "path", ["/", "/v1", "/v1/boxes/", "/v2/boxes", "/v1//boxes", "/v1/../etc/passwd", "/%ff%fe", "/v1/boxes\\"]
)
async def test_an_unknown_path_is_a_problem(api: RunningApi, path: str) -> None:
    answer = await api.call("GET", path)

    assert (answer.status, answer.code) == (404, "not_found")


@pytest.mark.parametrize("method", ["PUT", "DELETE", "TRACE", "PROPFIND"])
async def test_an_unknown_method_is_a_problem_that_names_the_known_ones(api: RunningApi, method: str) -> None:
    answer = await api.call(method, "/v1/boxes")

    assert (answer.status, answer.code) == (405, "method_not_allowed")
    assert answer.headers["Allow"] == "GET, HEAD, OPTIONS, POST"


async def test_options_says_what_is_possible(api: RunningApi) -> None:
    known, unknown = await api.call("OPTIONS", "/v1/boxes"), await api.call("OPTIONS", "/v1/nothing")

    assert (known.status, known.headers["Allow"]) == (204, "GET, HEAD, OPTIONS, POST")
    assert unknown.status == 404


async def test_head_is_get_without_the_body(api: RunningApi) -> None:
    get, head = await api.call("GET", "/v1/boxes?colour=red"), await api.call("HEAD", "/v1/boxes?colour=red")

    assert (head.status, head.body) == (200, b"")
    assert head.headers["Content-Length"] == get.headers["Content-Length"] == str(len(get.body))


# -- ids, limits, browsers


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
