"""The hub, wired together: what is started in which order, and what stops in reverse."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field

from aiohttp import web
from prometheus_client import CollectorRegistry

from autospot.background import Background
from autospot.clock import Clock
from autospot.domain.lot import Lot
from autospot.follower import Follower
from autospot.storage.bays import Bays
from autospot.storage.dead_letters import DeadLetters
from autospot.storage.history import BayHistory
from autospot.storage.marks import Marks
from autospot.storage.mongo import Database
from hub.budget import Budget
from hub.fanout import Fanout
from hub.ingest import Ingest
from hub.metrics import HubMetrics
from hub.mqtt import Broker, BrokerAddress
from hub.projector import BayProjector, HistoryProjector
from hub.sensors import SensorTable
from hub.shard import Shard
from hub.signs import Signs
from hub.websocket import Authenticate, LiveSockets, SocketLimits

SHARED_TOPICS = ("application/+/device/+/event/+", "v3/+/devices/+/up")
"""LoRaWAN network servers do not know lots: every hub hears them and leaves alone what is not its own."""


def _peer(request: web.Request) -> str:
    return request.remote or ""


@dataclass(frozen=True, slots=True)
class HubSettings:
    """What an operator may choose about the hub. `address_of` tells whose a connection is; the peer's address, unless
    there are proxies between."""

    mqtt_url: str
    shard: Shard = field(default_factory=Shard)
    limits: SocketLimits = field(default_factory=SocketLimits)
    version: str = "autospot"
    address_of: Callable[[web.Request], str] = _peer


class Hub:
    """Readings in, live state out. `sockets` is also how services reach a signed-in driver."""

    def __init__(
        self,
        database: Database,
        follower: Follower,
        background: Background,
        clock: Clock,
        authenticate: Authenticate,
        registry: CollectorRegistry,
        settings: HubSettings,
    ) -> None:
        self._follower = follower
        self._background = background
        self._shard = settings.shard
        live, marks = follower.live, Marks(database)
        metrics = HubMetrics(registry)
        self.sensors = SensorTable(settings.shard)
        self.broker = Broker(
            BrokerAddress.parse(settings.mqtt_url), f"autospot-{settings.shard.name.replace('/', '-')}", self._topics
        )
        self.ingest = Ingest(
            settings.shard.name, self.broker, self.sensors, follower.feed, DeadLetters(database), clock, metrics
        )
        budget, bays = Budget(), Bays(database)
        self.projector = BayProjector(settings.shard, live, self.sensors, bays, marks, clock, metrics, budget)
        self.history = HistoryProjector(settings.shard, follower.feed, BayHistory(database), marks, clock, budget)
        self.fanout = Fanout(live, clock, metrics)
        self.sockets = LiveSockets(
            live,
            self.fanout,
            clock,
            metrics,
            authenticate,
            settings.limits,
            settings.version,
            settings.address_of,
        )
        self.signs = Signs(settings.shard, live, clock, self.broker.publish_retained)
        self._listen()

    def _listen(self) -> None:
        follower = self._follower
        follower.on_layout.append(self._take_layout)
        follower.on_stored.append(self.sensors.restore)
        follower.on_replayed.append(self.sensors.replay)
        follower.on_loaded.append(self.projector.begin)
        follower.live.listen(self.projector.changed)
        self.ingest.on_heard.append(self.projector.heard)
        self.broker.on_subscribed.append(self.signs.say_everything)

    def _take_layout(self, layout: Lot) -> None:
        self.sensors.put_layout(layout)
        if self._shard.count > 1 and self.broker.connected.is_set():
            self.broker.subscribe()

    def _topics(self) -> Sequence[str]:
        lots = ["+"] if self._shard.count == 1 else sorted(self.sensors.lots())
        native = [
            f"autospot/v1/{lot}/{rest}" for lot in lots for rest in ("+/reading", "+/status", "gateways/+/status")
        ]
        return [*native, *SHARED_TOPICS]

    async def run(self, _app: web.Application) -> AsyncIterator[None]:
        """An aiohttp cleanup context: begins once the follower has caught up, ends with everything written."""
        await self._follower.ready.wait()
        await self.ingest.recall()
        start = self._background.start
        start("projector", self.projector.run())
        start("history", self.history.run())
        start("fanout", self.fanout.run())
        start("sockets", self.sockets.run())
        start("signs", self.signs.run())
        start("ingest", self.ingest.run())
        start("silence", self.ingest.watch_silence())
        start("broker", self.broker.run())
        yield

    def serve_on(self, app: web.Application) -> None:
        """Adds the websocket to `app` and the hub's life to the application's."""
        app.router.add_get("/v1/live", self.sockets.serve)
        app.cleanup_ctx.append(self.run)
        app.on_shutdown.append(self._say_goodbye)  # before the server waits for its open connections to end

    async def _say_goodbye(self, _app: web.Application) -> None:
        self.sockets.close_all()
