"""Each fault does what its line in the table of rates claims, no more, and the same for the same seed."""

from __future__ import annotations

import math
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensors_sim.faults import RATES, FaultError, Gateway, SensorFaults, Way, parse_rates
from sensors_sim.lots import Sensor
from sensors_sim.reading import Reading
from sensors_sim.sensing import Sensors
from sensors_sim.simulation import Simulation
from sensors_sim.world import BayId, Transition
from tests.unit.sensors_sim.building import HOUR_MS, a_lot, a_plan, a_reading, at

START_MS = at("2026-11-23T08:00")
END_MS = START_MS + 10 * HOUR_MS


def a_stream(count: int = 2000, sensors: int = 10) -> list[Reading]:
    """One reading every 10 s, of each sensor in turn, counted by sensor."""
    return [
        a_reading(
            at_ms=START_MS + n * 10_000,
            sensor=Sensor(f"B{n % sensors:03}"),
            seq=n // sensors + 1,
            occupied=n // sensors % 2 == 0,
        )
        for n in range(count)
    ]


def a_way(*faults: str, seed: int = 1) -> Way:
    return Way(parse_rates(faults), seed, START_MS)


def carried(way: Way, readings: list[Reading]) -> list[Reading]:
    return way.carry(readings, END_MS) + way.flush(END_MS)


def arrivals(way: Way, stream: list[Reading], *, step_ms: int) -> list[tuple[int, Reading]]:
    """When each reading arrives: the way is asked at the readings' own times and, between them, each time something is
    due, rounded up to whole steps."""
    arrived: list[tuple[int, Reading]] = []
    for reading in [*stream, None]:
        until_ms = END_MS if reading is None else reading.at_ms - 1
        while way.next_ms <= until_ms:
            now_ms = min(math.ceil(way.next_ms / step_ms) * step_ms, until_ms)
            arrived += [(now_ms, came) for came in way.carry([], now_ms)]
        if reading is not None:
            arrived += [(reading.at_ms, came) for came in way.carry([reading], reading.at_ms)]
    return arrived


def behind_a_gateway(*, step_ms: int) -> list[Reading]:
    return [
        a_reading(at_ms=at_ms, sensor=Sensor("B001", gateway="gw1"), seq=n)
        for n, at_ms in enumerate(range(START_MS, END_MS, step_ms), start=1)
    ]


def test_without_faults_everything_arrives_at_once_and_in_order() -> None:
    way, stream = a_way(), a_stream()
    arrived = [reading for reading in stream for reading in way.carry([reading], reading.at_ms)]
    assert arrived == stream
    assert not way.flush(END_MS)
    assert not way.count.total()


def test_lost_readings_never_arrive() -> None:
    way, stream = a_way("lost=0.1"), a_stream()
    arrived = carried(way, stream)
    kept = set(arrived)
    assert arrived == [reading for reading in stream if reading in kept]
    assert way.count["lost"] == len(stream) - len(arrived)
    assert way.count["lost"] == pytest.approx(200, abs=45)


def test_repeated_readings_arrive_again_within_a_minute() -> None:
    way = a_way("repeated=0.1")
    arrived = arrivals(way, a_stream(), step_ms=1000)
    times = Counter(reading for _, reading in arrived)
    assert set(times.values()) == {1, 2}
    assert way.count["repeated"] == sum(n == 2 for n in times.values()) == pytest.approx(200, abs=45)
    assert max(now_ms - reading.at_ms for now_ms, reading in arrived) <= 61_000


def test_late_readings_arrive_unchanged_one_to_thirty_minutes_late() -> None:
    way, stream = a_way("late=0.1"), a_stream()
    arrived = arrivals(way, stream, step_ms=1000)
    late = [now_ms - reading.at_ms for now_ms, reading in arrived if now_ms > reading.at_ms]
    assert sorted((reading for _, reading in arrived), key=lambda reading: reading.at_ms) == stream
    assert way.count["late"] == len(late) == pytest.approx(200, abs=45)
    assert min(late) >= 60_000
    assert max(late) <= 30 * 60_000 + 1000


