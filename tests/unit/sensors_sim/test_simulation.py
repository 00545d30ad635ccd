"""The whole of a run without its network: the books balance, and what was told can be compared with the truth."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensors_sim.lots import Sensor, read_lots
from sensors_sim.reading import Reading
from sensors_sim.simulation import Plan, Simulation, uses_of
from tests.unit.sensors_sim.building import HOUR_MS, a_lot, a_plan, at

START_MS = at("2026-11-23T08:00")
ALL_FAULTS = tuple(
    f"{fault}=0.1"
    for fault in ("lost", "repeated", "late", "reordered", "stuck", "dead_battery", "flapping", "gateway_down")
)


def played(plan: Plan, steps_ms: list[int] | None = None) -> tuple[Simulation, list[Reading]]:
    simulation = Simulation(plan)
    arrived = simulation.start()
    for step_ms in steps_ms or []:
        arrived += simulation.advance(START_MS + step_ms)
    arrived += simulation.advance(START_MS + 12 * HOUR_MS)
    return simulation, arrived + simulation.finish()


def told(arrived: list[Reading]) -> dict[str, bool | None]:
    newest = {}
    for reading in sorted(arrived, key=lambda reading: reading.seq or 0):
        newest[reading.sensor.id] = reading.occupied
    return newest


def test_without_faults_the_last_word_of_each_sensor_is_the_truth() -> None:
    simulation, arrived = played(a_plan([a_lot(bays=50)]))
    assert told(arrived) == {bay.bay: taken for bay, taken in simulation.world.occupied.items()}
    assert len(arrived) == simulation.planned
    assert [reading.at_ms for reading in arrived] == sorted(reading.at_ms for reading in arrived)


def test_late_repeated_and_reordered_readings_still_end_in_the_truth() -> None:
    simulation, arrived = played(a_plan([a_lot(bays=50)], faults=["late=0.3", "repeated=0.3", "reordered=0.3"]))
    assert told(arrived) == {bay.bay: taken for bay, taken in simulation.world.occupied.items()}


def test_the_books_balance_with_every_fault_at_once() -> None:
    lot = a_lot(bays=100, sensor=Sensor("", gateway="gw1"))
    simulation, arrived = played(a_plan([lot], faults=ALL_FAULTS))
    count = simulation.way.count
    assert min(count[fault] for fault in ("lost", "repeated", "late", "reordered", "gateway_down")) > 0
    assert min(simulation.sensor_faults.count[fault] for fault in ("stuck", "dead_battery", "flapping")) > 0
    assert simulation.planned == len(arrived) - count["repeated"] + count["lost"] + count["gateway_down"]


@given(steps=st.lists(st.integers(min_value=0, max_value=12 * HOUR_MS), max_size=5))
@settings(max_examples=10, deadline=None)
def test_the_same_plan_plays_the_same_whatever_the_steps(steps: list[int]) -> None:
    plan = a_plan([a_lot(bays=10)], faults=ALL_FAULTS)
    assert played(plan, sorted(steps))[1] == played(plan)[1]


def test_it_knows_when_something_happens_next() -> None:
    simulation = Simulation(a_plan(heartbeat_seconds=100_000))
    simulation.start()
    quiet_until_ms = int(simulation.next_ms) - 1
    assert not simulation.advance(quiet_until_ms)


@pytest.mark.parametrize(
    "site", [Path(__file__).parents[3] / "sites" / f"{name}.json" for name in ("harbour", "market-street")]
)
def test_the_example_sites_can_be_simulated(site: Path) -> None:
    lots = read_lots(site.read_bytes())
    simulation = Simulation(a_plan(lots, uses=uses_of(lots, {})))
    said = simulation.start()
    assert {reading.lot for reading in said} == {lot.code for lot in lots}
    assert len(said) == sum(len(lot.bays) for lot in lots)
    assert simulation.advance(START_MS + HOUR_MS)
