"""Proofs under load: sockets killed at random, hostile messages among good ones, readers that stall."""

from __future__ import annotations

import asyncio
import json
import random
import socket
import time
from contextlib import suppress
from typing import Any

import aiomqtt
import pytest

from hub.websocket import SocketLimits
from tests.support.hub import RunningHub, Servers, Watcher, reading, running_hub, sensors
from tests.support.lots import a_lot
from tests.support.services import eventually

MANY = SocketLimits(per_address=5_000)

pytestmark = pytest.mark.slow


def expected_views(hub: RunningHub, lot: str) -> dict[str, dict[str, Any]]:
    """The server's state, in the client's words."""
    return {bay.bay: bay.view() for bay in hub.live.lots[lot].bays.values()}


async def toggle(sensor: aiomqtt.Client, lots: list[str], bays: int, chance: random.Random) -> None:
    """Random readings, as fast as they are acknowledged."""
    lot, bay = chance.choice(lots), chance.randrange(bays)
    await sensor.publish(f"autospot/v1/{lot}/B{bay:05d}/reading", reading(chance.random() < 0.5), qos=1)


async def test_a_thousand_killed_sockets_leave_no_client_with_a_wrong_bay(servers: Servers) -> None:
    seed = random.SystemRandom().randrange(1_000_000)
    print(f"seed {seed}")
    chance = random.Random(seed)
    lots = ["k0", "k1"]
    async with running_hub(servers, limits=MANY) as hub, sensors(servers.mqtt_url) as sensor:
        await hub.put(*(a_lot(lot, bays=30) for lot in lots))
        stop = asyncio.Event()

        async def load() -> None:
            while not stop.is_set():
                await toggle(sensor, lots, 30, chance)

        async def client(known: dict[str, dict[str, Any]], kills: int, own: random.Random) -> None:
            """Lives through `kills` cut connections, resuming from what it knows each time."""
            for life in range(kills + 1):
                wishes = [{"lot": lot, **positions(known, lot)} for lot in lots]
                screen = await Watcher.connect(hub.url, *wishes)
                screen.lots.update(known)
                if life == kills:
                    await agree(hub, screen, stop)
                else:
                    await asyncio.sleep(own.uniform(0, 0.05))  # a life of random length, cut anywhere in a frame
                    cut(screen)
                known.update(screen.lots)
                assert screen.gaps == 0
                with suppress(ConnectionError):
                    await screen.close()

        loading = asyncio.create_task(load())
        async with asyncio.timeout(100):
            clients = [asyncio.create_task(client({}, 50, random.Random(seed + number))) for number in range(20)]
            await eventually(lambda: sum(task.done() for task in clients) >= 0 and hub.live.rev > 0)
            await asyncio.sleep(0)
            stopper = asyncio.create_task(stop_when_only_agreement_is_left(clients, stop))
            await asyncio.gather(*clients, stopper)
        await loading


async def stop_when_only_agreement_is_left(clients: list[asyncio.Task[None]], stop: asyncio.Event) -> None:
    """Load goes on while clients are being killed: about as long as fifty short lives take."""
    await asyncio.wait(clients, timeout=6)
    stop.set()


def positions(known: dict[str, dict[str, Any]], lot: str) -> dict[str, Any]:
    at = known.get(lot)
    return {} if at is None else {"epoch": at["epoch"], "rev": at["rev"]}


def cut(screen: Watcher) -> None:
    """The connection is gone, without a word."""
    transport = screen.socket._response.connection.transport  # type: ignore[union-attr]
    if transport is not None:
        transport.abort()


async def agree(hub: RunningHub, screen: Watcher, stop: asyncio.Event) -> None:
    await stop.wait()
    for lot in ("k0", "k1"):
        await eventually(
            lambda lot=lot: screen.lots[lot]["bays"] == expected_views(hub, lot),
            what=f"{lot} is right",
            deadline_seconds=10,
        )


HOSTILE = [
    b"",
    b"\x00",
    b"\xff" * 100,
    b"null",
    b"[]",
    b"{}",
    b'{"occupied": null}',
    b'{"occupied": "true"}',
    b'{"occupied": 1}',
    b'{"occupied": {"$ne": null}}',
    b'{"occupied": true, "at": "yesterday"}',
    b'{"occupied": true, "at": "2026-11-22T10:00:00"}',
    b'{"occupied": true, "seq": -1}',
    b'{"occupied": true, "seq": 1e400}',
    b'{"occupied": true, "battery": 7}',
    b'{"occupied": true, "kind": "explosion"}',
    b'{"occupied": true',
    b"[" * 5_000,
    b'{"occupied": true, "at": "' + b"9" * 10_000 + b'"}',
    b"x" * 17_000,
]


