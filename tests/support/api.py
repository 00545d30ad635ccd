"""An API server inside the test: any resources, real sockets."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

import aiohttp
import orjson
import structlog
from aiohttp import web
from prometheus_client import CollectorRegistry

from api.app import ApiSettings, api_app
from api.connections import ConnectionLimits, Door, listening
from api.limits import NO_RATES, LimitClass, Rates
from autospot.clock import Clock, SetClock
from autospot.domain.access import Principal, Role, Scope
from autospot.domain.errors import Unauthenticated
from autospot.storage.idempotency import IdempotencyKeys

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def token(user: str = "usr_1", *roles: Role, lots: Sequence[str] = (), scopes: Sequence[Scope] = ()) -> str:
    """A token that `tokens_for_tests` takes: whose it is stands in it."""
    kind = "api_key" if scopes else "user"
    return "/".join((kind, user, "+".join(roles), "+".join(lots), "+".join(scopes)))


def bearer(user: str = "usr_1", *roles: Role, **more: Any) -> dict[str, str]:
    """The header for `token(...)`; a driver unless roles or scopes are named."""
    return {"Authorization": f"Bearer {token(user, *(roles or ((Role.DRIVER,) if not more else ())), **more)}"}


async def tokens_for_tests(text: str) -> Principal:
    """Knows everybody whose token was made by `token`."""
    match text.split("/"):
        case ["user" | "api_key" as kind, user, roles, lots, scopes]:
            return Principal(
                user,
                frozenset(Role(each) for each in roles.split("+") if each),
                frozenset(each for each in lots.split("+") if each),
                frozenset(Scope(each) for each in scopes.split("+") if each),
                kind=kind,  # type: ignore[arg-type]
            )
    raise Unauthenticated("not a test token")


@dataclass
class RunningApi:
    """A server and a client of it."""

    door: Door
    client: aiohttp.ClientSession
    app: web.Application
    registry: CollectorRegistry

    @property
    def port(self) -> int:
        """Where it listens."""
        return self.door.port

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    async def call(self, method: str, path: str, **more: Any) -> Answer:
        """Sends one request and reads the answer."""
        async with self.client.request(method, self.url + path, allow_redirects=False, **more) as response:
            return Answer(response.status, response.headers, await response.read())


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, which must be JSON of some kind."""
        assert "json" in self.headers["Content-Type"], self.body
        return orjson.loads(self.body)

    @property
    def code(self) -> str:
        """The code of a problem."""
        assert self.headers["Content-Type"] == "application/problem+json", self.body
        return cast(str, self.json["code"])


@asynccontextmanager
async def running_api(
    *resources: object,
    keys: IdempotencyKeys | None = None,
    clock: Clock | None = None,
    rates: Mapping[LimitClass, Rates] = NO_RATES,
    trusted_proxies: Sequence[str] = (),
    cors_origins: Sequence[str] = (),
    limits: ConnectionLimits = ConnectionLimits(),  # noqa: B008 - frozen
    routes: Sequence[web.RouteDef] = (),
) -> AsyncIterator[RunningApi]:
    """Serves `resources`, and `routes` beside them, on a free port. Not limited unless `rates` says so."""
    # The default renders a failure with every local variable, which takes seconds of a test's time.
    structlog.configure(processors=[structlog.processors.format_exc_info, structlog.processors.LogfmtRenderer()])
    registry = CollectorRegistry()
    app = api_app(
        resources,
        authenticate=tokens_for_tests,
        keys=cast(IdempotencyKeys, keys),
        clock=clock or SetClock(NOON),
        registry=registry,
        settings=ApiSettings(trusted_proxies=trusted_proxies, cors_origins=cors_origins, rates=rates),
    )
    app.add_routes(routes)
    async with listening(app, "127.0.0.1", 0, limits) as door, aiohttp.ClientSession() as client:
        yield RunningApi(door, client, app, registry)
