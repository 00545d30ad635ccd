"""The API as an aiohttp application: the one place where its parts are wired together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from aiohttp import web
from prometheus_client import CollectorRegistry

from api.addresses import ClientAddresses
from api.call import Authenticate, Edge
from api.contract import Contract, contract_of
from api.documents import DocumentPages, Documents
from api.endpoint import Endpoint
from api.envelope import ENVELOPE, Envelope
from api.inputs import BODY_BYTES_LIMIT
from api.limits import DEFAULT_RATES, LimitClass, RateLimits, Rates
from api.live_endpoint import LiveEndpoint, is_live
from api.metrics import RequestTally
from autospot.clock import Clock
from autospot.storage.idempotency import IdempotencyKeys

CONTRACT = web.AppKey("contract", Contract)


@dataclass(frozen=True, slots=True)
class ApiSettings:
    """What an operator may choose about the API's edge."""

    trusted_proxies: Sequence[str] = ()
    cors_origins: Sequence[str] = ()
    rates: Mapping[LimitClass, Rates] = field(default_factory=lambda: DEFAULT_RATES)


def api_app(
    resources: Sequence[object],
    *,
    authenticate: Authenticate,
    keys: IdempotencyKeys,
    clock: Clock,
    registry: CollectorRegistry,
    settings: ApiSettings = ApiSettings(),
) -> web.Application:
    """Every operation of `resources`, to be served by `api.connections.listening`. Callers may add routes of their own
    before that."""
    documents = Documents()
    contract = contract_of([*resources, documents])
    documents.publish(contract)
    edge = Edge(authenticate, RateLimits(settings.rates), ClientAddresses(settings.trusted_proxies), keys, clock)
    app = web.Application(client_max_size=BODY_BYTES_LIMIT)
    app[CONTRACT] = contract
    app[ENVELOPE] = Envelope(RequestTally(registry), settings.cors_origins)
    for bound in contract.values():
        serve = LiveEndpoint(bound).serve if is_live(bound) else Endpoint(bound, edge).serve
        app.router.add_route(bound.operation.method, bound.operation.path, serve)
        if bound.operation.method == "GET":
            app.router.add_route("HEAD", bound.operation.path, serve)
    DocumentPages(contract).serve_on(app)
    return app
