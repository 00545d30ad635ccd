"""Requests are counted by what they were, and a client cannot make up what to count."""

from __future__ import annotations

from typing import cast

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from prometheus_client import CollectorRegistry, generate_latest

from api.metrics import RequestTally


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def tally(registry: CollectorRegistry) -> RequestTally:
    return RequestTally(registry)


async def request_to(path: str, method: str = "GET") -> web.Request:
    async def handler(request: web.Request) -> web.Response:
        return web.Response()

    app = web.Application()
    app.router.add_get("/v1/lots/{lot}", handler)
    request = make_mocked_request(method, path, app=app)
    request._match_info = await app.router.resolve(request)
    return cast(web.Request, request)


def value(registry: CollectorRegistry, name: str, **labels: str) -> float:
    return registry.get_sample_value(name, labels) or 0.0


async def test_all_lots_are_one_route(registry: CollectorRegistry, tally: RequestTally) -> None:
    for lot, seconds in (("a", 0.002), ("b", 0.2), ("c", 99.0)):
        tally.count(await request_to(f"/v1/lots/{lot}"), 200, seconds)
    labels = {"method": "GET", "route": "/v1/lots/{lot}", "status": "200"}

    assert value(registry, "autospot_http_request_seconds_count", **labels) == 3
    assert value(registry, "autospot_http_request_seconds_sum", **labels) == pytest.approx(99.202)
    assert value(registry, "autospot_http_request_seconds_bucket", **labels, le="0.0025") == 1
    assert value(registry, "autospot_http_request_seconds_bucket", **labels, le="0.25") == 2
    assert value(registry, "autospot_http_request_seconds_bucket", **labels, le="+Inf") == 3


async def test_made_up_paths_and_methods_count_as_other(registry: CollectorRegistry, tally: RequestTally) -> None:
    for number in range(100):
        tally.count(await request_to(f"/made/up/{number}", f"M{number}"), 404, 0.001)

    labels = {"method": "other", "route": "other", "status": "404"}
    assert value(registry, "autospot_http_request_seconds_count", **labels) == 100
    assert generate_latest(registry).count(b"_count{") == 1
