"""The fan-out alone: one prebuilt frame written to every socket in a plain loop, in a given rhythm.

    python -m bench.floors.bare_fanout '{"http_port": 8080, "frame_bytes": 600, "tick_seconds": 0.05}'

It upgrades whoever comes, answers the hello with an empty snapshot and knows no lots. Commands: `play` (`seconds`)
writes a frame per socket and tick and answers with the frames written and the processor time they took.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import time
from typing import Any, Final, cast

import uvloop

from bench.worker import serve
from bench.ws_wire import SUBPROTOCOL, TEXT, accept_for, server_frame

BACKLOG: Final = 4096
REQUEST_BYTES_MAX: Final = 16_384


class BareScreen(asyncio.Protocol):
    """The least a websocket server can do for one client."""

    def __init__(self, audience: list[asyncio.Transport]) -> None:
        self._audience = audience
        self._transport: asyncio.Transport | None = None
        self._head: bytes | None = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wait for the handshake."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Upgrade; then take any frame for a hello. Clients send nothing else in the seconds this lives."""
        assert self._transport is not None
        if self._head is None:
            self._transport.write(server_frame(TEXT, b'{"type":"welcome"}'))
            self._transport.write(server_frame(TEXT, b'{"type":"snapshot","bays":{}}'))
            self._audience.append(self._transport)
            return
        self._head += data
        if len(self._head) > REQUEST_BYTES_MAX:
            self._transport.abort()
        elif self._head.endswith(b"\r\n\r\n"):
            self._transport.write(_switching(self._head))
            self._head = None


def _switching(request: bytes) -> bytes:
    lines = (line.partition(":") for line in request.decode("latin-1").split("\r\n"))
    key = next(value.strip() for name, _, value in lines if name.lower() == "sec-websocket-key")
    return (
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Accept: {accept_for(key)}\r\nSec-WebSocket-Protocol: {SUBPROTOCOL}\r\n\r\n"
    ).encode()


class Loop:
    """The plain loop itself."""

    def __init__(self, audience: list[asyncio.Transport], frame_bytes: int, tick_seconds: float) -> None:
        self._audience = audience
        self._tick_seconds = tick_seconds
        self._frame = server_frame(TEXT, b" " * max(1, frame_bytes - 4))

    async def play(self, seconds: float) -> dict[str, Any]:
        """Write in rhythm for `seconds`; ticks that are missed are not made up for."""
        loop = asyncio.get_running_loop()
        frames, began, end = 0, time.process_time(), loop.time() + seconds
        while loop.time() < end:
            tick = loop.time()
            for transport in self._audience:
                transport.write(self._frame)
            frames += len(self._audience)
            await asyncio.sleep(max(0.0, tick + self._tick_seconds - loop.time()))
        return {"frames": frames, "cpu_seconds": time.process_time() - began}


async def main(arguments: dict[str, Any]) -> None:
    """Listen, then answer commands."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    audience: list[asyncio.Transport] = []
    loop = asyncio.get_running_loop()
    await loop.create_server(lambda: BareScreen(audience), "127.0.0.1", arguments["http_port"], backlog=BACKLOG)
    await serve(Loop(audience, arguments["frame_bytes"], arguments["tick_seconds"]).play)


if __name__ == "__main__":
    uvloop.run(main(json.loads(sys.argv[1])))
