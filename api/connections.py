"""The listening socket: deadlines for clients that take their time, and a cap with a policy.

aiohttp waits for ever for the rest of a header, for a body and for a client that does not read its answer, and takes
every connection the kernel hands it. `Connection` extends its protocol by its public hooks; one sweep a second looks
after all of them, so that a request costs no timer.
"""

from __future__ import annotations

import asyncio
import logging
import resource
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final, cast

from aiohttp import web
from aiohttp.http_exceptions import LineTooLong

from api.envelope import ENVELOPE
from api.problems import BadFraming, HeadersTooLarge, InternalError, problem_response, translated
from autospot.domain.errors import AutoSpotError

SWEEP_SECONDS: Final = 1.0
LINGER_SECONDS: Final = 2.0
"""How long the rest of a body that nobody wants is read before the connection is closed."""

REQUEST_LINE_BYTES: Final = 8190
HEADER_LINE_BYTES: Final = 128 * 1024
"""Large enough that an absurd token is refused as a token (401), like every other that does not hold."""
HEADER_BYTES: Final = 256 * 1024
"""Of a request's header as a whole, with what of its body came along in the same packets."""
HEADERS_LIMIT: Final = 64

BACKLOG: Final = 4096
"""Connections the kernel holds until they are taken: thousands of screens come back at once after a restart."""

FILES_KEPT_FREE: Final = 256
"""File descriptors left for the database, the broker and files when connections are at their cap."""

_TOO_SLOW: Final = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
_TOO_LONG: Final = b"HTTP/1.1 431 Request Header Fields Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
_FULL: Final = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"

log = logging.getLogger("api.connections")


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """Seconds a client has, and how many connections there may be.

    `header_seconds`: from the first byte of a request to the end of its header. `idle_seconds`: between requests.
    `request_seconds`: for a request as a whole, until its answer was taken; websockets are exempt. (A body has
    `api.inputs.BODY_SECONDS`.) `connections`: None for what the process may open, less `FILES_KEPT_FREE`. At the cap
    a new connection takes the place of the one that has been waiting for a request longest: that is a slow or idle
    client, never one at work. Where all are at work, or are websockets, the new one is told 503 and closed.
    """

    header_seconds: float = 10.0
    idle_seconds: float = 75.0
    request_seconds: float = 60.0
    connections: int | None = None


