"""How many requests, how they ended and how long they took, for `/metrics`."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from itertools import accumulate
from typing import Final

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
_BOUNDS: Final = (*map(str, BUCKETS), "+Inf")

METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class _Cell:
    __slots__ = ("hits", "seconds")

    def __init__(self) -> None:
        self.hits = [0] * len(_BOUNDS)
        self.seconds = 0.0


class RequestTally(Collector):
    """Counts per method, route and status. A client cannot make it grow: routes are those declared, other paths and
    methods count as `other`.

    The library's own histogram takes its lock and finds its child for each request, four times what this takes; all
    requests are counted in one thread, so plain numbers do, and become metrics when somebody asks.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self._cells: dict[tuple[str, str, int], _Cell] = {}
        registry.register(self)

    def count(self, method: str, resource: web.AbstractResource | None, status: int, seconds: float) -> None:
        """One request was answered, by `resource` if its path was one of ours."""
        route = resource.canonical if resource is not None else "other"
        if method not in METHODS:
            method = "other"
        cell = self._cells.get((method, route, status))
        if cell is None:
            cell = self._cells[method, route, status] = _Cell()
        cell.hits[bisect_left(BUCKETS, seconds)] += 1
        cell.seconds += seconds

    def collect(self) -> Iterable[Metric]:
        """The present numbers."""
        family = HistogramMetricFamily(
            "autospot_http_request_seconds",
            "Time to answer a request, by method, route and status",
            labels=["method", "route", "status"],
        )
        for (method, route, status), cell in self._cells.items():
            buckets = list(zip(_BOUNDS, accumulate(cell.hits), strict=True))
            family.add_metric([method, route, str(status)], buckets, cell.seconds)
        yield family

    def describe(self) -> Iterable[Metric]:
        """Names only, for the registry's check that no two collectors share one."""
        yield HistogramMetricFamily("autospot_http_request_seconds", "", labels=["method", "route", "status"])
