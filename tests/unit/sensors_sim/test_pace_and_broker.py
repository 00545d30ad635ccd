"""Clocks, addresses and back-off: small rules that everything else stands on."""

from __future__ import annotations

import asyncio
from random import Random

import pytest

from sensors_sim.broker import BACK_OFF_MOST_SECONDS, Broker, back_off_seconds
from sensors_sim.pace import LONGEST_WAIT_SECONDS, SHORTEST_WAIT_SECONDS, Pace, Stopwatch
from sensors_sim.run import CONNECTIONS_LIMIT, TooManyConnectionsError, links_of
from tests.unit.sensors_sim.building import a_lot, a_plan

PACE = Pace(world_ms=1_000_000, wall_ms=5_000_000, speed=60)


def test_a_world_second_takes_a_sixtieth_of_a_second_at_speed_sixty() -> None:
    assert PACE.world_at(5_001_000) == 1_060_000
    assert PACE.wall_at(1_060_000) == 5_001_000


def test_readings_are_dated_by_the_wall_or_by_the_world() -> None:
    assert PACE.stamp_ms(1_060_000, "wall") == 5_001_000
    assert PACE.stamp_ms(1_060_000, "world") == 1_060_000


def test_waits_have_a_shortest_and_a_longest() -> None:
    assert PACE.wait_seconds(1_000_000, 1_030_000) == 0.5
    assert PACE.wait_seconds(1_000_000, 1_000_001) == SHORTEST_WAIT_SECONDS
    assert PACE.wait_seconds(1_000_000, float("inf")) == LONGEST_WAIT_SECONDS


async def test_a_stop_ends_a_wait() -> None:
    stopwatch = Stopwatch(lambda: 0)
    waiting = asyncio.create_task(stopwatch.wait(60))
    await asyncio.sleep(0)
    assert not waiting.done()
    stopwatch.stop()
    await asyncio.wait_for(waiting, 1)
    assert stopwatch.stopped


@pytest.mark.parametrize(
    ("url", "broker"),
    [
        ("mqtt://localhost", Broker("localhost")),
        ("mqtt://127.0.0.1:18830/", Broker("127.0.0.1", 18830)),
        ("mqtt://[::1]:1884", Broker("::1", 1884)),
        ("mqtt://sensors:p%40ss%2Fword@broker:1884", Broker("broker", 1884, "sensors", "p@ss/word")),
    ],
)
def test_a_broker_is_given_as_a_url(url: str, broker: Broker) -> None:
    assert Broker.parse(url) == broker


@pytest.mark.parametrize(
    "url", ["localhost:1883", "http://a:1", "mqtt://", "mqtt://a:port", "mqtt://a/x", "mqtt://a?x"]
)
def test_anything_else_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"mqtt://|[Pp]ort"):
        Broker.parse(url)


def test_the_refusal_repeats_no_password() -> None:
    with pytest.raises(ValueError, match="given as") as refusal:
        Broker.parse("mqtts://user:secret@broker")
    assert "secret" not in str(refusal.value)


def test_back_off_grows_to_its_limit_and_is_never_the_same_for_all() -> None:
    rng = Random(1)
    for failures in range(100):
        waits = [back_off_seconds(failures, rng) for _ in range(200)]
        most = min(0.5 * 2**failures, BACK_OFF_MOST_SECONDS)
        assert 0 <= min(waits) < 0.1 * most
        assert 0.9 * most < max(waits) <= most


def test_a_plan_that_needs_too_many_connections_is_refused() -> None:
    plan = a_plan([a_lot(bays=CONNECTIONS_LIMIT + 1)], own_connections=True)
    with pytest.raises(TooManyConnectionsError, match="501"):
        links_of(plan)
