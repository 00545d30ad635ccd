"""Clients that take their time are cut, and cost the others nothing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
from aiohttp import web
from prometheus_client import CollectorRegistry

from api import connections, inputs
from api.connections import ConnectionLimits, connections_possible
from api.contract import PUBLIC, File, Input, Output, operation
from api.health import Health
from tests.support.api import RunningApi, running_api
from tests.support.raw_http import RawAnswer, RawConnection, raw_connection
from tests.support.services import eventually

GET = b"GET /livez HTTP/1.1\r\nHost: test\r\n\r\n"
POST = b"POST /v1/notes HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\nContent-Length: 14\r\n\r\n"


class NewNote(Input):
    """A note."""

    text: str


class NoteView(Output):
    """A note."""

    text: str


class Notes:
    """Something with a body, and something large."""

    @operation("POST /v1/notes", summary="Note", tag="notes", access=PUBLIC)
    async def make(self, body: NewNote) -> NoteView:
        return NoteView(text=body.text)

    @operation("GET /v1/notes/large", summary="Large", tag="notes", access=PUBLIC, media=("application/pdf",))
    async def large(self) -> File:
        return File(b"x" * 8_000_000, "application/pdf")


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> ConnectionLimits:
    """The real limits, thirty times as fast."""
    monkeypatch.setattr(connections, "SWEEP_SECONDS", 0.05)
    monkeypatch.setattr(connections, "LINGER_SECONDS", 0.1)
    monkeypatch.setattr(inputs, "BODY_SECONDS", 0.3)
    return ConnectionLimits(header_seconds=0.3, idle_seconds=1.0, request_seconds=1.5)


@pytest.fixture
async def api(short: ConnectionLimits) -> AsyncIterator[RunningApi]:
    async with running_api(Notes(), Health({}, CollectorRegistry()), limits=short) as running:
        yield running


async def drip(connection: RawConnection, data: bytes, every_seconds: float = 0.05) -> None:
    """Sends byte by byte until somebody stops it."""
    for byte in data:
        await connection.send(bytes([byte]))
        await asyncio.sleep(every_seconds)


async def dripped(connection: RawConnection, data: bytes) -> tuple[RawAnswer | None, float]:
    """The answer to a request that comes byte by byte, and how many seconds it took to come."""
    began = time.monotonic()
    sending = asyncio.create_task(drip(connection, data))
    try:
        answer = await connection.answer()
    finally:
        sending.cancel()
    return answer, time.monotonic() - began


async def test_a_header_that_drips_is_cut_with_408_although_it_never_pauses(api: RunningApi) -> None:
    async with raw_connection(api.port) as connection:
        answer, seconds = await dripped(connection, GET)

        assert answer is not None
        assert answer.status == 408
        assert await connection.rest() == b""
    assert 0.25 < seconds < 1.0


async def test_a_second_header_on_the_connection_has_the_same_deadline(api: RunningApi) -> None:
    async with raw_connection(api.port) as connection:
        await connection.send(GET)
        assert (await connection.answer() or pytest.fail("no answer")).status == 200
        answer, seconds = await dripped(connection, GET)

    assert answer is not None
    assert answer.status == 408
    assert seconds < 1.0


async def test_a_body_that_drips_is_a_problem_and_the_end_of_the_connection(api: RunningApi) -> None:
    async with raw_connection(api.port) as connection:
        await connection.send(POST)
        answer, seconds = await dripped(connection, b'{"text": "ab"}')
        rest = await connection.rest()

    assert answer is not None
    assert (answer.status, b'"code":"too_slow"' in answer.body) == (408, True)
    assert answer.headers["connection"] == "close"
    assert rest == b""
    assert 0.25 < seconds < 1.0


async def test_an_idle_connection_is_closed_after_a_longer_time(api: RunningApi) -> None:
    async with raw_connection(api.port) as connection:
        await connection.send(GET)
        await connection.answer()
        began = time.monotonic()

        assert await connection.rest() == b""
    assert 0.8 < time.monotonic() - began < 2.0


async def test_a_connection_that_never_says_anything_is_closed_too(api: RunningApi) -> None:
    async with raw_connection(api.port) as connection:
        assert await connection.rest() == b""


async def test_somebody_who_does_not_read_the_answer_is_cut(api: RunningApi) -> None:
    async with raw_connection(api.port) as connection:
        await connection.send(b"GET /v1/notes/large HTTP/1.1\r\nHost: test\r\n\r\n")
        await eventually(lambda: api.door.at_work == 1, what="the answer is being written")
        await eventually(lambda: not api.door.open, what="the connection is cut")


async def test_hundreds_of_slow_and_idle_connections_do_not_slow_a_probe(api: RunningApi) -> None:
    async with AsyncExitStack() as stack:
        slow = [await stack.enter_async_context(raw_connection(api.port)) for _ in range(300)]
        for number, connection in enumerate(slow):
            await connection.send((b"", GET[:20], POST + b"{")[number % 3])
        worst = 0.0
        for _ in range(20):
            began = time.monotonic()
            assert (await api.call("GET", "/livez")).status == 200
            worst = max(worst, time.monotonic() - began)

    assert worst < 0.5


async def test_a_websocket_may_be_silent_as_long_as_it_likes(short: ConnectionLimits) -> None:
    async def socket(request: web.Request) -> web.WebSocketResponse:
        response = web.WebSocketResponse()
        await response.prepare(request)
        async for message in response:
            await response.send_str(message.data)
        return response

    async with (
        running_api(limits=short, routes=[web.get("/live", socket)]) as api,
        api.client.ws_connect(f"{api.url}/live") as websocket,
    ):
        await asyncio.sleep(short.request_seconds + 0.3)
        await websocket.send_str("still here")

        assert await websocket.receive_str(timeout=2) == "still here"


async def test_at_the_cap_the_longest_waiting_makes_room_and_those_at_work_do_not() -> None:
    resources = (Notes(), Health({}, CollectorRegistry()))
    async with running_api(*resources, limits=ConnectionLimits(connections=3)) as api, AsyncExitStack() as stack:
        idle = await stack.enter_async_context(raw_connection(api.port))
        await idle.send(GET)
        await idle.answer()
        at_work = [await stack.enter_async_context(raw_connection(api.port)) for _ in range(2)]
        for connection in at_work:
            await connection.send(POST)
        await eventually(lambda: api.door.at_work == 2, what="two at work")
        newcomer = await stack.enter_async_context(raw_connection(api.port))
        await newcomer.send(POST)

        assert await idle.rest() == b""
        await eventually(lambda: api.door.at_work == 3, what="the newcomer at work")
        refused = await stack.enter_async_context(raw_connection(api.port))
        answer = await refused.answer()
        assert answer is not None
        assert (answer.status, answer.headers["retry-after"]) == (503, "5")
        for connection in (*at_work, newcomer):
            await connection.send(b'{"text": "ab"}')
            assert (await connection.answer() or pytest.fail("no answer")).status == 200


def test_the_cap_leaves_files_for_everything_else() -> None:
    assert connections_possible() >= 64


async def test_pipelined_requests_are_answered_in_their_order(api: RunningApi) -> None:
    async with raw_connection(api.port) as connection:
        await connection.send(GET + POST + b'{"text": "ab"}' + GET)
        answers = [await connection.answer() for _ in range(3)]

    assert [answer and answer.body for answer in answers] == [
        b'{"status":"alive"}',
        b'{"text":"ab"}',
        b'{"status":"alive"}',
    ]
