"""A running AutoSpot: hub, API or both in one process, wired from settings."""

from __future__ import annotations

import asyncio
import gc
import resource
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.metadata import version

import structlog
from aiohttp import web
from prometheus_client import CollectorRegistry

from api.app import ApiSettings, api_app
from api.connections import listening
from api.current import CurrentLots
from api.health import Check, Health
from api.lots import Lots
from autospot.background import Background
from autospot.clock import SystemClock
from autospot.domain.access import Principal
from autospot.domain.errors import Unauthenticated, Unavailable
from autospot.follower import Follower
from autospot.live import LiveLots
from autospot.settings import Settings
from autospot.storage import schema
from autospot.storage.history import BayHistory
from autospot.storage.idempotency import IdempotencyKeys
from autospot.storage.mongo import Database
from hub.app import Hub, HubSettings
from hub.screen import Visitor
from hub.shard import Shard
from hub.websocket import SocketLimits

DATABASE_WAIT_SECONDS = 60.0
"""How long a start waits for the database before it gives up: longer than a replica set takes to elect a primary."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Serving:
    """A program that serves. `failed` is set when a part of it died and it should stop."""

    url: str
    failed: asyncio.Event


@asynccontextmanager
async def serving(settings: Settings, *, with_hub: bool, with_api: bool) -> AsyncIterator[Serving]:
    """Runs the wanted programs; entered once ready, left once everything is written and closed."""
    _allow_many_files()
    background, clock, registry = Background(), SystemClock(), CollectorRegistry()
    async with prepared_database(settings) as database:
        follower = Follower(LiveLots(), database, clock)
        checks: dict[str, Check] = {"database": database.ping, "feed": follower.check}
        resources: list[object] = [Health(checks, registry)]
        if with_api:
            resources.append(Lots(CurrentLots(follower.live, clock, follower.ready.is_set), BayHistory(database)))
        app = api_app(
            resources,
            authenticate=_authenticate,
            keys=IdempotencyKeys(database),
            clock=clock,
            registry=registry,
            settings=ApiSettings(cors_origins=tuple(sorted(settings.allowed_origins))),
        )
        if with_hub:
            hub = Hub(database, follower, background, clock, _visitor, registry, _hub_settings(settings))
            hub.serve_on(app)
            checks["broker"] = hub.broker.check
        background.start("follower", follower.run())
        try:
            async with _listening(app, settings) as url:
                yield Serving(url, background.failed)
        finally:
            await background.stop()


@asynccontextmanager
async def _listening(app: web.Application, settings: Settings) -> AsyncIterator[str]:
    async with listening(app, settings.http_host, settings.http_port) as door:
        # What was loaded lives as long as the process: the collector need not look at it again and again.
        gc.collect()
        gc.freeze()
        host = f"[{settings.http_host}]" if ":" in settings.http_host else settings.http_host
        yield f"http://{host}:{door.port}"


def _allow_many_files() -> None:
    """A screen is a file descriptor; the usual soft limit of 1,024 is from another time."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


async def _authenticate(token: str) -> Principal:
    raise Unauthenticated("no accounts yet")


async def _visitor(token: str) -> Visitor:
    raise Unauthenticated("no accounts yet")


@asynccontextmanager
async def prepared_database(settings: Settings) -> AsyncIterator[Database]:
    """The database with every collection and index; `Unavailable` if it does not answer in `DATABASE_WAIT_SECONDS`."""
    database = Database(settings.mongo_url, settings.mongo_db)
    try:
        await _answering(database)
        await database.prepare(schema.DECLARED)
        yield database
    finally:
        database.close()


async def _answering(database: Database) -> None:
    deadline = asyncio.get_running_loop().time() + DATABASE_WAIT_SECONDS
    while True:
        try:
            await database.ping()
        except Unavailable:
            if asyncio.get_running_loop().time() > deadline:
                raise
            log.warning("waiting_for_database")
        else:
            return


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
