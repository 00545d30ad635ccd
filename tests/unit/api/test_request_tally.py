"""Requests are counted by what they were, and a client cannot make up what to count."""

from __future__ import annotations

import pytest
from aiohttp import web
from prometheus_client import CollectorRegistry, generate_latest

from api.metrics import RequestTally


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def tally(registry: CollectorRegistry) -> RequestTally:
    return RequestTally(registry)


LOTS = web.Application().router.add_resource("/v1/lots/{lot}")


def value(registry: CollectorRegistry, name: str, **labels: str) -> float:
    return registry.get_sample_value(name, labels) or 0.0


def test_all_lots_are_one_route(registry: CollectorRegistry, tally: RequestTally) -> None:
    for seconds in (0.002, 0.2, 99.0):
        tally.count("GET", LOTS, 200, seconds)
    labels = {"method": "GET", "route": "/v1/lots/{lot}", "status": "200"}

    assert value(registry, "autospot_http_request_seconds_count", **labels) == 3
    assert value(registry, "autospot_http_request_seconds_sum", **labels) == pytest.approx(99.202)
    assert value(registry, "autospot_http_request_seconds_bucket", **labels, le="0.0025") == 1
    assert value(registry, "autospot_http_request_seconds_bucket", **labels, le="0.25") == 2
    assert value(registry, "autospot_http_request_seconds_bucket", **labels, le="+Inf") == 3


def test_made_up_paths_and_methods_count_as_other(registry: CollectorRegistry, tally: RequestTally) -> None:
    for number in range(100):
        tally.count(f"M{number}", None, 404, 0.001)

    labels = {"method": "other", "route": "other", "status": "404"}
    assert value(registry, "autospot_http_request_seconds_count", **labels) == 100
    assert generate_latest(registry).count(b"_count{") == 1
