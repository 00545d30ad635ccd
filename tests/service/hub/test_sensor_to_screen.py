"""A reading's way from the broker to a screen and into the database."""

from __future__ import annotations

from autospot.storage.bays import Bays
from autospot.storage.dead_letters import DeadLetters
from tests.support.hub import Servers, Watcher, reading, running_hub, sensors
from tests.support.lots import a_lot
from tests.support.services import eventually


async def test_a_car_drives_onto_a_bay_and_the_screen_knows(servers: Servers) -> None:
    lot = a_lot("s2s")
    async with (
        running_hub(servers, [lot]) as hub,
        sensors(servers.mqtt_url) as sensor,
        await Watcher.connect(hub.url, "s2s") as screen,
    ):
        await eventually(lambda: screen.state("s2s", "B00001") == "unknown")
        await sensor.publish("autospot/v1/s2s/B00001/reading", reading(True, "2026-11-22T10:00:00.123Z"), qos=1)
        await eventually(lambda: screen.state("s2s", "B00001") == "occupied")
        assert screen.lots["s2s"]["bays"]["B00001"] == {
            "state": "occupied",
            "occupied": True,
            "since": "2026-11-22T10:00:00.123Z",
            "at": "2026-11-22T10:00:00.123Z",
        }
        assert screen.lots["s2s"]["counts"]["total"]["occupied"] == 1

        async def stored() -> bool:
            return any(
                bay.bay == "B00001" and bay.occupied
                for batch in [b async for b in Bays(hub.database).load()]
                for bay in batch
            )

        await eventually(stored)


async def test_rubbish_is_kept_with_its_reason_and_stops_nothing(servers: Servers) -> None:
    async with (
        running_hub(servers, [a_lot("rub")]) as hub,
        sensors(servers.mqtt_url) as sensor,
        await Watcher.connect(hub.url, "rub") as screen,
    ):
        for topic, payload in [
            ("autospot/v1/rub/B00000/reading", b"\xff\xfe"),
            ("autospot/v1/rub/B00000/reading", b"{"),
            ("autospot/v1/rub/B00000/reading", b'{"occupied": "yes"}'),
            ("autospot/v1/rub/nobody/reading", reading(True)),
            ("autospot/v1/nowhere/B00000/reading", reading(True)),
            ("autospot/v1/rub/B00000/reading", b" " * 20_000),
        ]:
            await sensor.publish(topic, payload, qos=1)
        await sensor.publish("autospot/v1/rub/B00000/reading", reading(True), qos=1)
        await eventually(lambda: screen.state("rub", "B00000") == "occupied")
        kept = DeadLetters(hub.database)

        async def reasons() -> bool:
            # The broker keeps one session for all hubs of this module: what an earlier test left is not of this one.
            ours = [each for each in await kept.newest(100) if each.topic.split("/")[2] in ("rub", "nowhere")]
            return [letter.reason for letter in reversed(ours)] == [
                "bad_utf8",
                "bad_json",
                "bad_value",
                "unknown_sensor",
                "unknown_lot",
                "too_large",
            ]

        await eventually(reasons)
