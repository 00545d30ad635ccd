"""The screens: websocket clients of `/v1/live` in their own process, either parsing every frame or draining.

    python -m bench.screens '{"http_port": 8080, "parse": true, "load": {...}, "total": 20}'

Parsers and drainers run in separate processes: a parser's latency must not contain the time this machine spends on
reading the frames of thousands of neighbours that would, in life, be other machines.

Commands, one answer each:
`connect` (`count`): open so many more screens; answers when each has its snapshot.
`expect` (`start_ms`): the schedule begins then.
`settle` (`within_seconds`): wait until every reading has been shown, or that long.
`traffic`: frames and bytes so far.
`report`: latencies, faults, and the gate's verdict on what is on the screens.
`look`: open one fresh screen per watched lot and give the gate's verdict on its snapshot.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any, Final, cast

import msgspec
import uvloop

from bench.gate import EXAMPLES_MAX, Verdict, judge
from bench.latency import Latencies
from bench.schedule import Load, Said, Schedule, lot_code
from bench.watching import Expected, LotOnScreen, decode_message
from bench.worker import now_ms, serve
from bench.ws_wire import (
    CLOSE,
    PING,
    PONG,
    TEXT,
    FrameCounter,
    FrameReader,
    Handshake,
    WebsocketError,
    client_frame,
    close_reason,
    server_frame,
)

SCREENS_MAX: Final = 20_000
"""Below the 28,000 local ports that Linux gives to one address."""

OPENING_MAX: Final = 64
"""Handshakes under way at once, below the 128 connections that servers usually let wait."""

OPENING_SECONDS: Final = 60.0
SETTLE_POLL_SECONDS: Final = 0.01


@dataclass(slots=True)
class Tally:
    """What all screens of this process counted together."""

    latencies: Latencies = field(default_factory=Latencies)
    frames: int = 0
    bytes: int = 0
    faults: int = 0
    fault_examples: list[str] = field(default_factory=list)

    def fault(self, text: str) -> None:
        """Count a breach of the contract or a lost connection; the first EXAMPLES_MAX are kept in words."""
        self.faults += 1
        if len(self.fault_examples) < EXAMPLES_MAX:
            self.fault_examples.append(text)


class Screen(ABC, asyncio.Protocol):
    """One websocket client that wants one lot. `ready` is done when it has its first snapshot."""

    def __init__(self, lot: str, handshake: Handshake, tally: Tally) -> None:
        self.lot = lot
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._handshake = handshake
        self._tally = tally
        self._transport: asyncio.Transport | None = None
        self._head = b""
        self._reader: FrameReader | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the upgrade."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's own class, which asyncio's does not know
        self._transport.write(self._handshake.request)

    def data_received(self, data: bytes) -> None:
        """Take what came; a breach of the contract is counted and ends this screen."""
        try:
            if self._reader is None:
                self._open(data)
            else:
                self._take(data)
        except (WebsocketError, ValueError, msgspec.DecodeError) as error:
            self._fail(str(error))
            self.leave()

    def connection_lost(self, exc: Exception | None) -> None:
        """A connection that the server ends is a fault; one that this side has left is not."""
        if self._transport is not None:
            self._fail(f"connection lost: {exc or 'closed'}")

    def _fail(self, why: str) -> None:
        self._tally.fault(f"{self.lot}: {why}")
        if not self.ready.done():
            self.ready.set_exception(ConnectionError(f"{self.lot}: no snapshot: {why}"))

    def leave(self) -> None:
        """Hang up without ceremony."""
        transport, self._transport = self._transport, None
        if transport is not None:
            transport.abort()

    def _open(self, data: bytes) -> None:
        self._head += data
        rest = self._handshake.rest_after(self._head)
        if rest is None:
            return
        hello = {"type": "hello", "client": "bench/1", "subscriptions": [{"id": 1, "lot": self.lot, "detail": "bays"}]}
        self._write(client_frame(TEXT, json.dumps(hello).encode()))
        self._reader, self._head = FrameReader(), b""
        if rest:
            self._take(rest)

    @abstractmethod
    def _take(self, data: bytes) -> None:
        """What came after the handshake."""

    def _control(self, opcode: int, payload: bytes) -> None:
        if opcode == PING:
            self._write(client_frame(PONG, payload))
        elif opcode == CLOSE:
            raise WebsocketError(f"closed by the server: {close_reason(payload)}")

    def _write(self, frame: bytes) -> None:
        if self._transport is not None:
            self._transport.write(frame)


class Parser(Screen):
    """Parses and applies every frame, and records how late each reading of its lot was shown."""

    def __init__(self, lot: str, handshake: Handshake, tally: Tally) -> None:
        super().__init__(lot, handshake, tally)
        self.view = LotOnScreen(lot, tally.latencies)

    def _take(self, data: bytes) -> None:
        now_us = int(now_ms() * 1000)
        assert self._reader is not None
        self._tally.bytes += len(data)
        for opcode, payload in self._reader.feed(data):
            self._tally.frames += 1
            if opcode != TEXT:
                self._control(opcode, payload)
                continue
            message = decode_message(payload)
            if message.type in {"error", "bye"}:
                raise WebsocketError(f"{message.type} {message.code}: {message.message}")
            self.view.apply(message, now_us)
            if self.view.has_snapshot and not self.ready.done():
                self.ready.set_result(None)


class Drainer(Screen):
    """Reads frames up to its snapshot, from then on only counts them and answers pings."""

    def __init__(self, lot: str, handshake: Handshake, tally: Tally) -> None:
        super().__init__(lot, handshake, tally)
        self._counter = FrameCounter()

    def _take(self, data: bytes) -> None:
        if not self.ready.done():
            self._look_for_snapshot(data)
            return
        before = self._counter.frames
        controls = self._counter.feed(data)
        self._tally.frames += self._counter.frames - before
        self._tally.bytes += len(data)
        for opcode, payload in controls:
            self._control(opcode, payload)

    def _look_for_snapshot(self, data: bytes) -> None:
        assert self._reader is not None
        for opcode, payload in self._reader.feed(data):
            if self.ready.done():
                self._tally.frames += 1
                self._tally.bytes += len(server_frame(opcode, payload))
            elif opcode == TEXT and decode_message(payload).type == "snapshot":
                self.ready.set_result(None)
        if self.ready.done():
            self._counter.feed(self._reader.rest)


class Screens:
    """All screens of one process. Screen number `i` of `total` watches a lot such that the lots share them evenly."""

    def __init__(self, http_port: int, *, parse: bool, load: Load, total: int) -> None:
        if total > SCREENS_MAX:
            raise ValueError(f"{total} screens are over the limit of {SCREENS_MAX}")
        self._http_port = http_port
        self._kind: type[Screen] = Parser if parse else Drainer
        self._load = load
        self._stride = max(1, load.lots // max(1, total))
        self._screens: list[Screen] = []
        self._tally = Tally()
        self._schedule: Schedule | None = None

    async def connect(self, count: int) -> dict[str, Any]:
        """Open `count` more screens. Raises TimeoutError when they are not all served within OPENING_SECONDS."""
        gate = asyncio.Semaphore(OPENING_MAX)
        first = len(self._screens)
        lots = [(number * self._stride) % self._load.lots for number in range(first, first + count)]
        began = now_ms()
        async with asyncio.timeout(OPENING_SECONDS):
            self._screens += await asyncio.gather(*(self._open(lot_code(lot), self._kind, gate) for lot in lots))
        return {"connected": len(self._screens), "seconds": (now_ms() - began) / 1000}

    async def _open(self, lot: str, kind: type[Screen], gate: asyncio.Semaphore) -> Screen:
        async with gate:
            loop = asyncio.get_running_loop()
            handshake = Handshake.to("127.0.0.1", self._http_port)
            _, screen = await loop.create_connection(
                lambda: kind(lot, handshake, self._tally), "127.0.0.1", self._http_port
            )
            await screen.ready
            return screen

    def leave(self) -> None:
        """Hang up on every screen."""
        for screen in self._screens:
            screen.leave()

    def _parsers(self) -> list[Parser]:
        return [screen for screen in self._screens if isinstance(screen, Parser)]

    async def expect(self, start_ms: int) -> dict[str, Any]:
        """From now on latencies are counted against the schedule that begins at `start_ms`."""
        self._schedule = Schedule(self._load, start_ms)
        for parser in self._parsers():
            parser.view.expected = Expected(self._schedule, int(parser.lot[1:]))
        return {"expected": self._missing()}

    def _missing(self) -> int:
        return sum(parser.view.expected.missing for parser in self._parsers() if parser.view.expected)

    async def settle(self, within_seconds: float) -> dict[str, Any]:
        """Wait until nothing is missing on any screen, at most so long."""
        give_up_ms = now_ms() + within_seconds * 1000
        while self._missing() and now_ms() < give_up_ms:  # noqa: ASYNC110 (an event would be looked at every frame)
            await asyncio.sleep(SETTLE_POLL_SECONDS)
        return {"missing": self._missing(), "settled_ms": now_ms()}

    async def traffic(self) -> dict[str, Any]:
        """Frames and bytes received since the snapshots."""
        return {"frames": self._tally.frames, "bytes": self._tally.bytes}

    async def report(self) -> dict[str, Any]:
        """Everything this process counted, and the verdict on what its parsing screens show."""
        tally = self._tally
        seen: dict[str, dict[str, Said]] = {}
        verdicts = []
        for turn in range(0, len(self._parsers()), self._load.lots):  # one verdict per full set of lots
            seen = {parser.lot: parser.view.bays for parser in self._parsers()[turn : turn + self._load.lots]}
            verdicts.append(self._judge("screen", seen).as_json())
        return {
            "latency": tally.latencies.summary(),
            "missing": self._missing(),
            "frames": tally.frames,
            "bytes": tally.bytes,
            "faults": tally.faults,
            "fault_examples": tally.fault_examples,
            "verdicts": verdicts,
        }

    async def look(self) -> dict[str, Any]:
        """The verdict on fresh snapshots, as a screen sees them that has just been switched on."""
        gate = asyncio.Semaphore(OPENING_MAX)
        lots = sorted({screen.lot for screen in self._screens})
        async with asyncio.timeout(OPENING_SECONDS):
            fresh = await asyncio.gather(*(self._open(lot, Parser, gate) for lot in lots))
        seen = {screen.lot: screen.view.bays for screen in fresh if isinstance(screen, Parser)}
        for screen in fresh:
            screen.leave()
        return self._judge("fresh snapshot", seen).as_json()

    def _judge(self, where: str, seen: dict[str, dict[str, Said]]) -> Verdict:
        """Compare the lots in `seen` with what their sensors said."""
        assert self._schedule is not None, "the gate needs `expect` first"
        said = self._schedule.newest_by_lot()
        return judge(where, {lot: said.get(lot, {}) for lot in seen}, seen, partial=self._load.continues)


async def main(arguments: dict[str, Any]) -> None:
    """Make room for the sockets, then answer commands; hang up when the runner has gone."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    load = Load(**arguments["load"])
    screens = Screens(arguments["http_port"], parse=arguments["parse"], load=load, total=arguments["total"])
    await serve(screens.connect, screens.expect, screens.settle, screens.traffic, screens.report, screens.look)
    screens.leave()


if __name__ == "__main__":
    uvloop.run(main(json.loads(sys.argv[1])))
