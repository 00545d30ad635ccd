"""A recorded year of 26 in-ground sensors (tests/vectors, Apache-2.0), through MQTT into a lot and onto a screen."""

from __future__ import annotations

import csv
import random
import time
from datetime import datetime
from pathlib import Path

import pytest

from autospot.domain.history import BayEvent, Span, spans_newest_first
from autospot.domain.instant import to_ms
from autospot.domain.lot import Bay
from autospot.storage.history import BayHistory
from sensors_sim.broker import Broker
from sensors_sim.pace import Stopwatch
from sensors_sim.recording import Recorded, read_recording
from sensors_sim.replay import Replay
from tests.support.hub import RunningHub, Servers, Watcher, running_hub
from tests.support.lots import a_lot
from tests.support.services import eventually

CSV = Path(__file__).parents[2] / "vectors" / "iot_park_field_events_2024.csv"


def parking_events() -> list[tuple[str, int, bool]]:
    """`(device, event time in ms, occupied)` of every line that says something of a bay, in arrival order."""
    with CSV.open(encoding="utf-8", newline="") as lines:
        return [
            (row["device"], to_ms(datetime.fromisoformat(row["event_time_utc"])), row["occupied"] == "1")
            for row in csv.DictReader(lines)
            if row["occupied"]
        ]


async def play(servers: Servers, events: list[Recorded]) -> None:
    replay = Replay(events, Broker.parse(servers.mqtt_url), Stopwatch(lambda: time.time_ns() // 1_000_000), speed=None)
    await replay.go()


async def history_of(hub: RunningHub, lot: str, bay: str) -> list[Span]:
    rows = [event async for event in BayHistory(hub.database).newest_first(lot, bay)]
    return list(spans_newest_first(rows))


@pytest.mark.slow
async def test_the_recorded_year(servers: Servers) -> None:
    said = parking_events()
    devices = sorted({device for device, _, _ in said})
    newest = {device: max((at_ms, occupied) for name, at_ms, occupied in said if name == device) for device in devices}
    bays = [Bay(bay=device, level="L0") for device in devices]
    text = CSV.read_text(encoding="utf-8")
    async with (
        running_hub(servers, [a_lot("year", bays), a_lot("shuffled", bays)]) as hub,
        await Watcher.connect(hub.url, "year") as screen,
    ):
        await play(servers, read_recording(text, "year"))
        expected = {device: "occupied" if occupied else "free" for device, (_, occupied) in newest.items()}
        await eventually(
            lambda: {device: screen.state("year", device) for device in devices} == expected, deadline_seconds=20
        )
        distinct = len(set(said))
        repeats = hub.count("autospot_readings_total", verdict="repeat")
        assert repeats == len(said) - distinct
        late = hub.count("autospot_readings_total", verdict="late")
        assert late > 300
        print(f"{len(said)} reports of 26 bays: {repeats:.0f} repeats, {late:.0f} late")

        shuffled = read_recording(text, "shuffled")
        random.Random(7).shuffle(shuffled)
        await play(servers, shuffled)

        async def histories_agree() -> bool:
            for device in devices:
                events = sorted({(at_ms, occupied) for name, at_ms, occupied in said if name == device}, reverse=True)
                told = list(spans_newest_first(BayEvent(at_ms, occupied) for at_ms, occupied in events))
                assert await history_of(hub, "year", device) == told, device
                assert await history_of(hub, "shuffled", device) == told, device
            return True

        await eventually(histories_agree, deadline_seconds=20)
