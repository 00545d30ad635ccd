"""The recorded year of 27 in-ground sensors, played through a real broker."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import orjson

from sensors_sim.broker import Broker
from sensors_sim.pace import Stopwatch, rfc3339
from sensors_sim.recording import Recorded, read_recording
from sensors_sim.replay import Replay
from tests.service.sensors_sim.listening import Heard, listening
from tests.support.services import BrokerServer, eventually

FIELD_EVENTS = Path(__file__).parents[2] / "vectors" / "iot_park_field_events_2024.csv"


def the_year(lot: str, *, events: int = 10_000) -> list[Recorded]:
    """The first `events` of the recording, as readings in `lot`."""
    header_and_events = FIELD_EVENTS.read_text().splitlines()[: events + 1]
    return read_recording("\n".join(header_and_events), lot)


def a_replay(recording: list[Recorded], url: str, *, speed: float | None = None) -> Replay:
    return Replay(recording, Broker.parse(url), Stopwatch(lambda: 0), speed=speed)


def said(message: Heard) -> tuple[str, str, bool | None]:
    fields = orjson.loads(message.payload)
    return message.topic.split("/")[3], fields["at"], fields.get("occupied")


async def test_the_whole_year_arrives_in_the_order_in_which_it_was_recorded(broker_url: str) -> None:
    recording = the_year("year")
    async with listening(broker_url, "autospot/v1/year/+/reading") as heard:
        replay = a_replay(recording, broker_url)
        await replay.go()
        await eventually(lambda: len(heard) == 7252)
    events = [event.reading for event in recording]
    assert [said(message) for message in heard] == [
        (reading.sensor.id, rfc3339(reading.at_ms), reading.occupied) for reading in events
    ]
    report = replay.report()
    assert report["readings"] == {"planned": 7252, "published": 7252, "acknowledged": 7252}
    assert (report["repeats"], report["late"]) == (274, 1025)
    assert report["sensors"] == {
        sensor: {"occupied": occupied, "at": at} for sensor, (at, occupied) in sorted(newest_words(heard).items())
    }


async def test_a_broker_that_dies_in_the_middle_gets_every_event_at_least_once(
    make_broker: Callable[..., BrokerServer],
) -> None:
    broker = make_broker()
    recording = the_year("middle", events=2000)
    replay = a_replay(recording, broker.url)
    playing = asyncio.create_task(replay.go())
    await eventually(lambda: replay.counts.acknowledged > 200)
    await asyncio.to_thread(broker.kill)
    before = replay.counts.acknowledged
    await asyncio.to_thread(broker.start)
    await playing
    assert before < replay.counts.acknowledged == replay.counts.published == 2000
    assert replay.counts.connected == 2


async def test_keep_alives_say_nothing_of_the_bay(broker_url: str) -> None:
    recording = [event for event in the_year("alive", events=200) if event.reading.occupied is None]
    async with listening(broker_url, "autospot/v1/alive/+/reading") as heard:
        await a_replay(recording, broker_url).go()
        await eventually(lambda: len(heard) == len(recording))
    assert all(set(message.fields) == {"at", "kind", "battery", "temperature"} for message in heard)
    assert {message.fields["kind"] for message in heard} == {"heartbeat"}


async def test_a_paced_replay_takes_its_time_and_stops_when_told(broker_url: str) -> None:
    recording = the_year("paced", events=200)
    stopwatch = Stopwatch(lambda: 0)
    replay = Replay(recording, Broker.parse(broker_url), stopwatch, speed=1)
    playing = asyncio.create_task(replay.go())
    await eventually(lambda: replay.counts.acknowledged >= 2)
    stopwatch.stop()
    await asyncio.wait_for(playing, 5)
    assert replay.counts.published == replay.counts.acknowledged < 10  # the third event is most of a day later


def newest_words(heard: list[Heard]) -> dict[str, tuple[str, bool]]:
    words: dict[str, tuple[str, bool]] = {}
    for sensor, at, occupied in map(said, heard):
        if occupied is not None:
            words[sensor] = max(words.get(sensor, ("", False)), (at, occupied))
    return words
