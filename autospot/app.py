"""A running AutoSpot: hub, API or both in one process, wired from settings."""

from __future__ import annotations

import asyncio
import gc
import resource
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from importlib.metadata import version

import structlog
from aiohttp import web
from prometheus_client import CollectorRegistry

from api.addresses import ClientAddresses
from api.app import ApiSettings, api_app
from api.auth import AccessTokens, Bearers
from api.connections import Door, listening
from api.health import Check, Health
from api.limits import rates_times
from api.mailbox import MailboxOperations, MailboxPages
from api.one_tap import OneTapPages
from autospot.background import Background
from autospot.clock import SystemClock
from autospot.domain.errors import AutoSpotError, Unavailable
from autospot.domain.instant import to_ms
from autospot.due_watch import DueWatch
from autospot.follower import Follower
from autospot.live import LiveLots
from autospot.parts import Parts, parts_of
from autospot.secret_file import default_file, kept_secret
from autospot.services.accounts.people import MailRoom, people
from autospot.services.keys import SecretKeys
from autospot.services.live_notices import LiveNotices
from autospot.services.postman import MailboxTransport, MailTransport, NoMailServer
from autospot.services.smtp import SmtpTransport, smtp_server
from autospot.settings import Settings
from autospot.storage import schema
from autospot.storage.due import DueRows
from autospot.storage.idempotency import IdempotencyKeys
from autospot.storage.mails import Mails
from autospot.storage.mongo import Database
from hub.app import Hub, HubSettings
from hub.screen import Visitor
from hub.shard import Shard
from hub.websocket import Authenticate, SocketLimits
from web.serve import serve_pages

DATABASE_WAIT_SECONDS = 60.0
"""How long a start waits for the database before it gives up: longer than a replica set takes to elect a primary."""

REASON_CHARACTERS = 120
"""Of what the driver says, which names the server; what comes after that is its own bookkeeping."""

SWITCH_SECONDS = 0.0002
"""How long a thread may keep the interpreter while another waits. The driver's threads need it three times for each
command; while the event loop is busy they wait that long each time. At 1 ms the eleven commands of a shared transaction
waited for longer than they took, and bookings were a tenth fewer; the live path does not care."""

