"""Drivers who ask which bay: keep-alive connections in their own process that ask one question again and again.

    python -m bench.advice_load '{"port": 8080, "lot": "L000", "connections": 16, "start": "…", "until": "…"}'

A closed loop. Command: `ask` (`warmup_seconds`, `seconds`).
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import Counter
from typing import Any

import uvloop

from bench.booking_load import Client
from bench.latency import Latencies
from bench.worker import serve


class Askers:
    """All connections of the process."""

    def __init__(self, clients: list[Client], request: bytes) -> None:
        self._clients = clients
        self._request = request
        self._latencies: Latencies | None = None
        self._asking = False
        self._answers: Counter[int] = Counter()
        self._best = ""

    async def ask(self, warmup_seconds: float, seconds: float) -> dict[str, Any]:
        """Ask without pause; answers of the warm-up are not counted. `best` is the bay that was told last."""
        self._asking = True
        working = [asyncio.create_task(self._keep_asking(client)) for client in self._clients]
        await asyncio.sleep(warmup_seconds)
        latencies = self._latencies = Latencies()
        began = time.perf_counter()
        await asyncio.sleep(seconds)
        took = time.perf_counter() - began
        self._asking, self._latencies = False, None
        await asyncio.gather(*working)
        told = {"latency": latencies.summary(), "answers": dict(self._answers), "best": self._best}
        return {"per_second": latencies.count / took, **told}

    async def _keep_asking(self, client: Client) -> None:
        while self._asking:
            began = time.perf_counter()
            status, body = await client.ask(self._request)
            self._answers[status] += 1
            if self._latencies is not None:
                self._latencies.record(int((time.perf_counter() - began) * 1_000_000))
            self._best = body.decode(errors="replace")


def advice_request(lot: str, start: str, until: str, port: int) -> bytes:
    """`POST /v1/lots/{lot}/recommendations` as bytes: three bays for a stay."""
    body = json.dumps({"kind": "general", "from": start, "until": until}).encode()
    head = (
        f"POST /v1/lots/{lot}/recommendations HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def main(arguments: dict[str, Any]) -> None:
    """Connect, then answer commands."""
    port, loop = arguments["port"], asyncio.get_running_loop()
    request = advice_request(arguments["lot"], arguments["start"], arguments["until"], port)
    clients = [(await loop.create_connection(Client, "127.0.0.1", port))[1] for _ in range(arguments["connections"])]
    await serve(Askers(clients, request).ask)


if __name__ == "__main__":
    uvloop.run(main(json.loads(sys.argv[1])))
