"""Answers: versions, other media, and refusals as problems."""

from __future__ import annotations

import pytest
import structlog

from tests.support.api import RunningApi
from tests.support.boxes import OPERATOR

pytestmark = pytest.mark.asyncio(loop_scope="module")


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
