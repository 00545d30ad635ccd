"""Paths, queries and bodies, right and wrong in every way."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.support.api import RunningApi, bearer

pytestmark = pytest.mark.asyncio(loop_scope="module")


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