async def test_hostile_messages_among_good_ones(servers: Servers) -> None:
    good, bad, bays = 20_000, 2_000, 400
    async with (
        running_hub(servers, [a_lot("h1", bays=bays)]) as hub,
        sensors(servers.mqtt_url) as sensor,
    ):
        pending: set[asyncio.Task[None]] = set()
        for number in range(good + bad):
            if number % 11 == 10:
                body = HOSTILE[number // 11 % len(HOSTILE)]
            else:
                turn = number - number // 11
                body = reading(turn // bays % 2 == 0, boot=1, seq=turn // bays)
            bay = (number - number // 11) % bays
            publish = sensor.publish(f"autospot/v1/h1/B{bay:05d}/reading", body, qos=1, timeout=30)
            pending.add(asyncio.create_task(publish))
            if len(pending) >= 500:
                _, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.gather(*pending)

        async def judged() -> float:
            return sum(
                hub.count("autospot_readings_total", verdict=verdict)
                for verdict in ("changed", "unchanged", "witness", "late", "repeat", "health")
            )

        async def all_good_are_kept() -> bool:
            return await judged() >= good

        await eventually(all_good_are_kept, deadline_seconds=40)
        assert hub.count("autospot_readings_total", verdict="changed") == good
        letters = hub.database.collection("dead_letters")

        async def all_bad_are_kept() -> bool:
            return await letters.count_documents({}) == bad

        await eventually(all_bad_are_kept, deadline_seconds=20)
        assert await letters.count_documents({"reason": {"$in": [None, ""]}}) == 0
        final = "occupied" if (good // bays - 1) % 2 == 0 else "free"
        await eventually(lambda: {bay.state for bay in hub.live.lots["h1"].bays.values()} == {final})


class Stalled:
    """A client that upgrades, subscribes and then never reads again. Its receive buffer is small, so that the
    server's writes really stall."""

    def __init__(self, port: int, lot: str) -> None:
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self._socket.connect(("127.0.0.1", port))
        upgrade = (
            f"GET /v1/live HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
            "Sec-WebSocket-Protocol: autospot.v1\r\n\r\n"
        )
        hello = json.dumps({"type": "hello", "subscriptions": [{"lot": lot}]}).encode()
        frame = bytes([0x81, 0x80 | len(hello)]) + b"\0\0\0\0" + hello
        self._socket.sendall(upgrade.encode() + frame)

    def close(self) -> None:
        self._socket.close()


async def test_fifty_stalled_readers_among_five_hundred_harm_nobody_else(
    servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.fanout.CLOSE_AFTER_MS", 3_000)
    async with running_hub(servers, [a_lot("z1", bays=1000)], limits=MANY) as hub, sensors(servers.mqtt_url) as sensor:
        port = int(hub.url.rpartition(":")[2])
        stalled = [await asyncio.to_thread(Stalled, port, "z1") for _ in range(50)]
        watchers = [await Watcher.connect(hub.url, "z1") for _ in range(450)]
        await eventually(lambda: all(watcher.of_type("snapshot") for watcher in watchers), deadline_seconds=20)
        await eventually(lambda: hub.count("autospot_websockets") == 500)
        began = time.monotonic()
        closed = 0.0
        turn = 0
        while closed < 50 and time.monotonic() - began < 40:
            turn += 1
            for bay in range(0, 1000, 4):
                await sensor.publish(f"autospot/v1/z1/B{bay:05d}/reading", reading(turn % 2 == 0), qos=0)
            closed = hub.count("autospot_websocket_closes_total", code="4200")
            await asyncio.sleep(0.05)
        assert closed == 50, "the stalled ones are closed as too slow"
        for watcher in watchers:
            await eventually(lambda watcher=watcher: watcher.lots["z1"]["bays"] == expected_views(hub, "z1"))
            assert watcher.gaps == 0
            assert watcher.of_type("bye") == []
        await asyncio.gather(*(watcher.close() for watcher in watchers))
        for each in stalled:
            each.close()
