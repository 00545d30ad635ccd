"""A whole hub inside the test: real MongoDB, real broker, real sockets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import aiohttp
import aiomqtt
from aiohttp import web
from prometheus_client import CollectorRegistry

from autospot.background import Background
from autospot.clock import SystemClock
from autospot.domain.errors import Unauthenticated
from autospot.domain.lot import Lot
from autospot.follower import Follower
from autospot.live import LiveLots
from autospot.storage import schema
from autospot.storage.lots import Lots
from autospot.storage.mongo import Database
from hub.app import Hub, HubSettings
from hub.screen import Visitor
from hub.shard import Shard
from hub.websocket import SocketLimits
from tests.support.services import eventually


@dataclass(frozen=True)
class Servers:
    """What a hub stands on: a MongoDB, a database of the test's own, a broker."""

    mongo_url: str
    db_name: str
    mqtt_url: str


@dataclass
class RunningHub:
    """A hub and what a test may look at."""

    url: str
    hub: Hub
    live: LiveLots
    database: Database
    registry: CollectorRegistry

    async def put(self, *lots: Lot) -> None:
        """Stores lots and waits until the hub serves them."""
        store = Lots(self.database)
        for lot in lots:
            version = await store.save(lot, SystemClock().now())
            await eventually(
                lambda lot=lot, version=version: (known := self.live.lot(lot.lot)) and known.layout.version >= version,
                what=f"the hub takes up lot {lot.lot}",
            )

    def count(self, metric: str, **labels: str) -> float:
        """The present value of a metric."""
        return self.registry.get_sample_value(metric, labels) or 0.0


async def tokens_for_tests(token: str) -> Visitor:
    """Signs in `user:<id>:<session>:<expires_ms>`; anything else does not hold."""
    match token.split(":"):
        case ["user", user_id, session_id, expires_ms]:
            return Visitor(user_id, session_id, int(expires_ms))
    raise Unauthenticated("not a test token")


@asynccontextmanager
async def running_hub(
    servers: Servers,
    lots: Iterable[Lot] = (),
    *,
    shard: Shard = Shard(),  # noqa: B008 - frozen
    limits: SocketLimits = SocketLimits(),  # noqa: B008 - frozen
) -> AsyncIterator[RunningHub]:
    """Starts a hub with `lots` already stored; ready, connected and subscribed when entered."""
    database = Database(servers.mongo_url, servers.db_name)
    await database.prepare(schema.DECLARED)
    store = Lots(database)
    for lot in lots:
        await store.save(lot, SystemClock().now())
    registry, background, clock = CollectorRegistry(), Background(), SystemClock()
    follower = Follower(LiveLots(), database, clock)
    hub = Hub(
        database,
        follower,
        background,
        clock,
        tokens_for_tests,
        registry,
        HubSettings(servers.mqtt_url, shard=shard, limits=limits),
    )
    background.start("follower", follower.run())
    app = web.Application()
    hub.serve_on(app)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, backlog=1024)
    await site.start()
    port = runner.addresses[0][1]
    try:
        await asyncio.wait_for(hub.broker.connected.wait(), 10)
        yield RunningHub(f"http://127.0.0.1:{port}", hub, follower.live, database, registry)
        assert not background.failed.is_set(), "a background task died"
    finally:
        await runner.cleanup()
        await background.stop()
        database.close()


@asynccontextmanager
async def sensors(mqtt_url: str) -> AsyncIterator[aiomqtt.Client]:
    """A publisher that stands for any sensor."""
    address = mqtt_url.removeprefix("mqtt://")
    host, _, port = address.rpartition(":")
    async with aiomqtt.Client(host, int(port), max_inflight_messages=1000, max_queued_outgoing_messages=0) as client:
        yield client


def reading(occupied: bool | None, at: str | None = None, **fields: Any) -> bytes:
    """A native reading."""
    body = {"occupied": occupied, "at": at, **fields}
    return json.dumps({key: value for key, value in body.items() if value is not None}).encode()


@dataclass
class Watcher:
    """A client that follows the contract's rules by itself: an independent check of what the hub sends.

    `lots` is what it knows: `{lot: {"epoch", "rev", "bays", "counts"}}`; `frames` every message, newest last.
    """

    socket: aiohttp.ClientWebSocketResponse
    lots: dict[str, dict[str, Any]] = field(default_factory=dict)
    frames: list[dict[str, Any]] = field(default_factory=list)
    gaps: int = 0
    _session: aiohttp.ClientSession | None = None
    _reader: asyncio.Task[None] | None = None

    @classmethod
    async def connect(cls, url: str, *subscriptions: str | dict[str, Any], token: str | None = None) -> Self:
        """Connects, says hello with `subscriptions` (lot codes, or whole wishes) and begins to read."""
        session = aiohttp.ClientSession()
        try:
            socket = await session.ws_connect(f"{url}/v1/live", protocols=("autospot.v1",), max_msg_size=0)
        except BaseException:
            await session.close()
            raise
        watcher = cls(socket, _session=session)
        wishes = [{"lot": wish} if isinstance(wish, str) else wish for wish in subscriptions]
        hello = {"type": "hello", "client": "tests/1", "subscriptions": wishes}
        await socket.send_json(hello if token is None else {**hello, "token": token})
        watcher._reader = asyncio.create_task(watcher._read())
        return watcher

    async def say(self, **message: Any) -> None:
        await self.socket.send_json(message)

    async def _read(self) -> None:
        async for message in self.socket:
            if message.type is aiohttp.WSMsgType.TEXT:
                self.take(json.loads(message.data))

    def take(self, frame: dict[str, Any]) -> None:
        """Applies one frame by the rules of the contract."""
        self.frames.append(frame)
        if frame["type"] == "snapshot":
            self.lots[frame["lot"]] = {key: frame[key] for key in ("epoch", "rev", "bays", "counts")}
        elif frame["type"] == "delta":
            known = self.lots.setdefault(frame["lot"], {"epoch": frame["epoch"], "rev": frame["from"], "bays": {}})
            if frame["epoch"] != known["epoch"] or frame["from"] > known["rev"]:
                self.gaps += 1
                return
            known["bays"].update(frame["bays"])
            known["rev"], known["counts"] = max(known["rev"], frame["rev"]), frame["counts"]

    def state(self, lot: str, bay: str) -> str | None:
        """What this client shows for a bay."""
        known = self.lots.get(lot, {}).get("bays", {}).get(bay)
        return None if known is None else known["state"]

    def of_type(self, kind: str) -> list[dict[str, Any]]:
        return [frame for frame in self.frames if frame["type"] == kind]

    async def close(self) -> None:
        await self.socket.close()
        if self._reader is not None:
            self._reader.cancel()
            await asyncio.gather(self._reader, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        await self.close()
