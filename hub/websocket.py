"""`GET /v1/live`: one connection's conversation, and the timer that looks after all of them.

upgrade -> hello -> welcome -> subscriptions -> messages until somebody closes. What a lot's changes are is the
fan-out's story (`hub/fanout.py`); this one is about who is there.
"""

from __future__ import annotations

import asyncio
import socket
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from urllib.parse import urlsplit

import structlog
from aiohttp import WSMsgType, web

from autospot.clock import Clock
from autospot.domain.errors import AutoSpotError
from autospot.domain.instant import rfc3339_ms
from autospot.live import LiveLots
from hub.fanout import Fanout
from hub.metrics import HubMetrics
from hub.protocol import (
    BEAT_SECONDS,
    HELLO_SECONDS,
    MESSAGE_LIMIT_BYTES,
    NO_HELLO,
    NO_PONG,
    OVERLOADED,
    PING_FRAME,
    RESTART,
    SAFE_INTEGER,
    SUBPROTOCOL,
    SUBSCRIPTIONS_LIMIT,
    TOKEN_EXPIRED,
    TOO_LARGE,
    TOO_MANY_CONNECTIONS,
    TOO_MANY_MESSAGES,
    UNSUPPORTED_VERSION,
    Auth,
    BadMessage,
    Close,
    Hello,
    Subscribe,
    Unknown,
    Unsubscribe,
    Wish,
    error_message,
    message,
    parse,
    text_frame,
)
from hub.screen import ABORT_AFTER_SECONDS, Screen, Visitor

MESSAGES_PER_SECOND = 20
MESSAGES_BURST = SUBSCRIPTIONS_LIMIT + MESSAGES_PER_SECOND
"""A client may subscribe to all it is allowed to in one go."""
SEND_BUFFER_BYTES = 64 * 1024
"""The kernel's share of a socket's unsent bytes (Linux doubles it). Left alone it grows to megabytes: a slow screen
would be shown minutes-old frames before the fan-out notices that it is slow."""
READ_LIMIT_BYTES = 4 * MESSAGE_LIMIT_BYTES
"""A longer message than this is not even read to its end: the connection ends with 1009 (RFC 6455, section 7.4.1)."""
PONG_WITHIN_MS = 3 * BEAT_SECONDS * 1000

_ENDS = (WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED, WSMsgType.ERROR)

