"""A running AutoSpot: hub, API or both in one process, wired from settings."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.metadata import version

import structlog
from aiohttp import web
from prometheus_client import CollectorRegistry

from autospot.background import Background
from autospot.clock import SystemClock
from autospot.domain.errors import Unauthenticated, Unavailable
from autospot.follower import Follower
from autospot.live import LiveLots
from autospot.settings import Settings
from autospot.storage import schema
from autospot.storage.mongo import Database
from hub.app import Hub, HubSettings
from hub.screen import Visitor
from hub.shard import Shard
from hub.websocket import SocketLimits

DATABASE_WAIT_SECONDS = 60.0
"""How long a start waits for the database before it gives up: longer than a replica set takes to elect a primary."""

LISTEN_BACKLOG = 4096

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Serving:
    """A program that serves. `failed` is set when a part of it died and it should stop."""

    url: str
    failed: asyncio.Event


@asynccontextmanager
async def serving(settings: Settings, *, with_hub: bool, with_api: bool) -> AsyncIterator[Serving]:
    """Runs the wanted programs; entered once ready, left once everything is written and closed."""
    database = Database(settings.mongo_url, settings.mongo_db)
    background, clock, registry = Background(), SystemClock(), CollectorRegistry()
    try:
        await _prepared(database)
        follower = Follower(LiveLots(), database, clock)
        app = web.Application()
        if with_hub:
            hub = Hub(database, follower, background, clock, _authenticate, registry, _hub_settings(settings))
            hub.serve_on(app)
        background.start("follower", follower.run())
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=5)
        await runner.setup()
        try:
            site = web.TCPSite(runner, settings.http_host, settings.http_port, backlog=LISTEN_BACKLOG)
            await site.start()
            # What was loaded lives as long as the process: the collector need not look at it again and again.
            gc.collect()
            gc.freeze()
            host, port = runner.addresses[0][:2]
            yield Serving(f"http://{host}:{port}", background.failed)
        finally:
            await runner.cleanup()
            await background.stop()
    finally:
        database.close()


async def _authenticate(token: str) -> Visitor:
    raise Unauthenticated("no accounts yet")


async def _prepared(database: Database) -> None:
    deadline = asyncio.get_running_loop().time() + DATABASE_WAIT_SECONDS
    while True:
        try:
            await database.ping()
            break
        except Unavailable:
            if asyncio.get_running_loop().time() > deadline:
                raise
            log.warning("waiting_for_database")
    await database.prepare(schema.DECLARED)


def _hub_settings(settings: Settings) -> HubSettings:
    return HubSettings(
        mqtt_url=settings.mqtt_url,
        shard=Shard.parse(settings.hub_shard),
        limits=SocketLimits(
            per_address=settings.sockets_per_address,
            per_user=settings.sockets_per_user,
            sockets=settings.sockets,
            origins=settings.allowed_origins,
        ),
        version=f"autospot/{version('autospot')}",
    )