COLLECT_AFTER = (5_000, 20, 20)
"""Objects gained before the cycle collector looks at the youngest, and how many looks before it looks at older ones. At
12,000 readings a second the defaults (700, 10, 10) took 7 % of the time, five times 35 to 50 ms in a row within 7 s."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Serving:
    """A program that serves. `failed` is set when a part of it died and it should stop."""

    url: str
    failed: asyncio.Event
    parts: Parts


@asynccontextmanager
async def serving(
    settings: Settings, *, with_hub: bool, with_api: bool, with_mailbox: bool = False
) -> AsyncIterator[Serving]:
    """Runs the wanted programs; entered once ready, left once everything is written and closed.

    `with_mailbox` keeps outgoing mail for all to read instead of sending it: for demonstrations.
    """
    _allow_many_files()
    sys.setswitchinterval(SWITCH_SECONDS)
    background, clock, registry = Background(), SystemClock(), CollectorRegistry()
    async with prepared_database(settings) as database, background:
        keys, mails = _secret_keys(settings), Mails(database)
        transport = MailboxTransport(mails, clock) if with_mailbox else _mail_transport(settings)
        site = settings.site_url or f"http://{settings.http_host}:{settings.http_port}"
        persons = people(database, keys, clock, MailRoom(transport, settings.mail_sender, site))
        tokens, hub_settings = AccessTokens(keys, clock), _hub_settings(settings)
        bearers = Bearers(tokens, persons.revocations, persons.api_keys)
        follower = Follower(LiveLots(), database, clock)
        parts = parts_of(database, follower, persons, keys, clock, settings)
        checks: dict[str, Check] = {"database": database.ping, "feed": follower.check}
        resources: list[object] = [Health(checks, registry)]
        if with_api:
            resources += parts.resources(tokens)
        if with_mailbox:
            resources.append(MailboxOperations(mails))
        app = api_app(
            resources,
            authenticate=bearers.principal,
            keys=IdempotencyKeys(database),
            clock=clock,
            registry=registry,
            settings=ApiSettings(
                settings.trusted_proxies, sorted(settings.allowed_origins), rates_times(settings.rate_factor)
            ),
        )
        if with_hub:
            hub = Hub(database, follower, background, clock, _visitors(bearers), registry, hub_settings)
            hub.serve_on(app)
            checks["broker"] = hub.broker.check
            persons.revocations.on_session_revoked(lambda session_id: hub.sockets.close_sessions([session_id]))
            live_notices = LiveNotices(parts.notices, clock, persons.signals, hub.sockets.tell_user)
            background.start("live_notices", live_notices.run())
        if with_api:
            serve_pages(app)
            OneTapPages(parts.office.one_tap).serve_on(app)
        if with_mailbox:
            MailboxPages(mails).serve_on(app)
        background.start("follower", follower.run())
        background.start("signals", persons.signals.run())
        background.start("revocations", persons.revocations.run())
        if with_api:
            await _begin_dues(parts, background)
            background.start("due_watch", DueWatch(DueRows(database), clock, registry).run())
        if with_hub and hub_settings.shard.index == 0:  # one attendant is enough; its effects happen once in any case
            attendant = parts.office.attendant
            follower.on_event.append(attendant.hear)
            follower.on_loaded.append(attendant.lose)
            background.start("attendant", attendant.run())
        try:
            async with _open_door(app, settings) as door:
                _settle_memory()
                yield Serving(_url(settings.http_host, door.port), background.failed, parts)
        finally:
            await background.stop()
            persons.passwords.close()
            await parts.gateways.close()


async def _begin_dues(parts: Parts, background: Background) -> None:
    await parts.office.keeper.begin()
    await parts.cashier.auditor.plan()
    await parts.invoicing.begin()
    background.start("clockwork", parts.people.clockwork.run())


@asynccontextmanager
async def _open_door(app: web.Application, settings: Settings) -> AsyncIterator[Door]:
    async with AsyncExitStack() as stack:
        try:
            door = await stack.enter_async_context(listening(app, settings.http_host, settings.http_port))
        except OSError as error:
            where = _url(settings.http_host, settings.http_port)
            raise AutoSpotError(f"cannot listen at {where}: {error.strerror}", code="port_busy") from error
        yield door


def _visitors(bearers: Bearers) -> Authenticate:
    async def visitor(token: str) -> Visitor:
        proof = await bearers.proof(token)
        return Visitor(proof.principal.user_id, proof.principal.session_id, to_ms(proof.expires_at))

    return visitor


def _secret_keys(settings: Settings) -> SecretKeys:
    if settings.secret_key is not None:
        newest = settings.secret_key.get_secret_value()
    else:
        newest = kept_secret(default_file())
        log.warning("no_secret_key_set", kept_in=str(default_file()), setting="AUTOSPOT_SECRET_KEY")
    return SecretKeys((newest, *(secret.get_secret_value() for secret in settings.previous_secret_keys)))


def _mail_transport(settings: Settings) -> MailTransport:
    return NoMailServer() if settings.smtp_url is None else SmtpTransport(smtp_server(settings.smtp_url))


def _url(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _settle_memory() -> None:
    """What was loaded lives as long as the process: the collector need not look at it again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)


def _allow_many_files() -> None:
    """A screen is a file descriptor; the usual soft limit of 1,024 is from another time."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


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
        except Unavailable as error:
            if asyncio.get_running_loop().time() > deadline:
                raise
            log.warning("waiting_for_database", reason=str(error.__cause__)[:REASON_CHARACTERS])
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
        address_of=ClientAddresses(settings.trusted_proxies).of,
    )