class Connection(web.RequestHandler):
    """aiohttp's server side of one connection, with a memory of what it waits for since when.

    It waits for a request since `waiting_since`, or is at work since `busy_since`. Handed over to a websocket it is
    the door's business no longer, but for its count.
    """

    __slots__ = ("_door", "busy_since", "first_byte_at", "header_bytes", "waiting_since")

    def __init__(self, door: Door, manager: web.Server, loop: asyncio.AbstractEventLoop, **options: Any) -> None:
        super().__init__(manager, loop=loop, **options)
        self._door = door
        self.waiting_since = loop.time()
        self.first_byte_at: float | None = None
        self.header_bytes = 0
        self.busy_since: float | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if self._door.admits(self):
            super().connection_made(transport)
            return
        self.force_close()
        refused = cast(asyncio.Transport, transport)
        refused.write(_FULL)
        refused.close()

    def connection_lost(self, exc: BaseException | None) -> None:
        self._door.forget(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self.first_byte_at is None:
            self.first_byte_at = self._loop.time()
        if self.busy_since is None:
            self.header_bytes += len(data)
            if self.header_bytes > HEADER_BYTES:
                self._end(_TOO_LONG)
                return
        super().data_received(data)

    def begin(self) -> None:
        """A request's header is complete and its handling begins."""
        self._door.waiting.pop(self, None)
        self.busy_since = self._loop.time()

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        if isinstance(resp, web.HTTPException) and resp.status >= 400:  # raised before any middleware: `Expect`
            resp = problem_response(translated(resp), secrets.token_hex(8))
        finished = await super().finish_response(request, resp, start_time)
        self.busy_since = None
        self.first_byte_at = None
        self.header_bytes = 0
        self.waiting_since = self._loop.time()
        if self.transport is not None:
            self._door.waits(self)
        return finished

    def set_parser(self, *parser: Any, **options: Any) -> None:
        """aiohttp hands the connection over to a websocket."""
        self._door.let_through(self)
        super().set_parser(*parser, **options)

    def handle_error(
        self, request: web.BaseRequest, status: int = 500, exc: BaseException | None = None, message: str | None = None
    ) -> web.StreamResponse:
        """What no handler saw: bytes that are no HTTP. Said as a problem, logged as the everyday thing it is."""
        del message  # quotes what was sent
        if request.writer.output_size > 0:
            raise ConnectionError("the answer was under way when it failed")
        if status < 500:
            log.debug("unreadable request from %s", request.remote, exc_info=exc)
        else:
            log.error("request failed outside every handler", exc_info=exc)
        response = problem_response(_refusal_of(status, exc), secrets.token_hex(8))
        response.force_close()
        return response

    def is_late(self, now: float, limits: ConnectionLimits) -> bool:
        """True if the client had its time. See `ConnectionLimits`."""
        if self.busy_since is not None:
            return now - self.busy_since > limits.request_seconds
        if self.first_byte_at is not None:
            return now - self.first_byte_at > limits.header_seconds
        return now - self.waiting_since > limits.idle_seconds

    def cut(self) -> None:
        """Ends the connection now; a client in the middle of a header is told why."""
        transport = self.transport
        if transport is None:
            return
        if self.busy_since is not None or transport.get_write_buffer_size():
            transport.abort()  # an orderly close would wait for a client that does not read
            return
        self._end(b"" if self.first_byte_at is None else _TOO_SLOW)

    def _end(self, word: bytes) -> None:
        """Closes in order, with a last `word`."""
        if word and self.transport is not None:
            self.transport.write(word)
        self.force_close()


def _refusal_of(status: int, exc: BaseException | None) -> AutoSpotError:
    if isinstance(exc, LineTooLong):
        return HeadersTooLarge("the path or a header is too long")
    if status < 500:
        return BadFraming("this is not HTTP as RFC 9112 defines it")
    return InternalError()


class Door:
    """All connections of one listening socket."""

    def __init__(self, server: web.Server, limits: ConnectionLimits) -> None:
        self._server = server
        self._limits = limits
        self._loop = asyncio.get_running_loop()
        self.port = 0
        self._most = limits.connections or connections_possible()
        self.open: set[Connection] = set()
        """Connections that speak HTTP."""
        self.upgraded: set[Connection] = set()
        """Connections that were handed over to a websocket."""
        self.waiting: dict[Connection, None] = {}
        """Connections that wait for a request, longest first."""
        make_request = server.request_factory

        def begin_request(message: Any, payload: Any, protocol: Any, writer: Any, task: Any) -> web.BaseRequest:
            protocol.begin()
            return make_request(message, payload, protocol, writer, task)

        server.request_factory = begin_request
        self._sweep = self._loop.call_later(SWEEP_SECONDS, self._cut_late)

    @property
    def at_work(self) -> int:
        """How many connections are answering a request."""
        return len(self.open) - len(self.waiting)

    def connection(self) -> Connection:
        """The protocol for a connection that comes in."""
        return Connection(
            self,
            self._server,
            self._loop,
            access_log=None,  # /metrics counts; addresses and paths with ids are not for logs
            keepalive_timeout=self._limits.idle_seconds + 2 * SWEEP_SECONDS,  # should the sweep ever fail
            lingering_time=LINGER_SECONDS,
            max_line_size=REQUEST_LINE_BYTES,
            max_field_size=HEADER_LINE_BYTES,
            max_headers=HEADERS_LIMIT,
        )

    def admits(self, connection: Connection) -> bool:
        """True, and `connection` counted, if there is room or room can be made. See `ConnectionLimits`."""
        if len(self.open) + len(self.upgraded) >= self._most:
            longest = next(iter(self.waiting), None)
            if longest is None:
                return False
            longest.cut()
            self.forget(longest)
        self.open.add(connection)
        self.waiting[connection] = None
        return True

    def waits(self, connection: Connection) -> None:
        """It has been answered and may ask again."""
        if connection in self.open:
            self.waiting[connection] = None

    def let_through(self, connection: Connection) -> None:
        """It is a websocket now: no deadline of HTTP applies."""
        self.open.discard(connection)
        self.upgraded.add(connection)

    def forget(self, connection: Connection) -> None:
        """It is closed."""
        self.open.discard(connection)
        self.upgraded.discard(connection)
        self.waiting.pop(connection, None)

    def _cut_late(self) -> None:
        now = self._loop.time()
        for connection in [each for each in self.open if each.is_late(now, self._limits)]:
            connection.cut()
        self._sweep = self._loop.call_later(SWEEP_SECONDS, self._cut_late)

    def close(self) -> None:
        """Ends the sweep."""
        self._sweep.cancel()


def connections_possible() -> int:
    """How many connections this process can hold and still open what else it needs."""
    files, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return max(64, files - FILES_KEPT_FREE)


@asynccontextmanager
async def listening(
    app: web.Application,
    host: str,
    port: int,
    limits: ConnectionLimits = ConnectionLimits(),
    *,
    shutdown_seconds: float = 5.0,
) -> AsyncIterator[Door]:
    """Serves `app`, in its envelope, on `host`:`port` (0: any free one), which `Door.port` tells. At the end requests
    at work get `shutdown_seconds` to be answered. The port is taken first, and opened when `app` has started: who finds
    it taken has disturbed nobody yet."""
    doors: list[Door] = []

    def connection() -> Connection:
        return doors[0].connection()

    loop = asyncio.get_running_loop()
    listener = await loop.create_server(connection, host, port, backlog=BACKLOG, start_serving=False)
    runner = web.AppRunner(app, shutdown_timeout=shutdown_seconds)
    try:
        await runner.setup()
    except BaseException:
        listener.close()
        raise
    server = cast(web.Server, runner.server)  # there is one after `setup`
    envelope, handler = app.get(ENVELOPE), server.request_handler
    if envelope is not None:
        server.request_handler = lambda request: envelope.around(cast(web.Request, request), handler)
    door = Door(server, limits)
    doors.append(door)
    try:
        await listener.start_serving()
        try:
            door.port = listener.sockets[0].getsockname()[1]
            yield door
        finally:
            listener.close()
    finally:
        door.close()
        await runner.cleanup()
