"""Order, repeats, lateness, clocks and silence: what the screens show and what the history keeps."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest

from autospot.domain.history import Span, spans_newest_first
from autospot.domain.instant import rfc3339, to_ms
from autospot.storage.history import BayHistory
from tests.support.hub import RunningHub, Servers, Watcher, reading, running_hub, sensors
from tests.support.lots import a_lot
from tests.support.services import BrokerServer, becomes, eventually

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def at(minutes: float) -> str:
    return rfc3339(NOON + timedelta(minutes=minutes))


async def history_of(hub: RunningHub, lot: str, bay: str) -> list[Span]:
    """The bay's spans, oldest first."""
    events = [event async for event in BayHistory(hub.database).newest_first(lot, bay)]
    return list(spans_newest_first(events))[::-1]


async def test_the_history_does_not_depend_on_the_order_of_arrival(servers: Servers) -> None:
    story = [(1, True), (2, True), (3, False), (5, True), (9, False)]
    lots = [a_lot(f"o{number}", bays=1) for number in range(6)]
    orders = list(permutations(story))[:: 120 // 6][:6]
    async with running_hub(servers, lots) as hub, sensors(servers.mqtt_url) as sensor:
        for lot, order in zip(lots, orders, strict=True):
            for minute, occupied in order:
                body = reading(occupied, at(minute))
                await sensor.publish(f"autospot/v1/{lot.lot}/B00000/reading", body, qos=1)
                await sensor.publish(f"autospot/v1/{lot.lot}/B00000/reading", body, qos=1)
        expected = [
            Span(
                occupied=True, from_ms=to_ms(NOON + timedelta(minutes=1)), until_ms=to_ms(NOON + timedelta(minutes=3))
            ),
            Span(
                occupied=False, from_ms=to_ms(NOON + timedelta(minutes=3)), until_ms=to_ms(NOON + timedelta(minutes=5))
            ),
            Span(
                occupied=True, from_ms=to_ms(NOON + timedelta(minutes=5)), until_ms=to_ms(NOON + timedelta(minutes=9))
            ),
            Span(occupied=False, from_ms=to_ms(NOON + timedelta(minutes=9)), until_ms=None),
        ]
        for lot in lots:

            async def told(code: str = lot.lot) -> bool:
                return await history_of(hub, code, "B00000") == expected

            await eventually(told, what=f"the history of {lot.lot}")
            assert hub.live.lots[lot.lot].bays["B00000"].state == "free"
        assert hub.count("autospot_readings_total", verdict="repeat") == 6 * 5
        assert hub.count("autospot_readings_total", verdict="late") > 0


async def test_boot_and_sequence_order_readings_before_their_times_do(servers: Servers) -> None:
    async with (
        running_hub(servers, [a_lot("q1")]) as hub,
        sensors(servers.mqtt_url) as sensor,
        await Watcher.connect(hub.url, "q1") as screen,
    ):
        topic = "autospot/v1/q1/B00000/reading"
        await sensor.publish(topic, reading(True, at(10), boot=1, seq=7), qos=1)
        await sensor.publish(topic, reading(False, at(20), boot=1, seq=6), qos=1)  # older, whatever its time says
        await sensor.publish(topic, reading(False, at(5), boot=2, seq=0), qos=1)  # a restart: newer
        await eventually(lambda: screen.state("q1", "B00000") == "free")
        assert hub.count("autospot_readings_total", verdict="late") == 1
        assert screen.lots["q1"]["bays"]["B00000"]["at"] == at(5)


async def test_a_time_from_the_future_is_replaced_by_the_arrival(servers: Servers) -> None:
    async with (
        running_hub(servers, [a_lot("q2")]) as hub,
        sensors(servers.mqtt_url) as sensor,
        await Watcher.connect(hub.url, "q2") as screen,
    ):
        await sensor.publish("autospot/v1/q2/B00000/reading", reading(True, "2099-01-01T00:00:00Z"), qos=1)
        await sensor.publish("autospot/v1/q2/B00001/reading", reading(True, "1970-01-01T00:10:00Z"), qos=1)
        await eventually(lambda: screen.state("q2", "B00001") == "occupied")
        for bay in ("B00000", "B00001"):
            shown = datetime.fromisoformat(screen.lots["q2"]["bays"][bay]["at"])
            assert abs(shown - datetime.now(UTC)) < timedelta(minutes=1)
        assert hub.count("autospot_reading_clock_replaced_total") == 2


async def test_no_change_is_no_delta_and_no_entry(servers: Servers) -> None:
    async with (
        running_hub(servers, [a_lot("q3")]) as hub,
        sensors(servers.mqtt_url) as sensor,
        await Watcher.connect(hub.url, "q3") as screen,
    ):
        topic = "autospot/v1/q3/B00000/reading"
        await sensor.publish(topic, reading(True, at(0)), qos=1)
        await eventually(lambda: screen.state("q3", "B00000") == "occupied")
        entries = await hub.database.collection("feed").count_documents({"sensors": {"$exists": True}})
        await sensor.publish(topic, reading(True, kind="heartbeat", battery=0.5), qos=1)
        await sensor.publish(topic, reading(None, kind="heartbeat"), qos=1)
        await eventually(lambda: hub.count("autospot_readings_total", verdict="health") == 1)
        assert await hub.database.collection("feed").count_documents({"sensors": {"$exists": True}}) == entries
        assert len(screen.of_type("delta")) == 1

        async def health_is_stored() -> bool:
            stored = await hub.database.collection("bays").find_one({"_id": "q3/B00000"})
            return bool(stored and stored.get("health") == {"battery": 0.5})

        await eventually(health_is_stored)


async def test_a_silent_sensor_turns_its_bay_unknown_never_free(
    servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.ingest.SILENCE_CHECK_SECONDS", 0.05)
    async with (
        running_hub(servers, [a_lot("q4", heartbeat_seconds=1)]) as hub,
        sensors(servers.mqtt_url) as sensor,
        await Watcher.connect(hub.url, "q4") as screen,
    ):
        topic = "autospot/v1/q4/B00000/reading"
        await sensor.publish(topic, reading(False, at(0)), qos=1)
        await eventually(lambda: screen.state("q4", "B00000") == "free")
        heard = hub.hub.sensors.at_bay("q4", "B00000")
        assert heard is not None
        heard.heard_ms = (heard.heard_ms or 0) - 3_600_000
        hub.hub.ingest.listening_since_ms -= 3_600_000
        await eventually(lambda: screen.state("q4", "B00000") == "unknown")
        view = screen.lots["q4"]["bays"]["B00000"]
        assert view["stale"] is True
        assert view["occupied"] is None
        await sensor.publish(topic, reading(False, kind="heartbeat"), qos=1)
        await eventually(lambda: screen.state("q4", "B00000") == "free")


async def test_what_the_broker_retained_is_news_only_to_who_knows_nothing(
    servers: Servers, make_broker: Callable[..., BrokerServer]
) -> None:
    broker = make_broker()
    async with sensors(broker.url) as sensor:
        await sensor.publish("autospot/v1/q9/B00000/reading", reading(True), qos=1, retain=True)
        await sensor.publish("autospot/v1/q9/B00001/reading", reading(True, at(0)), qos=1, retain=True)
        async with (
            running_hub(replace(servers, mqtt_url=broker.url), [a_lot("q9", bays=3)]) as hub,
            await Watcher.connect(hub.url, "q9") as screen,
        ):
            for bay in ("B00000", "B00001"):
                await eventually(lambda bay=bay: screen.state("q9", bay) == "occupied")
                known = hub.hub.sensors.at_bay("q9", bay)
                assert known is not None
                assert known.heard_ms is None, "nobody knows when it was said"
                await sensor.publish(f"autospot/v1/q9/{bay}/reading", reading(False), qos=1)
                await eventually(lambda bay=bay: screen.state("q9", bay) == "free")
            hub.hub.broker.subscribe()  # as after every reconnection: the broker tells what it retained again
            await eventually(lambda: hub.count("autospot_readings_total", verdict="retained") == 2)
            await sensor.publish("autospot/v1/q9/B00002/reading", reading(True), qos=1)
            await eventually(lambda: screen.state("q9", "B00002") == "occupied")
            assert [screen.state("q9", bay) for bay in ("B00000", "B00001")] == ["free", "free"]


async def test_a_gateways_last_will_takes_its_sensors_along(servers: Servers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.ingest.SILENCE_CHECK_SECONDS", 0.05)
    monkeypatch.setattr("hub.sensors.STATUS_GRACE_MS", 100)
    behind = a_lot("q5", bays=2, gateway="gw1")
    async with (
        running_hub(servers, [behind, a_lot("q6", bays=1)]) as hub,
        sensors(servers.mqtt_url) as sensor,
        await Watcher.connect(hub.url, "q5", "q6") as screen,
    ):
        for topic in ("q5/B00000", "q5/B00001", "q6/B00000"):
            await sensor.publish(f"autospot/v1/{topic}/reading", reading(True), qos=1)
        await eventually(lambda: screen.state("q6", "B00000") == "occupied")
        await sensor.publish("autospot/v1/q5/gateways/gw1/status", b"offline", qos=1)
        await eventually(lambda: {screen.state("q5", bay) for bay in ("B00000", "B00001")} == {"unknown"})
        assert screen.state("q6", "B00000") == "occupied"
        await sensor.publish("autospot/v1/q5/gateways/gw1/status", b"online", qos=1)
        await sensor.publish("autospot/v1/q5/B00000/reading", reading(True), qos=1)
        await eventually(lambda: screen.state("q5", "B00000") == "occupied")
        assert screen.state("q5", "B00001") == "unknown"


async def test_summaries_and_lamps_are_retained(servers: Servers) -> None:
    async with running_hub(servers, [a_lot("q7", bays=1, lamps=True)]) as hub, sensors(servers.mqtt_url) as sensor:
        await sensor.publish("autospot/v1/q7/B00000/reading", reading(True), qos=1)
        await eventually(lambda: hub.live.lots["q7"].bays["B00000"].state == "occupied")
        async with sensors(servers.mqtt_url) as display:
            await display.subscribe("autospot/v1/q7/+/lamp", qos=1)
            await display.subscribe("autospot/v1/q7/summary", qos=1)
            heard: dict[str, bytes] = {}

            async def listen() -> None:
                async for message in display.messages:
                    heard[str(message.topic)] = bytes(message.payload)

            listening = asyncio.create_task(listen())
            await eventually(lambda: heard.get("autospot/v1/q7/B00000/lamp") == b"occupied")
            await eventually(lambda: b'"occupied":1' in heard.get("autospot/v1/q7/summary", b""))
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)


async def test_lamps_that_are_no_longer_there_are_taken_back_from_the_broker(servers: Servers) -> None:
    async def retained() -> dict[str, bytes]:
        lamps: dict[str, bytes] = {}
        async with sensors(servers.mqtt_url) as display:
            await display.subscribe("autospot/v1/q8/+/lamp", qos=1)
            await display.publish("autospot/v1/q8/end/lamp", b"", qos=1)  # comes after what was retained
            async for message in display.messages:
                bay = str(message.topic).split("/")[3]
                if bay == "end":
                    return lamps
                lamps[bay] = bytes(message.payload)
        return lamps

    async with running_hub(servers, [a_lot("q8", bays=3, lamps=True)]) as hub:
        await becomes(retained, dict.fromkeys(("B00000", "B00001", "B00002"), b"occupied"))
        await hub.put(a_lot("q8", bays=2, lamps=True))
        await becomes(retained, dict.fromkeys(("B00000", "B00001"), b"occupied"))
        await hub.put(a_lot("q8", bays=2, lamps=False))
        await becomes(retained, {})
