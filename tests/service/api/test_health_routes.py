"""Probes and metrics."""

from __future__ import annotations

import asyncio

import pytest
from prometheus_client import CollectorRegistry, Counter
from prometheus_client.parser import text_string_to_metric_families

from api import health
from api.health import Health
from autospot.domain.errors import Unavailable
from tests.support.api import running_api


async def well() -> None: ...


async def away() -> None:
    raise Unavailable("the broker does not answer")


async def broken() -> None:
    raise KeyError("mqtt://hub:secret@broker")


async def silent() -> None:
    await asyncio.Event().wait()


async def test_it_is_alive_whatever_else_is_down() -> None:
    async with running_api(Health({"database": away}, CollectorRegistry())) as api:
        answer = await api.call("GET", "/livez")

    assert (answer.status, answer.json) == (200, {"status": "alive"})
    assert answer.headers["Cache-Control"] == "no-store"


async def test_it_is_ready_when_every_part_is_well() -> None:
    async with running_api(Health({"database": well, "broker": well, "feed": well}, CollectorRegistry())) as api:
        answer = await api.call("GET", "/readyz")

    assert answer.status == 200
    assert answer.json["ready"] is True
    assert set(answer.json["checks"]) == {"database", "broker", "feed"}


async def test_it_says_which_part_is_not_and_nothing_internal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "CHECK_SECONDS", 0.05)
    checks = {"database": well, "broker": away, "feed": silent, "mail": broken}
    async with running_api(Health(checks, CollectorRegistry())) as api:
        answer = await api.call("GET", "/readyz")

    assert answer.status == 503
    assert answer.json == {
        "ready": False,
        "checks": {
            "database": {"ok": True, "detail": ""},
            "broker": {"ok": False, "detail": "the broker does not answer"},
            "feed": {"ok": False, "detail": "no answer within 0 s"},
            "mail": {"ok": False, "detail": "the check itself failed"},
        },
    }


async def test_a_flood_of_probes_asks_the_parts_once() -> None:
    asked = 0

    async def counted() -> None:
        nonlocal asked
        asked += 1
        await asyncio.sleep(0.02)

    async with running_api(Health({"database": counted}, CollectorRegistry())) as api:
        answers = await asyncio.gather(*(api.call("GET", "/readyz") for _ in range(50)))

    assert {answer.status for answer in answers} == {200}
    assert asked == 1


async def test_metrics_are_those_of_the_registry_in_prometheus_words() -> None:
    registry = CollectorRegistry()
    Counter("autospot_readings", "Readings", registry=registry).inc(7)
    async with running_api(Health({}, registry)) as api:
        answer = await api.call("GET", "/metrics")

    samples = {
        sample.name: sample.value
        for family in text_string_to_metric_families(answer.body.decode())
        for sample in family.samples
    }
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert samples["autospot_readings_total"] == 7