def test_reordered_readings_arrive_right_after_the_next_one_of_their_sensor() -> None:
    way, stream = a_way("reordered=0.1"), a_stream()
    arrived = carried(way, stream)
    assert sorted(arrived, key=lambda reading: reading.at_ms) == stream
    swapped = 0
    for sensor in {reading.sensor.id for reading in stream}:
        order = [reading.seq for reading in arrived if reading.sensor.id == sensor and reading.seq is not None]
        assert all(abs(seq - place) <= 1 for place, seq in enumerate(order, start=1))
        swapped += sum(first > second for first, second in pairwise(order))
    assert way.count["reordered"] == swapped == pytest.approx(180, abs=45)


def test_while_a_gateway_is_down_its_readings_are_lost_and_others_are_not() -> None:
    way = a_way("gateway_down=0.3")
    arrived = carried(way, behind_a_gateway(step_ms=10_000))
    assert way.count["gateway_down"] == 3600 - len(arrived)
    assert way.count["gateway_down"] / 3600 == pytest.approx(0.3, abs=0.1)
    gaps = [b.at_ms - a.at_ms for a, b in pairwise(arrived) if b.at_ms - a.at_ms > 10_000]
    assert len(gaps) > 20  # outages of minutes, not single readings
    assert sum(gaps) / len(gaps) == pytest.approx(300_000, rel=0.5)


def test_what_is_on_its_way_waits_behind_a_gateway_that_is_down() -> None:
    way, plan = a_way("gateway_down=0.5", "late=1"), a_way("gateway_down=0.5")
    arrived = arrivals(way, behind_a_gateway(step_ms=20_000), step_ms=1)
    assert len(arrived) > 500
    assert all(plan.outage(Gateway("harbour", "gw1"), now_ms) is None for now_ms, _ in arrived)


def test_a_gateway_that_is_always_down_lets_nothing_through() -> None:
    assert not carried(a_way("gateway_down=1"), a_stream())


def test_stuck_sensors_keep_saying_their_first_state() -> None:
    simulation = Simulation(a_plan([a_lot(bays=100)], faults=["stuck=0.2"]))
    said = simulation.start() + simulation.advance(START_MS + 6 * HOUR_MS)
    stuck = {bay.bay for bay in simulation.world.occupied if simulation.sensors.condition(bay) == "stuck"}
    assert len(stuck) == pytest.approx(20, abs=12)
    assert simulation.sensor_faults.count["stuck"] > 0
    for sensor in stuck:
        assert {reading.kind for reading in said if reading.sensor.id == sensor} == {"startup", "heartbeat"}
        assert len({reading.occupied for reading in said if reading.sensor.id == sensor}) == 1


def test_sensors_with_a_dead_battery_warn_and_then_fall_silent_within_the_hour() -> None:
    simulation = Simulation(a_plan([a_lot(bays=100)], faults=["dead_battery=0.2"], heartbeat_seconds=300))
    said = simulation.start() + simulation.advance(START_MS + 3 * HOUR_MS)
    last = {reading.sensor.id: reading for reading in said}
    dead = {bay.bay for bay in simulation.world.occupied if simulation.sensors.condition(bay) == "dead_battery"}
    assert len(dead) == pytest.approx(20, abs=12)
    assert {sensor for sensor, reading in last.items() if reading.at_ms < START_MS + 2 * HOUR_MS} == dead
    assert all((last[sensor].battery or 0) <= 0.02 for sensor in dead)


