"""Bytes that no honest client sends are refused, and nothing behind them is believed."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from aiohttp import web
from prometheus_client import CollectorRegistry

from api.contract import PUBLIC, Input, Output, operation
from api.health import Health
from tests.support.api import RunningApi, running_api
from tests.support.raw_http import raw_answer, raw_connection

pytestmark = pytest.mark.asyncio(loop_scope="module")


class NewNote(Input):
    """A note."""

    text: str


class NoteView(Output):
    """A note."""

    text: str


class Notes:
    """Something with a body. Remembers what was noted."""

    def __init__(self) -> None:
        self.noted: list[str] = []

    @operation("POST /v1/notes", summary="Note", tag="notes", access=PUBLIC)
    async def make(self, body: NewNote) -> NoteView:
        self.noted.append(body.text)
        return NoteView(text=body.text)


async def socket(request: web.Request) -> web.WebSocketResponse:
    response = web.WebSocketResponse(max_msg_size=1024)
    await response.prepare(request)
    async for message in response:
        await response.send_str(message.data)
    return response


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def notes() -> Notes:
    return Notes()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def api(notes: Notes) -> AsyncIterator[RunningApi]:
    async with running_api(notes, Health({}, CollectorRegistry()), routes=[web.get("/live", socket)]) as running:
        yield running


def get(*headers: bytes, path: bytes = b"/livez", version: bytes = b"1.1") -> bytes:
    return b"\r\n".join([b"GET " + path + b" HTTP/" + version, *headers, b"", b""])


def post(*headers: bytes, body: bytes = b"") -> bytes:
    return b"\r\n".join(
        [b"POST /v1/notes HTTP/1.1", b"Host: a", b"Content-Type: application/json", *headers, b"", body]
    )


LENGTH_4 = b"Content-Length: 4"
CHUNKED = b"Transfer-Encoding: chunked"
IN_PARTS = b"\x01\xfe\x02\x00" + b"\x00" * 516 + (b"\x00\xfe\x02\x00" + b"\x00" * 516) * 3
UPGRADE = (
    b"Host: a",
    b"Connection: Upgrade",
    b"Upgrade: websocket",
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    b"Sec-WebSocket-Version: 13",
)
SMUGGLED = b"GET /v1/smuggled HTTP/1.1\r\nHost: a\r\n\r\n"


@pytest.mark.parametrize(
    "request_bytes",
    [
        pytest.param(get(b"Host: a", b"Host: b"), id="two hosts"),
        pytest.param(get(b"Host: a", b"Host: a"), id="the same host twice"),
        pytest.param(get(), id="no host"),
        pytest.param(get(b"Host: a/b@c"), id="a host that is none"),
        pytest.param(get(b"Host: a, b"), id="a list of hosts, with a space"),
        pytest.param(
            post(b"Content-Length: 4", b"Transfer-Encoding: chunked", body=b"0\r\n\r\n"), id="length and chunks"
        ),
        pytest.param(
            post(b"Transfer-Encoding: chunked", b"Content-Length: 4", body=b"0\r\n\r\n"), id="chunks and length"
        ),
        pytest.param(post(b"Content-Length: 4", b"Content-Length: 5", body=b"abcde"), id="two lengths"),
        pytest.param(post(b"Content-Length: 4, 4", body=b"abcd"), id="a list of lengths"),
        pytest.param(post(b"Content-Length: -1"), id="a negative length"),
        pytest.param(post(b"Content-Length: +4", body=b"abcd"), id="a signed length"),
        pytest.param(post(b"Content-Length: 0x4", body=b"abcd"), id="a hexadecimal length"),
        pytest.param(post(b"Content-Length: 9" + b"9" * 30), id="a length beyond all numbers"),
        pytest.param(post(b"Transfer-Encoding: xchunked", body=b"0\r\n\r\n"), id="an unknown coding"),
        pytest.param(post(b"Transfer-Encoding: chunked, identity", body=b"0\r\n\r\n"), id="chunks not last"),
        pytest.param(post(b"Transfer-Encoding : chunked", body=b"0\r\n\r\n"), id="a space before the colon"),
        pytest.param(post(b"Transfer-Encoding: \x0bchunked", body=b"0\r\n\r\n"), id="a control character"),
        pytest.param(post(b"Transfer-Encoding: chunked", body=b"zz\r\nabc\r\n0\r\n\r\n"), id="a chunk without size"),
        pytest.param(post(b"Transfer-Encoding: chunked", body=b"-1\r\nabc\r\n0\r\n\r\n"), id="a negative chunk"),
        pytest.param(get(b"Host: a", b"X: b\r\n c"), id="a folded header"),
        pytest.param(get(b"Host: a", b"X: a\x00b"), id="a NUL in a header"),
        pytest.param(get(b"Host: a", b": nameless"), id="a header without name"),
        pytest.param(b"GET /livez HTTP/1.1\nHost: a\n\n", id="bare line feeds"),
        pytest.param(b"GET /livez HTTP/1.1\rHost: a\r\r\n\r\n", id="bare carriage returns"),
        pytest.param(get(b"Host: a", version=b"3.7"), id="an unknown version"),
        pytest.param(b"G@T /livez HTTP/1.1\r\nHost: a\r\n\r\n", id="a method that is none"),
        pytest.param(get(b"Host: a", path=b"http://[::1"), id="an address that is none"),
        pytest.param(get(b"Host: a", path=b"/\xff\xfe"), id="bytes in a path"),
        pytest.param(get(b"Host: a", *(b"X-%d: a" % n for n in range(100))), id="a hundred headers"),
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 60, id="TLS"),
        pytest.param(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", id="HTTP/2"),
        pytest.param(get(*UPGRADE, b"Content-Length: %d" % len(SMUGGLED), path=b"/live"), id="an upgrade with a body"),
        pytest.param(get(*UPGRADE, b"Transfer-Encoding: chunked", path=b"/live"), id="an upgrade with chunks"),
    ],
)
async def test_what_could_be_read_in_two_ways_is_a_400_and_the_end(
    api: RunningApi, notes: Notes, request_bytes: bytes
) -> None:
    before = len(notes.noted)
    async with raw_connection(api.port) as connection:
        await connection.send(request_bytes + SMUGGLED)
        answer = await connection.answer()
        rest = await connection.rest()

    assert answer is not None
    assert (answer.status, answer.headers["content-type"]) == (400, "application/problem+json")
    assert b"HTTP/1.1" not in rest, "what came behind it was answered"
    assert len(notes.noted) == before


@pytest.mark.parametrize(
    "request_bytes",
    [
        pytest.param(get(b"Host: a", b"X: " + b"a" * 200_000), id="a header of 200 KB"),
        pytest.param(get(b"Host: a", b"X" * 200_000 + b": a"), id="a name of 200 KB"),
        pytest.param(get(b"Host: a", path=b"/" + b"a" * 100_000), id="a path of 100 KB"),
    ],
)
async def test_what_is_too_long_is_a_431(api: RunningApi, request_bytes: bytes) -> None:
    answer = await raw_answer(api.port, request_bytes)

    assert answer is not None
    assert (answer.status, b"headers_too_large" in answer.body) == (431, True)


async def test_headers_are_too_long_together_although_each_is_not(api: RunningApi) -> None:
    async with raw_connection(api.port) as connection:
        await connection.send(b"GET /livez HTTP/1.1\r\nHost: a\r\n")
        for number in range(8):
            await connection.send(b"X-%d: " % number + b"a" * 40_000 + b"\r\n")
        answer = await connection.answer()

    assert answer is not None
    assert answer.status == 431


@pytest.mark.parametrize(
    "request_bytes",
    [
        pytest.param(get(version=b"1.0"), id="HTTP/1.0 without host"),
        pytest.param(get(b"Host: [2001:db8::1]:8080"), id="an IPv6 host"),
        pytest.param(get(b"Host: a", b"Content-Length: 5") + b"abcde", id="a GET with a body"),
        pytest.param(get(b"Host: a", b"Connection: Upgrade", b"Upgrade: h2c"), id="an upgrade that is not offered"),
        pytest.param(get(*UPGRADE), id="a websocket where there is none"),
    ],
)
async def test_what_is_unusual_but_clear_is_answered(api: RunningApi, request_bytes: bytes) -> None:
    answer = await raw_answer(api.port, request_bytes)

    assert answer is not None
    assert answer.status == 200


async def test_an_expectation_that_is_not_understood_is_a_problem(api: RunningApi) -> None:
    answer = await raw_answer(api.port, post(b"Expect: the-unexpected", b"Content-Length: 2", body=b"{}"))

    assert answer is not None
    assert (answer.status, answer.headers["content-type"]) == (400, "application/problem+json")


async def test_who_asks_before_sending_a_body_is_told(api: RunningApi) -> None:
    async with raw_connection(api.port) as connection:
        await connection.send(post(b"Expect: 100-continue", b"Content-Length: 13"))
        go_on = await connection.answer()
        await connection.send(b'{"text":"ab"}')
        answer = await connection.answer()

    assert (go_on and go_on.status, answer and answer.status) == (100, 200)


async def test_a_client_that_hangs_up_in_the_middle_leaves_nothing_behind(api: RunningApi, notes: Notes) -> None:
    before = len(notes.noted)
    for request_bytes in (get(b"Host: a")[:10], post(b"Content-Length: 13", body=b'{"te')):
        async with raw_connection(api.port) as connection:
            await connection.send(request_bytes)

    assert (await api.call("GET", "/livez")).status == 200
    assert len(notes.noted) == before


@pytest.mark.parametrize(
    ("frame", "close_code"),
    [
        pytest.param(b"\xc1\x80\x00\x00\x00\x00", 1002, id="a reserved bit"),
        pytest.param(b"\x83\x80\x00\x00\x00\x00", 1002, id="an unknown kind"),
        pytest.param(b"\x09\x80\x00\x00\x00\x00", 1002, id="a control frame in parts"),
        pytest.param(b"\x81\xff\x00\x00\x00\x00\x00\x10\x00\x00\x00\x00\x00\x00", 1009, id="a megabyte"),
        pytest.param(b"\x81\xff\xff\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x00", 1009, id="more than there is"),
        pytest.param(
            (b"\x01\xfe\x02\x00" + b"\x00" * 516) + (b"\x00\xfe\x02\x00" + b"\x00" * 516) * 3,
            1009,
            id="too much in parts",
        ),
        pytest.param(b"\x80\x85\x00\x00\x00\x00hello", 1002, id="a continuation of nothing"),
        pytest.param(b"\x81\x82\x00\x00\x00\x00\xc3\x28", 1007, id="text that is no UTF-8"),
    ],
)
async def test_a_websocket_frame_that_breaks_the_rules_ends_the_socket_with_its_code(
    api: RunningApi, frame: bytes, close_code: int
) -> None:
    async with raw_connection(api.port) as connection:
        await connection.send(get(*UPGRADE, path=b"/live"))
        assert (await connection.answer() or pytest.fail("no answer")).status == 101
        await connection.send(frame)
        rest = await connection.rest()

    assert rest[0] == 0x88
    assert int.from_bytes(rest[2:4]) == close_code
