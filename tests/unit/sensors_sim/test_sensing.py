"""Sensors say what they notice, count what they say, and beat."""

from __future__ import annotations

from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from sensors_sim.faults import SensorFaults, parse_rates
from sensors_sim.lots import Bay, Lot, Sensor
from sensors_sim.reading import Reading
from sensors_sim.sensing import Sensors, air_celsius
from sensors_sim.world import BayId, Transition
from tests.unit.sensors_sim.building import BERLIN, HOUR_MS, a_lot, at

START_MS = at("2026-11-23T08:00")


def sensors(lot: Lot | None = None, *, heartbeat_seconds: int = 600, faults: tuple[str, ...] = ()) -> Sensors:
    chosen = lot or a_lot(bays=3)
    return Sensors(
        [chosen],
        {BayId(chosen.code, bay.code): bay.code == "B000" for bay in chosen.bays},
        SensorFaults(parse_rates(faults), seed=1),
        seed=1,
        start_ms=START_MS,
        boot=7,
        heartbeat_seconds=heartbeat_seconds,
    )


def change(bay: str, occupied: bool, after_seconds: float) -> Transition:
    return Transition(START_MS + round(after_seconds * 1000), BayId("harbour", bay), occupied)


def of(readings: list[Reading], sensor: str) -> list[Reading]:
    return [reading for reading in readings if reading.sensor.id == sensor]


def test_every_sensor_speaks_at_start_and_tells_the_truth() -> None:
    said = sensors().start()
    assert [(reading.sensor.id, reading.kind, reading.occupied, reading.seq) for reading in said] == [
        ("B000", "startup", True, 1),
        ("B001", "startup", False, 1),
        ("B002", "startup", False, 1),
    ]
    assert {reading.at_ms for reading in said} == {START_MS}


def test_a_change_is_said_at_once_with_how_long_the_bay_had_been_as_before() -> None:
    field = sensors(heartbeat_seconds=100_000)
    field.start()
    said = field.advance([change("B001", True, 600), change("B001", False, 6000)], START_MS + 7_000_000)
    changes = [reading for reading in said if reading.kind == "change"]
    assert [(reading.occupied, reading.at_ms - START_MS, reading.held_minutes) for reading in changes] == [
        (True, 600_000, 10),
        (False, 6_000_000, 90),
    ]


def test_every_sensor_beats_at_its_interval_with_its_present_state() -> None:
    field = sensors(heartbeat_seconds=600)
    field.start()
    said = of(field.advance([change("B001", True, 1800)], START_MS + HOUR_MS), "B001")
    beats = [reading for reading in said if reading.kind == "heartbeat"]
    assert len(beats) == 6
    assert {second.at_ms - first.at_ms for first, second in pairwise(beats)} == {600_000}
    assert all(beat.occupied is (beat.at_ms >= START_MS + 1_800_000) for beat in beats)


def test_heartbeats_of_a_lot_do_not_come_at_once() -> None:
    field = sensors(a_lot(bays=200), heartbeat_seconds=600)
    field.start()
    per_minute = [len(field.advance([], START_MS + minute * 60_000)) for minute in range(1, 11)]
    assert sum(per_minute) == 200
    assert max(per_minute) < 40


def test_the_lot_file_may_say_how_often_a_sensor_beats() -> None:
    lot = Lot("harbour", BERLIN, (Bay("B000", "general", Sensor("B000", heartbeat_seconds=60)),))
    field = sensors(lot, heartbeat_seconds=3600)
    field.start()
    assert len(field.advance([], START_MS + HOUR_MS)) == 60


def test_each_sensor_counts_its_words_without_a_gap() -> None:
    field = sensors(heartbeat_seconds=60)
    said = field.start() + field.advance(
        [change("B001", True, 100), change("B002", True, 200), change("B001", False, 300)], START_MS + HOUR_MS
    )
    for sensor in ("B000", "B001", "B002"):
        assert [reading.seq for reading in of(said, sensor)] == list(range(1, len(of(said, sensor)) + 1))
    assert {reading.boot for reading in said} == {7}
    assert [reading.at_ms for reading in said] == sorted(reading.at_ms for reading in said)


@given(steps=st.lists(st.integers(min_value=0, max_value=HOUR_MS), max_size=6))
@settings(max_examples=25, deadline=None)
def test_the_steps_in_which_one_listens_change_nothing(steps: list[int]) -> None:
    happened = [change("B001", True, 100), change("B000", False, 1500.5), change("B001", False, 2000)]
    faults = ("flapping=1", "dead_battery=0.5")
    whole, stepping = sensors(faults=faults), sensors(faults=faults)
    whole.start()
    stepping.start()
    said: list[Reading] = []
    done_ms = START_MS - 1
    for step_ms in [START_MS + step for step in sorted(steps)] + [START_MS + HOUR_MS]:
        said += stepping.advance([t for t in happened if done_ms < t.at_ms <= step_ms], step_ms)
        done_ms = step_ms
    assert said == whole.advance(happened, START_MS + HOUR_MS)


def test_a_sensor_reports_charge_signal_and_temperature_in_their_ranges() -> None:
    for reading in sensors(a_lot(bays=50)).start():
        assert reading.battery is not None
        assert 0.5 < reading.battery <= 1
        assert reading.rssi is not None
        assert -120 < reading.rssi < -50
        assert reading.temperature is not None
        assert 0 < reading.temperature < 25


def test_afternoons_are_warmer_than_nights() -> None:
    zone = ZoneInfo("Europe/Berlin")
    assert air_celsius(at("2026-11-23T15:00"), zone) == 18
    assert air_celsius(at("2026-11-23T03:00"), zone) == 6
