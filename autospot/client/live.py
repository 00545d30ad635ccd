"""Watching lots live: one websocket that comes back by itself, and pictures that are always whole.

connect -> hello with one's positions -> messages -> (closed) -> wait -> connect. What a message means for a lot is
`picture.py`'s; this module keeps the connection and decides when to ask again.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self

import aiohttp
import orjson

from autospot.client.backoff import pause_seconds
from autospot.client.errors import ApiError, LiveEndedError
from autospot.client.picture import Gap, LotPicture, apply_delta, picture_of

if TYPE_CHECKING:
    from autospot.client.session import AutoSpot

SUBPROTOCOL = "autospot.v1"
SILENCE_SECONDS = 45.0
"""Three beats that did not come: the connection is dead, whatever TCP thinks."""
BEHIND_SECONDS = 2.0
"""How long one may be behind a beat before one asks again."""
SETTLED_SECONDS = 30.0
"""A connection that lasted this long makes the next wait short again."""
LARGEST_FRAME_BYTES = 64 * 1024 * 1024
CLOSE_SECONDS = 2.0

BAD_TOKEN = 4002
TOKEN_EXPIRED = 4103
LOST = 1006
"""A connection that ended without a word (RFC 6455, 7.1.5)."""


@dataclass(frozen=True, slots=True)
class Change:
    """Something of `lot` is new: `bays` changed since the last change that was taken, None if all of it is new."""

    lot: str
    bays: frozenset[str] | None


@dataclass(frozen=True, slots=True)
class _Closed:
    """How a connection ended: the close code (`LOST` where there was none), how long the server asks to stay away."""

    code: int
    message: str = ""
    after_seconds: float = 0.0


class Live:
    """A live view of some lots.

    Guarantees: `lots[code]` is whole and never goes back within a history; after a lost connection only what changed
    meanwhile is fetched; `is_current` is false while what is shown may be old. Nothing queues: a slow reader of
    `changes` misses states in between, never the last one. Ends by leaving the `async with`, or with `LiveEndedError`
    for what coming back does not cure.
    """

    def __init__(
        self,
        autospot: AutoSpot,
        lots: Iterable[str],
        detail: Literal["bays", "counts"],
        on_me: Callable[[Mapping[str, Any]], None],
    ) -> None:
        self.lots: dict[str, LotPicture] = {}
        self.is_current = False
        self.connections = 0
        self._autospot = autospot
        self._wanted = dict.fromkeys(lots)
        self._detail = detail
        self._on_me = on_me
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._news: dict[str, set[str] | None] = {}
        self._bell = asyncio.Event()
        self._asking: dict[str, asyncio.TimerHandle] = {}
        self._asked: set[str] = set()
        self._bye = _Closed(LOST)
        self._shown: str | None = None
        self._refused: str | None = None
        self._runner: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._runner = asyncio.create_task(self._run())
        self._runner.add_done_callback(lambda _: self._bell.set())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._runner is not None:
            self._runner.cancel()
            with suppress(asyncio.CancelledError, LiveEndedError):
                await self._runner

    async def changes(self) -> AsyncIterator[Change]:
        """What is new, lot by lot, as soon as it is known; raises `LiveEndedError` if the server sent us away."""
        while True:
            await self._bell.wait()
            self._bell.clear()
            while self._news:
                lot = next(iter(self._news))
                bays = self._news.pop(lot)
                yield Change(lot, None if bays is None else frozenset(bays))
            if self._runner is not None and self._runner.done():
                self._runner.result()
                return

    # The connection

    async def _run(self) -> None:
        attempt = 0
        while True:
            began = asyncio.get_running_loop().time()
            closed = await self._connected()
            self.is_current = False
            self._require_that_coming_back_helps(closed)
            if asyncio.get_running_loop().time() - began >= SETTLED_SECONDS:
                attempt = 0
            await asyncio.sleep(pause_seconds(attempt, random.random(), closed.after_seconds))
            attempt += 1

    def _require_that_coming_back_helps(self, closed: _Closed) -> None:
        if closed.code in (BAD_TOKEN, TOKEN_EXPIRED) and self._shown not in (None, self._refused):
            self._refused = self._shown  # come back with another
        elif 4000 <= closed.code < 4100:
            raise LiveEndedError(closed.code, closed.message)

    async def _connected(self) -> _Closed:
        """One connection, from its beginning to its end."""
        self._bye, self._shown = _Closed(LOST), None
        try:
            self._shown = await self._autospot.token(other_than=self._refused)
            async with self._autospot.http.ws_connect(
                f"{self._autospot.url}/v1/live",
                protocols=(SUBPROTOCOL,),
                max_msg_size=LARGEST_FRAME_BYTES,
                timeout=aiohttp.ClientWSTimeout(ws_close=CLOSE_SECONDS),
            ) as socket:
                return await self._talk(socket)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            return _Closed(LOST, type(error).__name__)
        except ApiError as error:  # the sign-in is over, or AutoSpot is busy
            return _Closed(BAD_TOKEN if error.status == 401 else LOST, error.detail, error.after_seconds or 0.0)
        finally:
            self._socket = None
            self._stop_asking()

    async def _talk(self, socket: aiohttp.ClientWebSocketResponse) -> _Closed:
        self._socket = socket
        await socket.send_str(self._hello())
        renewal = asyncio.create_task(self._renew(socket))
        try:
            return await self._listen(socket)
        finally:
            renewal.cancel()

    async def _listen(self, socket: aiohttp.ClientWebSocketResponse) -> _Closed:
        while True:
            frame = await socket.receive(timeout=SILENCE_SECONDS)
            if frame.type is not aiohttp.WSMsgType.TEXT:
                return self._bye if self._bye.code != LOST else _Closed(socket.close_code or LOST)
            self._take(orjson.loads(frame.data))

    def _hello(self) -> str:
        hello: dict[str, Any] = {
            "type": "hello",
            "client": "autospot-python/1",
            "subscriptions": [self._subscription(lot) for lot in self._wanted],
        }
        if self._shown is not None:
            hello["token"] = self._shown
        return orjson.dumps(hello).decode()

    def _subscription(self, lot: str) -> dict[str, Any]:
        wanted: dict[str, Any] = {"lot": lot, "id": lot, "detail": self._detail}
        known = self.lots.get(lot)
        return wanted if known is None else {**wanted, "epoch": known.epoch, "rev": known.rev}

    async def _renew(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        """Proves again who one is, before the last proof ends. Failing that, the server closes and we come back."""
        while self._shown is not None:
            await asyncio.sleep(self._autospot.renew_in_seconds())
            try:
                self._shown = await self._autospot.token()
                await socket.send_str(orjson.dumps({"type": "auth", "token": self._shown}).decode())
            except (ApiError, aiohttp.ClientError, TimeoutError):
                return

    # Messages

    def _take(self, message: Mapping[str, Any]) -> None:
        """Applies one message; types that are not known are ignored, as the contract asks of both sides."""
        match message["type"]:
            case "welcome":
                self.connections += 1
                self.is_current = True
            case "snapshot":
                self._take_snapshot(message)
            case "delta":
                self._take_delta(message)
            case "beat":
                self._take_beat(message)
            case "me":
                self._on_me(message)
            case "bye":
                self._bye = _Closed(message["code"], message["message"], message["after"])
            case "error":
                self._take_error(message)

    def _take_snapshot(self, message: Mapping[str, Any]) -> None:
        picture = picture_of(message)
        self.lots[picture.lot] = picture
        self._asked.discard(picture.lot)
        self._tell(picture.lot, None)

    def _take_delta(self, message: Mapping[str, Any]) -> None:
        known = self.lots.get(message["lot"])
        before = None if known is None else known.rev
        told = apply_delta(known, message)
        if isinstance(told, Gap):
            self._ask_again(message["lot"])
        elif known is not None and known.rev != before:
            self._asked.discard(known.lot)
            self._tell(known.lot, told)

    def _take_beat(self, message: Mapping[str, Any]) -> None:
        self.is_current = "behind_since" not in message
        for lot, rev in message["lots"].items():
            known = self.lots.get(lot)
            if lot in self._wanted and (known is None or known.rev < rev) and lot not in self._asking:
                loop = asyncio.get_running_loop()
                self._asking[lot] = loop.call_later(BEHIND_SECONDS, self._ask_if_behind, lot, rev)

    def _take_error(self, message: Mapping[str, Any]) -> None:
        if message["code"] == "not_found" and message["id"] in self._wanted:
            self._wanted.pop(message["id"])

    def _tell(self, lot: str, bays: Iterable[str] | None) -> None:
        waiting = self._news.get(lot, set())
        self._news[lot] = None if bays is None or waiting is None else waiting.union(bays)
        self._bell.set()

    def _ask_if_behind(self, lot: str, rev: int) -> None:
        self._asking.pop(lot, None)
        known = self.lots.get(lot)
        if known is None or known.rev < rev:
            self._ask_again(lot)

    def _ask_again(self, lot: str) -> None:
        """Asks for what is missing from one's own position; once, until there is an answer."""
        if lot not in self._asked and self._socket is not None and not self._socket.closed:
            self._asked.add(lot)
            text = orjson.dumps({"type": "subscribe", **self._subscription(lot)}).decode()
            asking = asyncio.ensure_future(self._socket.send_str(text))
            asking.add_done_callback(lambda done: done.cancelled() or done.exception())

    def _stop_asking(self) -> None:
        for timer in self._asking.values():
            timer.cancel()
        self._asking.clear()
        self._asked.clear()