Authenticate = Callable[[str], Awaitable[Visitor]]
"""Turns a token into who it belongs to, or raises an `AutoSpotError`."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class SocketLimits:
    """Who may connect. `origins` are those that browsers may come from besides the server's own; `sockets` is the most
    at once in this process, further ones are told to come back later."""

    per_address: int = 50
    per_user: int = 5
    sockets: int = 20_000
    origins: frozenset[str] = field(default_factory=frozenset)


class Allowance:
    """A token bucket: `MESSAGES_PER_SECOND` on average, `MESSAGES_BURST` at once."""

    __slots__ = ("_at", "_left")

    def __init__(self, now: float) -> None:
        self._at = now
        self._left = float(MESSAGES_BURST)

    def take(self, now: float) -> bool:
        """True if one more message is allowed at `now` (seconds, monotonic)."""
        self._left = min(MESSAGES_BURST, self._left + (now - self._at) * MESSAGES_PER_SECOND)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


class LiveSockets:
    """All websockets of this process.

    Guarantees: limits per address, per user and in all; a client says hello within `HELLO_SECONDS` or is closed; beats
    and pings come from one timer, spread over `BEAT_SECONDS`; whoever answers no ping is closed with 4202, whoever's
    token ends with 4103.
    """

    def __init__(
        self,
        live: LiveLots,
        fanout: Fanout,
        clock: Clock,
        metrics: HubMetrics,
        authenticate: Authenticate,
        limits: SocketLimits,
        version: str,
        address_of: Callable[[web.Request], str],
    ) -> None:
        self._live = live
        self._fanout = fanout
        self._clock = clock
        self._metrics = metrics
        self._authenticate = authenticate
        self._limits = limits
        self._version = version
        self._address_of = address_of
        self._slots: list[dict[Screen, None]] = [{} for _ in range(BEAT_SECONDS)]
        self._numbers = count()
        self._sockets = 0
        self._per_address: Counter[str] = Counter()
        self._of_user: dict[str, dict[Screen, None]] = {}

    # -- one connection

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """The handler of `GET /v1/live`."""
        self._check_origin(request)
        websocket = web.WebSocketResponse(
            protocols=(SUBPROTOCOL,), compress=False, autoping=False, autoclose=False, max_msg_size=READ_LIMIT_BYTES
        )
        await websocket.prepare(request)
        transport = request.transport
        if transport is None:
            return websocket
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        address = self._address_of(request)
        number = next(self._numbers)
        screen = Screen(transport, address, number % BEAT_SECONDS, self._clock.now_ms())
        refusal = self._refusal(websocket, request, address)
        if refusal is not None:
            self._close(screen, refusal)
        else:
            self._enter(screen)
            try:
                close = await self._converse(websocket, screen)
                if close is not None:
                    self._close(screen, close)
            finally:
                self._leave(screen)
        await self._part(websocket, screen)
        return websocket

    def _close(self, screen: Screen, close: Close) -> None:
        self._metrics.closed.labels(str(close.code)).inc()
        screen.close(close)

    async def _part(self, websocket: web.WebSocketResponse, screen: Screen) -> None:
        """Answers the client's close, or waits until the client has answered ours, reading what it still says."""
        if screen.closing is None:
            await websocket.close()
            return
        try:
            async with asyncio.timeout(ABORT_AFTER_SECONDS):
                while (await websocket.receive()).type not in _ENDS:
                    pass
        except TimeoutError:
            pass  # it does not answer: it is cut
        screen.transport.close()

    def _check_origin(self, request: web.Request) -> None:
        origin = request.headers.get("Origin")
        if origin is None or origin in self._limits.origins:
            return
        if urlsplit(origin).netloc != request.host:
            raise web.HTTPForbidden(text="this origin may not open a websocket here")

    def _refusal(self, websocket: web.WebSocketResponse, request: web.Request, address: str) -> Close | None:
        if websocket.ws_protocol is None and "Sec-WebSocket-Protocol" in request.headers:
            return UNSUPPORTED_VERSION
        if self._sockets >= self._limits.sockets:
            return OVERLOADED
        if self._per_address[address] >= self._limits.per_address:
            return TOO_MANY_CONNECTIONS
        return None

    def _enter(self, screen: Screen) -> None:
        self._sockets += 1
        self._per_address[screen.address] += 1
        self._slots[screen.slot][screen] = None
        self._metrics.sockets.set(self._sockets)

    def _leave(self, screen: Screen) -> None:
        self._fanout.leave(screen)
        self._sign_out(screen)
        self._sockets -= 1
        self._per_address[screen.address] -= 1
        if not self._per_address[screen.address]:
            del self._per_address[screen.address]
        del self._slots[screen.slot][screen]
        self._metrics.sockets.set(self._sockets)

    async def _converse(self, websocket: web.WebSocketResponse, screen: Screen) -> Close | None:
        """Answers until the client leaves (None) or must (why)."""
        loop = asyncio.get_running_loop()
        allowance = Allowance(loop.time())
        hello_by = loop.time() + HELLO_SECONDS
        greeted = False
        while True:
            try:
                frame = await websocket.receive(timeout=None if greeted else max(0.0, hello_by - loop.time()))
            except TimeoutError:
                return NO_HELLO
            if frame.type in _ENDS or screen.closing is not None:
                return None
            screen.heard_ms = self._clock.now_ms()
            if not allowance.take(loop.time()):
                return TOO_MANY_MESSAGES
            if frame.type is WSMsgType.PING:
                await websocket.pong(frame.data)
            elif frame.type is WSMsgType.BINARY:
                return Close(4000, "messages are text")
            elif frame.type is WSMsgType.TEXT:
                try:
                    close = await self._answer(screen, frame.data, greeted)
                except BadMessage as error:
                    return Close(4000, str(error)[:100])
                if close is not None:
                    return close
                greeted = True

    async def _answer(self, screen: Screen, text: str, greeted: bool) -> Close | None:
        if len(text) > MESSAGE_LIMIT_BYTES or len(text.encode()) > MESSAGE_LIMIT_BYTES:
            return TOO_LARGE
        asked = parse(text)
        if not greeted and not isinstance(asked, Hello):
            return NO_HELLO
        if isinstance(asked, Hello):
            return Close(4000, "hello is said once") if greeted else await self._greet(screen, asked)
        if isinstance(asked, Auth):
            return await self._sign_in(screen, asked.token)
        if isinstance(asked, Subscribe):
            self._subscribe(screen, asked)
        elif isinstance(asked, Unsubscribe):
            self._fanout.unsubscribe(screen, asked.lot)
        elif isinstance(asked, Unknown):
            log.debug("unknown_message_ignored", type=asked.type)
        return None

    async def _greet(self, screen: Screen, hello: Hello) -> Close | None:
        if hello.token is not None:
            refusal = await self._sign_in(screen, hello.token)
            if refusal is not None:
                return refusal
        screen.write(
            text_frame(
                message(
                    "welcome",
                    {
                        "server": self._version,
                        "now": rfc3339_ms(self._clock.now_ms()),
                        "epoch": self._live.epoch,
                        "heartbeat": BEAT_SECONDS,
                        "limits": {
                            "message_bytes": MESSAGE_LIMIT_BYTES,
                            "subscriptions": SUBSCRIPTIONS_LIMIT,
                            "messages_per_second": MESSAGES_PER_SECOND,
                        },
                    },
                )
            )
        )
        for wish in hello.subscriptions or ():
            self._subscribe(screen, wish)
        return None

    def _subscribe(self, screen: Screen, wish: Subscribe | Wish) -> None:
        lot = self._live.lot(wish.lot)
        if lot is None:
            refused = error_message("not_found", "there is no such lot", about=wish.id, retry=False)
        elif len(screen.lots) >= SUBSCRIPTIONS_LIMIT and wish.lot not in screen.lots:
            words = f"at most {SUBSCRIPTIONS_LIMIT} lots on one connection"
            refused = error_message("limit_reached", words, about=wish.id, retry=False)
        elif wish.rev is not None and not 0 <= wish.rev <= SAFE_INTEGER:
            refused = error_message("invalid_input", "rev is a position this server gave", about=wish.id, retry=False)
        else:
            self._fanout.subscribe(screen, lot, wish.detail or "bays", wish.epoch, wish.rev)
            return
        screen.write(text_frame(refused))

    # -- who it is

    async def _sign_in(self, screen: Screen, token: str) -> Close | None:
        try:
            visitor = await self._authenticate(token)
        except AutoSpotError:
            return Close(4002, "the token does not hold")
        if screen.visitor is not None and screen.visitor.user_id != visitor.user_id:
            return Close(4003, "this connection belongs to somebody else")
        others = self._of_user.setdefault(visitor.user_id, {})
        if screen not in others and len(others) >= self._limits.per_user:
            return TOO_MANY_CONNECTIONS
        others[screen] = None
        screen.visitor = visitor
        return None

    def _sign_out(self, screen: Screen) -> None:
        if screen.visitor is None:
            return
        others = self._of_user.get(screen.visitor.user_id, {})
        others.pop(screen, None)
        if not others:
            self._of_user.pop(screen.visitor.user_id, None)

    def tell_user(self, user_id: str, event: Mapping[str, Any]) -> None:
        """Sends a `me` message to every connection of a user."""
        screens = self._of_user.get(user_id)
        if screens:
            frame = text_frame(message("me", event))
            for screen in screens:
                screen.write(frame)

    def close_sessions(self, session_ids: Iterable[str]) -> None:
        """Ends the connections whose family of tokens was revoked."""
        revoked = frozenset(session_ids)
        for screens in list(self._of_user.values()):
            for screen in list(screens):
                if screen.visitor is not None and screen.visitor.session_id in revoked:
                    self._fanout.close(screen, Close(4002, "this sign-in was revoked"))

    # -- all connections

    async def run(self) -> None:
        """Beats, pings and expiries, a `BEAT_SECONDS`th of the sockets each second, until cancelled. All at once when
        the database falls silent or is heard again: screens shall not wait for their turn to say so."""
        slot, was_behind = 0, False
        while True:
            await asyncio.sleep(1)
            is_behind = self._live.behind_since_ms is not None
            turn = self._slots if is_behind != was_behind else self._slots[slot : slot + 1]
            for screens in turn:
                self.look_after(screens)
            slot, was_behind = (slot + 1) % BEAT_SECONDS, is_behind

    def look_after(self, screens: Iterable[Screen]) -> None:
        """One beat and ping for each of `screens`; closes those that are gone or whose token has ended."""
        now_ms = self._clock.now_ms()
        frames: dict[tuple[str, ...], bytes] = {}
        for screen in list(screens):
            if now_ms - screen.heard_ms > PONG_WITHIN_MS:
                self._fanout.close(screen, NO_PONG)
            elif screen.visitor is not None and screen.visitor.expires_ms <= now_ms:
                self._fanout.close(screen, TOKEN_EXPIRED)
            else:
                lots = tuple(screen.lots)
                frame = frames.get(lots)
                if frame is None:
                    frame = frames[lots] = text_frame(self._beat(lots, now_ms)) + PING_FRAME
                screen.write(frame)

    def _beat(self, lots: Iterable[str], now_ms: int) -> bytes:
        revs = {code: lot.rev for code in lots if (lot := self._live.lot(code)) is not None}
        fields: dict[str, object] = {"now": rfc3339_ms(now_ms), "lots": revs}
        if self._live.behind_since_ms is not None:
            # Sockets work but the database does not: what screens show may be old, and they must say so.
            fields["behind_since"] = rfc3339_ms(self._live.behind_since_ms)
        return message("beat", fields)

    def close_all(self) -> None:
        """Tells everybody to come back: this process stops."""
        for screens in self._slots:
            for screen in list(screens):
                self._fanout.close(screen, RESTART)