def test_flapping_changes_are_said_taken_back_and_said_again() -> None:
    simulation = Simulation(a_plan([a_lot(bays=60)], faults=["flapping=1"], heartbeat_seconds=100_000))
    simulation.start()
    said = simulation.advance(START_MS + 6 * HOUR_MS)
    flapped = {reading.sensor.id for reading in said if reading.kind == "change"}
    assert len(flapped) > 20
    for sensor in flapped:
        changes = [reading for reading in said if reading.sensor.id == sensor and reading.kind == "change"]
        first, *bounces = changes[:3]
        assert [bounce.occupied for bounce in bounces] == [not first.occupied, first.occupied]
        assert [bounce.at_ms - first.at_ms for bounce in bounces] == [1000, 2000]
    told = {reading.sensor.id: reading.occupied for reading in said}
    assert all(told[bay.bay] == taken for bay, taken in simulation.world.occupied.items() if bay.bay in told)


def test_a_bounce_is_void_once_the_bay_has_changed_again() -> None:
    bay = BayId("harbour", "B000")
    sensors = Sensors(
        [a_lot(bays=1)],
        {bay: False},
        SensorFaults(parse_rates(["flapping=1"]), seed=1),
        seed=1,
        start_ms=START_MS,
        boot=7,
        heartbeat_seconds=3600,
    )
    arrives, leaves = Transition(START_MS + 100, bay, True), Transition(START_MS + 1600, bay, False)
    said = sensors.advance([arrives, leaves], START_MS + 60_000)
    assert [(reading.at_ms - START_MS, reading.occupied) for reading in said] == [
        (100, True),
        (1100, False),
        (1600, False),  # the second bounce, due at 2100, would have said that the car is still there
        (2600, True),
        (3600, False),
    ]


def test_one_fault_leaves_the_choices_of_the_others_alone() -> None:
    alone, together = a_way("lost=0.1"), a_way("lost=0.1", "repeated=0.2", "late=0.2", "reordered=0.2")
    assert set(carried(together, a_stream())) == set(carried(alone, a_stream()))


def test_another_seed_strikes_others() -> None:
    assert carried(a_way("lost=0.1", seed=1), a_stream()) != carried(a_way("lost=0.1", seed=2), a_stream())


@given(steps=st.lists(st.integers(min_value=0, max_value=10 * HOUR_MS), max_size=8))
@settings(max_examples=25, deadline=None)
def test_the_steps_in_which_readings_are_carried_change_nothing(steps: list[int]) -> None:
    faults = ("lost=0.1", "repeated=0.2", "late=0.2", "reordered=0.2", "gateway_down=0.2")
    stream = a_stream(500)
    way = a_way(*faults)
    arrived: list[Reading] = []
    for step_ms in [START_MS + step for step in sorted(steps)]:
        due = [reading for reading in stream if reading.at_ms <= step_ms]
        stream = stream[len(due) :]
        arrived += way.carry(due, step_ms)
    arrived += carried(way, stream)
    assert arrived == carried(a_way(*faults), a_stream(500))


def test_rates_are_read_by_name() -> None:
    assert parse_rates(["lost=0.25", "stuck=1"]) == dict.fromkeys(RATES, 0.0) | {"lost": 0.25, "stuck": 1.0}


@pytest.mark.parametrize("setting", ["theft=0.1", "lost", "lost=", "lost=often", "lost=1.1", "lost=-0.1", "lost=nan"])
def test_anything_else_is_refused_with_a_reason(setting: str) -> None:
    with pytest.raises(FaultError, match=r"unknown fault|a rate is"):
        parse_rates([setting])


def test_sensor_faults_are_the_same_for_the_same_seed() -> None:
    rates = parse_rates(["stuck=0.5", "dead_battery=0.5"])
    first, second = SensorFaults(rates, seed=3), SensorFaults(rates, seed=3)
    for n in range(50):
        assert first.is_stuck("harbour", f"B{n}") == second.is_stuck("harbour", f"B{n}")
        assert first.dies_ms("harbour", f"B{n}", 0) == second.dies_ms("harbour", f"B{n}", 0)
