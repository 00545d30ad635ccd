"""What the hub counts. Names follow the Prometheus conventions; `/metrics` serves them."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_LATENCY_BUCKETS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0)


class HubMetrics:
    """The hub's counters, in a registry of their own so that two hubs of one process do not mix."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._readings = Counter("autospot_readings", "Readings by what they meant", ["verdict"], registry=registry)
        self._rejects = Counter("autospot_rejected_messages", "Messages in dead_letters", ["reason"], registry=registry)
        self._ignored = Counter(
            "autospot_ignored_messages", "Messages that say nothing of a bay", ["reason"], registry=registry
        )
        self._clock_replaced = Counter(
            "autospot_reading_clock_replaced", "Readings dated by their arrival", registry=registry
        )
        self._burst = Histogram(
            "autospot_burst_messages",
            "Messages acknowledged together",
            registry=registry,
            buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 5000, 20000),
        )
        self._commit = Histogram(
            "autospot_commit_seconds", "Time to make a batch durable", registry=registry, buckets=_LATENCY_BUCKETS
        )
        self.event_to_screen = Histogram(
            "autospot_event_to_screen_seconds",
            "Age of the oldest reading in a delta when it is written to the sockets",
            registry=registry,
            buckets=_LATENCY_BUCKETS,
        )
        self.sockets = Gauge("autospot_websockets", "Open websockets", registry=registry)
        self.slow_sockets = Gauge(
            "autospot_websockets_behind", "Websockets skipped until they drain", registry=registry
        )
        self.closed = Counter("autospot_websocket_closes", "Closes by code", ["code"], registry=registry)
        self.tick = Gauge("autospot_tick_seconds", "The present length of a fan-out tick", registry=registry)
        self.pending_projections = Gauge("autospot_projector_pending_bays", "Bays not yet in `bays`", registry=registry)

    def readings(self, verdicts: Mapping[str, int]) -> None:
        """A burst was judged. Counted per burst: one `inc` costs as much as judging a reading."""
        for verdict, count in verdicts.items():
            self._readings.labels(verdict).inc(count)

    def rejected(self, reason: str) -> None:
        """One message went to dead letters."""
        self._rejects.labels(reason).inc()

    def ignored(self, reason: str) -> None:
        """One message was understood and says nothing of a bay."""
        self._ignored.labels(reason).inc()

    def clock_replaced(self) -> None:
        """One reading's time could not be right."""
        self._clock_replaced.inc()

    def acknowledged(self, messages: int) -> None:
        """A burst was acknowledged."""
        self._burst.observe(messages)

    def commit_time(self) -> AbstractContextManager[object]:
        """Times one durable write."""
        return self._commit.time()
