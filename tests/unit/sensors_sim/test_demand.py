"""The tables of demand: their sources, and the arrivals found from them."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path
from statistics import mean, median

import pytest

from sensors_sim.demand import (
    HOURS_PER_WEEK,
    KINDS,
    OCCUPANCY_PERCENT,
    STAYS,
    USES,
    Stay,
    Use,
    arrivals_per_bay_hour,
    planned_share,
    stay_of,
)
from sensors_sim.recording import read_recording

FIELD_EVENTS = Path(__file__).parents[2] / "vectors" / "iot_park_field_events_2024.csv"


def field_stays_minutes() -> dict[str, list[float]]:
    """Stays of at least five minutes by sensor, from its changes in the order of their own time."""
    changes: dict[str, set[tuple[int, bool]]] = {}
    for event in read_recording(FIELD_EVENTS.read_text(), "field"):
        if event.reading.kind == "change":
            changes.setdefault(event.reading.sensor.id, set()).add((event.reading.at_ms, bool(event.reading.occupied)))
    stays: dict[str, list[float]] = {}
    for sensor, said in changes.items():
        ordered = sorted(said)
        for (came_ms, first), (left_ms, second) in pairwise(ordered):
            if first and not second and left_ms - came_ms >= 300_000:
                stays.setdefault(sensor, []).append((left_ms - came_ms) / 60_000)
    return stays


def test_stays_on_the_street_are_those_of_the_recorded_sensors() -> None:
    by_sensor = field_stays_minutes()
    every = [minutes for stays in by_sensor.values() for minutes in stays]
    assert len(every) == 1917
    assert median(every) == pytest.approx(STAYS["street"].median_minutes, rel=0.01)
    logs = [[math.log(minutes) for minutes in stays] for stays in by_sensor.values() if len(stays) >= 20]
    squares = sum((x - mean(stays)) ** 2 for stays in logs for x in stays)
    spread = math.sqrt(squares / sum(len(stays) - 1 for stays in logs))
    assert spread == pytest.approx(STAYS["street"].sigma, rel=0.01)


def test_every_table_is_a_week_of_shares() -> None:
    for days in OCCUPANCY_PERCENT.values():
        assert [len(day) for day in days] == [24, 24, 24]
        assert all(0 < percent < 100 for day in days for percent in day)


def test_a_stay_has_its_median() -> None:
    stay = Stay(median_minutes=90, sigma=0.8)
    assert stay.share_longer_than(0) == 1
    assert stay.share_longer_than(90) == pytest.approx(0.5)
    assert stay.share_longer_than(90 * math.exp(0.8)) == pytest.approx(0.1587, abs=0.0001)
    assert stay.share_longer_than(72 * 60) == 0


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("kind", sorted(KINDS))
def test_the_arrivals_make_the_planned_occupancy_wherever_cars_can_leave_fast_enough(use: Use, kind: str) -> None:
    rates, stay = arrivals_per_bay_hour(use, kind), stay_of(use, kind)
    for hour in range(HOURS_PER_WEEK):
        present = sum(
            rates[(hour - ago) % HOURS_PER_WEEK] * stay.share_longer_than((ago + 0.5) * 60) for ago in range(72)
        )
        planned = (planned_share(use, kind, hour) + planned_share(use, kind, hour + 1)) / 2
        assert rates[hour] >= 0
        if rates[hour] > 0:
            assert present == pytest.approx(planned, abs=0.01)
        else:
            assert present >= planned - 0.01


def test_an_unknown_kind_of_bay_is_taken_for_a_general_one() -> None:
    assert arrivals_per_bay_hour("mixed", "unheard-of") == arrivals_per_bay_hour("mixed", "general")
