"""Whole runs against a real broker: what was heard there is what the report says, and ends in the truth."""

from __future__ import annotations

import asyncio
from typing import Any

from sensors_sim.broker import Broker
from sensors_sim.lots import Sensor
from sensors_sim.pace import Stopwatch
from sensors_sim.run import Run
from sensors_sim.simulation import Plan
from tests.service.sensors_sim.listening import Heard, listening
from tests.support.services import eventually
from tests.unit.sensors_sim.building import HOUR_MS, a_lot, a_plan, at

START_MS = at("2026-11-23T08:00")
WALL_MS = at("2026-11-23T20:00")


class JumpingClock(Stopwatch):
    """A wall clock on which every wait is over at once."""

    def __init__(self) -> None:
        super().__init__(lambda: self.wall_ms)
        self.wall_ms = WALL_MS

    async def wait(self, seconds: float) -> None:
        self.wall_ms += max(1, round(seconds * 1000))
        await asyncio.sleep(0)


async def carried_out(plan: Plan, url: str) -> tuple[list[Heard], dict[str, Any]]:
    """Everything that the broker passed on, once it has all come, and the report."""
    lots = [f"autospot/v1/{lot.code}/#" for lot in plan.lots]
    async with listening(url, *lots, "application/#", "v3/#") as heard:
        run = Run(plan, Broker.parse(url), JumpingClock())
        await run.go()
        report = run.report()
        await eventually(lambda: len(readings(heard)) >= report["readings"]["acknowledged"])
        await eventually(lambda: set(statuses(heard).values()) == {b"offline"})
    return heard, report


def readings(heard: list[Heard]) -> list[Heard]:
    return [message for message in heard if not message.topic.endswith("/status")]


def statuses(heard: list[Heard]) -> dict[str, bytes]:
    """The last word on each status topic."""
    return {message.topic: message.payload for message in heard if message.topic.endswith("/status")}


def newest_words(heard: list[Heard]) -> dict[str, bool]:
    """What a hub knows in the end: each sensor's reading with the highest count."""
    words: dict[str, tuple[int, bool]] = {}
    for message in readings(heard):
        sensor = message.topic.split("/")[3]
        words[sensor] = max(words.get(sensor, (0, False)), (message.fields["seq"], message.fields["occupied"]))
    return {sensor: occupied for sensor, (_, occupied) in words.items()}


async def test_every_bay_is_told_at_start_and_ends_in_the_truth(broker_url: str) -> None:
    heard, report = await carried_out(a_plan([a_lot("truth", bays=50)]), broker_url)
    assert [message.fields["kind"] for message in readings(heard)[:50]] == ["startup"] * 50
    counts = report["readings"]
    assert counts["planned"] == counts["published"] == counts["acknowledged"] == len(readings(heard)) > 400
    assert newest_words(heard) == {bay: view["occupied"] for bay, view in report["bays"]["truth"].items()}
    assert all(view["told"] == view["occupied"] for view in report["bays"]["truth"].values())
    assert report["world"] == {"from": "2026-11-23T07:00:00.000Z", "until": "2026-11-23T11:00:00.000Z"}


async def test_with_every_fault_the_report_still_says_what_the_broker_was_told(broker_url: str) -> None:
    faults = [
        f"{fault}=0.1"
        for fault in ("lost", "repeated", "late", "reordered", "stuck", "dead_battery", "flapping", "gateway_down")
    ]
    lot = a_lot("faulty", bays=60, sensor=Sensor("", gateway="gw1"))
    heard, report = await carried_out(
        a_plan([lot], faults=faults, end_ms=START_MS + 24 * HOUR_MS, speed=36_000.0), broker_url
    )
    counts, struck = report["readings"], report["faults"]
    assert counts["published"] == counts["acknowledged"]
    assert counts["planned"] == counts["published"] - struck["repeated"] + struck["lost"] + struck["gateway_down"]
    assert min(struck.values()) > 0
    told = {bay: view["told"] for bay, view in report["bays"]["faulty"].items() if view["told"] is not None}
    assert newest_words(heard) == told
    assert {view.get("fault") for view in report["bays"]["faulty"].values()} == {None, "stuck", "dead_battery"}
    assert report["outages"] > 0
    words = [message.payload for message in heard if message.topic.endswith("/gateways/gw1/status")]
    assert b"offline" in words[:-1]  # a will, before the clean end


async def test_a_fast_world_is_dated_by_the_wall_unless_told_otherwise(broker_url: str) -> None:
    heard, _ = await carried_out(a_plan([a_lot("walls", bays=5)]), broker_url)
    dates = [message.fields["at"] for message in readings(heard)]
    assert min(dates) >= "2026-11-23T19:00:00"
    assert max(dates) <= "2026-11-23T19:00:05"  # four world hours in four seconds and a little
    heard, _ = await carried_out(a_plan([a_lot("worlds", bays=5)], stamp="world"), broker_url)
    dates = [message.fields["at"] for message in readings(heard)]
    assert (min(dates)[:13], max(dates)[:13]) == ("2026-11-23T07", "2026-11-23T10")


async def test_lorawan_sensors_speak_through_their_network_server(broker_url: str) -> None:
    lot = a_lot("radio", bays=2)
    bays = tuple(
        bay.__class__(bay.code, bay.kind, Sensor(f"70b3d5000000000{n}", "nwave-nps405", "gw1"))
        for n, bay in enumerate(lot.bays)
    )
    plan = a_plan([lot.__class__(lot.code, lot.zone, bays)])
    heard, _ = await carried_out(plan, broker_url)
    assert {message.topic.split("/")[0] for message in readings(heard)} == {"application"}
    assert "autospot/v1/radio/gateways/gw1/status" in {message.topic for message in heard}
    heard, _ = await carried_out(a_plan(plan.lots, server="tts"), broker_url)
    assert {message.topic.split("/")[0] for message in readings(heard)} == {"v3"}


async def test_sensors_may_hold_connections_of_their_own(broker_url: str) -> None:
    heard, report = await carried_out(a_plan([a_lot("own", bays=10)], own_connections=True), broker_url)
    assert report["connections"] == {"held": 10, "accepted": 10}
    assert statuses(heard) == {f"autospot/v1/own/B{n:03}/status": b"offline" for n in range(10)}


async def test_the_same_seed_says_the_same_to_the_byte(broker_url: str) -> None:
    plan = a_plan([a_lot("twice", bays=10)], faults=["repeated=0.1", "late=0.1"], stamp="world")
    first, _ = await carried_out(plan, broker_url)
    second, _ = await carried_out(plan, broker_url)
    assert [message.payload for message in readings(first)] == [message.payload for message in readings(second)]


async def test_a_stopped_run_drains_and_says_where_the_world_stood(broker_url: str) -> None:
    clock = JumpingClock()
    run = Run(a_plan([a_lot("stopped", bays=20)], end_ms=None), Broker.parse(broker_url), clock)
    running = asyncio.create_task(run.go())
    await eventually(lambda: run.counts.acknowledged > 100)
    clock.stop()
    await asyncio.wait_for(running, 5)
    report = run.report()
    assert report["readings"]["published"] == report["readings"]["acknowledged"] > 100
    assert report["world"]["until"] > report["world"]["from"]
