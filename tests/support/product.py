"""The whole product inside the test: hub, API and pages on one port, on real servers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from aiohttp import web
from prometheus_client import CollectorRegistry

from api.app import ApiSettings, api_app
from api.connections import listening
from api.current import CurrentLots
from api.limits import NO_RATES
from api.lots import Lots as LotsResource
from autospot.background import Background
from autospot.clock import SystemClock
from autospot.domain.lot import Lot
from autospot.follower import Follower
from autospot.live import LiveLots
from autospot.storage import schema
from autospot.storage.history import BayHistory
from autospot.storage.idempotency import IdempotencyKeys
from autospot.storage.lots import Lots
from autospot.storage.mongo import Database
from hub.app import Hub, HubSettings
from hub.websocket import SocketLimits
from tests.support.api import tokens_for_tests as principals_for_tests
from tests.support.hub import Servers, tokens_for_tests
from tests.support.services import eventually
from web.serve import serve_pages


@dataclass
class RunningProduct:
    """A product and what a test may look at. Its `port` can be given to the next one, as if it had restarted."""

    port: int
    mqtt_url: str
    app: web.Application
    hub: Hub
    live: LiveLots
    database: Database

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def put(self, *lots: Lot) -> None:
        """Stores lots and waits until they are served."""
        for lot in lots:
            version = await Lots(self.database).save(lot, SystemClock().now())
            await eventually(
                lambda lot=lot, version=version: (known := self.live.lot(lot.lot)) and known.layout.version >= version,
                what=f"the hub takes up lot {lot.lot}",
            )

    def beat(self) -> None:
        """Sends every screen its beat now instead of within 15 s."""
        for screens in self.hub.sockets._slots:
            self.hub.sockets.look_after(screens)


@asynccontextmanager
async def running_product(
    servers: Servers, lots: Iterable[Lot] = (), *, port: int = 0, version: str = "autospot/test"
) -> AsyncIterator[RunningProduct]:
    """Starts everything with `lots` already stored; ready, connected and subscribed when entered."""
    database = Database(servers.mongo_url, servers.db_name)
    await database.prepare(schema.DECLARED)
    for lot in lots:
        # An hour ago: whoever resumes from just about the import is rightly given a snapshot, and no test means that.
        await Lots(database).save(lot, SystemClock().now() - timedelta(hours=1))
    registry, background, clock = CollectorRegistry(), Background(), SystemClock()
    follower = Follower(LiveLots(), database, clock)
    app = api_app(
        [LotsResource(CurrentLots(follower.live, clock, follower.ready.is_set), BayHistory(database))],
        authenticate=principals_for_tests,
        keys=IdempotencyKeys(database),
        clock=clock,
        registry=registry,
        settings=ApiSettings(rates=NO_RATES),
    )
    settings = HubSettings(servers.mqtt_url, limits=SocketLimits(per_address=1000), version=version)
    hub = Hub(database, follower, background, clock, tokens_for_tests, registry, settings)
    hub.serve_on(app)
    serve_pages(app)
    background.start("follower", follower.run())
    try:
        async with listening(app, "127.0.0.1", port, shutdown_seconds=1.0) as door:
            await asyncio.wait_for(hub.broker.connected.wait(), 10)
            yield RunningProduct(door.port, servers.mqtt_url, app, hub, follower.live, database)
            assert not background.failed.is_set(), "a background task died"
    finally:
        await background.stop()
        database.close()
