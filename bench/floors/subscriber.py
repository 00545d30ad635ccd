"""The broker alone: publish to subscribe, without a hub.

    python -m bench.floors.subscriber '{"port": 1883, "load": {...}}'

A QoS 1 subscriber on a bare socket that acknowledges each burst in one write. Commands: `expect` (`start_ms`), `settle`
(`within_seconds`), `report`.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any, Final, cast

import msgspec
import uvloop

from bench.latency import Latencies
from bench.mqtt_wire import (
    CONNACK_ACCEPTED,
    SUBACK_QOS1,
    PublishReader,
    connect_packet,
    puback_packet,
    subscribe_packet,
)
from bench.schedule import Load, Schedule, instant_ms
from bench.worker import now_ms, serve

SETTLE_POLL_SECONDS: Final = 0.01


class _Reading(msgspec.Struct):
    at: str


_decode = msgspec.json.Decoder(_Reading).decode


class Subscriber(asyncio.Protocol):
    """Receives every reading of a run once and records how late it came."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._first_measured_ms = 0
        self._missing = load.readings
        self._latencies = Latencies()
        self._reader = PublishReader()
        self._transport: asyncio.Transport | None = None
        self._greeting = b""
        self.subscribed = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Connect and subscribe."""
        self._transport = cast("asyncio.Transport", transport)
        self._transport.write(connect_packet("bench-floor") + subscribe_packet("autospot/v1/+/+/reading"))

    def data_received(self, data: bytes) -> None:
        """Record and acknowledge one burst. Raises WireError when the broker sends anything unexpected."""
        if not self.subscribed.is_set():
            self._greeting += data
            if self._greeting == CONNACK_ACCEPTED + SUBACK_QOS1:
                self.subscribed.set()
            return
        now = now_ms()
        acks = []
        for packet_id, payload in self._reader.feed(data):
            acks.append(puback_packet(packet_id))
            at_ms = instant_ms(_decode(payload).at)
            self._missing -= 1
            if at_ms >= self._first_measured_ms:
                self._latencies.record(int((now - at_ms) * 1000))
        assert self._transport is not None
        self._transport.write(b"".join(acks))

    async def expect(self, start_ms: int) -> dict[str, Any]:
        """Readings of the warm-up are not recorded."""
        self._first_measured_ms = Schedule(self._load, start_ms).due_ms(self._load.first_measured)
        return {"expected": self._missing}

    async def settle(self, within_seconds: float) -> dict[str, Any]:
        """Wait until every reading has come, at most so long."""
        give_up_ms = now_ms() + within_seconds * 1000
        while self._missing and now_ms() < give_up_ms:  # noqa: ASYNC110 (an event would be looked at for every burst)
            await asyncio.sleep(SETTLE_POLL_SECONDS)
        return {"missing": self._missing}

    async def report(self) -> dict[str, Any]:
        """What was recorded."""
        return {"latency": self._latencies.summary(), "missing": self._missing}


async def main(arguments: dict[str, Any]) -> None:
    """Subscribe, then answer commands."""
    loop = asyncio.get_running_loop()
    load = Load(**arguments["load"])
    _, subscriber = await loop.create_connection(lambda: Subscriber(load), "127.0.0.1", arguments["port"])
    await asyncio.wait_for(subscriber.subscribed.wait(), 10)
    await serve(subscriber.expect, subscriber.settle, subscriber.report)


if __name__ == "__main__":
    uvloop.run(main(json.loads(sys.argv[1])))
