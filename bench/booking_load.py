"""Clients that book: keep-alive connections in their own process, each with one request in flight.

    python -m bench.booking_load '{"port": 8080, "connections": 32, "asks": {...}, "tokens": "tokens.json"}'

A closed loop: a client books again as soon as it is answered. Command: `book` (`warmup_seconds`, `seconds`).
"""

from __future__ import annotations

import asyncio
import json
import re
import secrets
import sys
import time
from collections import Counter
from itertools import count
from pathlib import Path
from typing import Any, Final, cast

import uvloop

from bench.booking_plan import Ask, Asks
from bench.latency import Latencies
from bench.worker import serve

ANSWER_SECONDS: Final = 20.0
"""How long the last answers may take after the clients stopped asking."""

_LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)
_BOOKING: Final = re.compile(rb'"id":"(bkg_[0-9a-f]{32})"')


class Client(asyncio.Protocol):
    """One connection with one question at a time; `ask` returns status and body of its answer."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._received = b""
        self._answer: asyncio.Future[tuple[int, bytes]] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ready to ask."""
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, error: Exception | None) -> None:
        """Whoever waits for an answer is told."""
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error or ConnectionResetError("closed before the answer"))

    async def ask(self, request: bytes) -> tuple[int, bytes]:
        """Sends a request and waits for the whole answer."""
        assert self._transport is not None
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._answer

    def data_received(self, data: bytes) -> None:
        """Collects an answer up to its length."""
        self._received += data
        end = self._received.find(b"\r\n\r\n")
        if end < 0:
            return
        length = _LENGTH.search(self._received, 0, end + 4)
        whole = end + 4 + (int(length[1]) if length else 0)
        if len(self._received) >= whole and self._answer is not None:
            status, body = int(self._received[9:12]), self._received[end + 4 : whole]
            self._received = self._received[whole:]
            self._answer.set_result((status, body))


class Clients:
    """All clients of the process. Numbers are taken in order, each once."""

    def __init__(self, clients: list[Client], asks: Asks, tokens: list[str], port: int) -> None:
        self._clients = clients
        self._asks = asks
        self._tokens = tokens
        self._port = port
        self._numbers = count()
        self._latencies: Latencies | None = None
        self._asking = False
        self._acknowledged: list[str] = []
        self._refused: Counter[str] = Counter()

    async def book(self, warmup_seconds: float, seconds: float) -> dict[str, Any]:
        """Book without pause; answers of the warm-up are not counted, but all acknowledged ids are told."""
        self._asking = True
        working = [asyncio.create_task(self._keep_booking(client)) for client in self._clients]
        await asyncio.sleep(warmup_seconds)
        latencies = self._latencies = Latencies()
        began = time.perf_counter()
        await asyncio.sleep(seconds)
        took = time.perf_counter() - began
        self._asking, self._latencies = False, None
        await asyncio.wait_for(asyncio.gather(*working), ANSWER_SECONDS)
        return {
            "per_second": latencies.count / took,
            "latency": latencies.summary(),
            "acknowledged": self._acknowledged,
            "refused": dict(self._refused),
        }

    async def _keep_booking(self, client: Client) -> None:
        while self._asking:
            number = next(self._numbers)
            if number >= self._asks.limit:
                self._refused["nothing left to ask for"] += 1
                return
            ask = self._asks.ask(number)
            request = booking_request(ask, self._tokens[ask.driver], self._port)
            began = time.perf_counter()
            status, body = await client.ask(request)
            made = _BOOKING.search(body)
            if status == 201 and made is not None:
                self._acknowledged.append(made[1].decode())
                if self._latencies is not None:
                    self._latencies.record(int((time.perf_counter() - began) * 1_000_000))
            else:
                self._refused[f"{status} {body[:200].decode(errors='replace')}"] += 1


def booking_request(ask: Ask, token: str, port: int) -> bytes:
    """`POST /v1/bookings` as bytes, with a key of its own."""
    start, until = ask.start.isoformat(), ask.until.isoformat()
    wanted = {"lot": ask.lot, "bay": ask.bay, "from": start, "until": until, "payment": "wallet"}
    body = json.dumps(wanted).encode()
    head = (
        f"POST /v1/bookings HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {token}\r\n"
        f"Idempotency-Key: {secrets.token_hex(16)}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def main(arguments: dict[str, Any]) -> None:
    """Connect, then answer commands."""
    port = arguments["port"]
    tokens = json.loads(await asyncio.to_thread(Path(arguments["tokens"]).read_text))
    loop = asyncio.get_running_loop()
    clients = [(await loop.create_connection(Client, "127.0.0.1", port))[1] for _ in range(arguments["connections"])]
    await serve(Clients(clients, Asks.from_json(arguments["asks"]), tokens, port).book)


if __name__ == "__main__":
    uvloop.run(main(json.loads(sys.argv[1])))
