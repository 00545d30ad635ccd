"""Readers of REST: keep-alive connections that ask for one address again and again, in their own process.

    python -m bench.http_load '{"port": 8080, "path": "/v1/lots/L000/state", "connections": 16}'

A closed loop, like wrk: each connection asks as soon as it is answered. Command: `ask` (`warmup_seconds`, `seconds`).
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import time
from typing import Any, Final, cast

import uvloop

from bench.latency import Latencies
from bench.worker import serve

HEAD_BYTES_MAX: Final = 16_384
_LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)


class HttpReader(asyncio.Protocol):
    """One keep-alive connection. Any answer but 200 with a Content-Length ends it and is counted as refused."""

    def __init__(self, request: bytes) -> None:
        self._request = request
        self._transport: asyncio.Transport | None = None
        self._asked = 0.0
        self._head = b""
        self._body_left = 0
        self.latencies: Latencies | None = None
        self.refused = 0
        self.asking = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ready to ask."""
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, _: Exception | None) -> None:
        """Counted as refused while a question is open."""
        self._transport = None
        self.refused += self.asking

    def ask(self) -> None:
        """Send one request."""
        if self._transport is not None:
            self._asked = time.perf_counter()
            self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        """Count down to the end of the answer, then record it and ask again."""
        if self._body_left:
            self._body_left -= len(data)
        else:
            self._head += data
            end = self._head.find(b"\r\n\r\n")
            if end < 0 and len(self._head) < HEAD_BYTES_MAX:
                return
            length = _LENGTH.search(self._head, 0, end + 4)
            if length is None or not self._head.startswith(b"HTTP/1.1 200 "):
                self.refuse()
                return
            self._body_left = int(length[1]) - (len(self._head) - end - 4)
            self._head = b""
        if self._body_left == 0:
            self._answered()

    def refuse(self) -> None:
        """Give this connection up."""
        assert self._transport is not None
        self._transport.abort()

    def _answered(self) -> None:
        if self.latencies is not None:
            self.latencies.record(int((time.perf_counter() - self._asked) * 1_000_000))
        if self.asking:
            self.ask()


class Readers:
    """All connections of the process."""

    def __init__(self, readers: list[HttpReader]) -> None:
        self._readers = readers

    async def ask(self, warmup_seconds: float, seconds: float) -> dict[str, Any]:
        """Ask without pause; answers of the warm-up are not counted."""
        for reader in self._readers:
            reader.asking = True
            reader.ask()
        await asyncio.sleep(warmup_seconds)
        latencies = Latencies()
        for reader in self._readers:
            reader.latencies = latencies
        began = time.perf_counter()
        await asyncio.sleep(seconds)
        took = time.perf_counter() - began
        for reader in self._readers:
            reader.asking, reader.latencies = False, None
        refused = sum(reader.refused for reader in self._readers)
        return {"per_second": latencies.count / took, "latency": latencies.summary(), "refused": refused}


async def main(arguments: dict[str, Any]) -> None:
    """Connect, then answer commands."""
    port, path = arguments["port"], arguments["path"]
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAccept: application/json\r\n\r\n".encode()
    loop = asyncio.get_running_loop()
    readers = [
        (await loop.create_connection(lambda: HttpReader(request), "127.0.0.1", port))[1]
        for _ in range(arguments["connections"])
    ]
    await serve(Readers(readers).ask)


if __name__ == "__main__":
    uvloop.run(main(json.loads(sys.argv[1])))
