"""Cars come and go as the tables say, and always the same way for the same seed."""

from __future__ import annotations

from collections import Counter
from statistics import mean, median
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensors_sim.demand import Use, arrivals_per_bay_hour, planned_share, stay_of
from sensors_sim.lots import Bay, Lot, Sensor
from sensors_sim.world import BayId, Transition, World, hour_of_week
from tests.unit.sensors_sim.building import BERLIN, HOUR_MS, MONDAY_MS, WEEK_MS, a_lot, at


def a_world(*lots: Lot, use: Use = "shopping", seed: int = 1, start_ms: int = MONDAY_MS) -> World:
    chosen = lots or (a_lot(),)
    return World(chosen, {lot.code: use for lot in chosen}, seed=seed, start_ms=start_ms)


def a_day(world: World) -> list[Transition]:
    return world.advance(MONDAY_MS + 24 * HOUR_MS)


def test_the_same_seed_makes_the_same_day() -> None:
    assert a_day(a_world()) == a_day(a_world())


def test_another_seed_makes_another_day() -> None:
    assert a_day(a_world(seed=1)) != a_day(a_world(seed=2))


def test_another_lot_changes_nothing_in_this_one() -> None:
    alone = a_day(a_world(a_lot("harbour")))
    together = a_day(a_world(a_lot("airport"), a_lot("harbour"), a_lot("zoo")))
    assert [transition for transition in together if transition.bay.lot == "harbour"] == alone


@given(steps=st.lists(st.integers(min_value=0, max_value=24 * HOUR_MS), max_size=6))
@settings(max_examples=25, deadline=None)
def test_the_steps_in_which_one_looks_change_nothing(steps: list[int]) -> None:
    stepping = a_world()
    seen = [transition for step in sorted(steps) for transition in stepping.advance(MONDAY_MS + step)]
    seen += a_day(stepping)
    assert seen == a_day(a_world())


def test_transitions_come_in_the_order_of_time_and_alternate_at_each_bay() -> None:
    world = a_world()
    taken = dict(world.occupied)
    transitions = a_day(world)
    assert len(transitions) > 50
    assert [t.at_ms for t in transitions] == sorted(t.at_ms for t in transitions)
    for transition in transitions:
        assert transition.occupied is not taken[transition.bay]
        taken[transition.bay] = transition.occupied
    assert taken == world.occupied


def test_arrivals_in_each_hour_of_the_week_are_poisson_around_the_stated_rate() -> None:
    weeks, bays = 8, 150
    world = a_world(a_lot(bays=bays), use="shopping")
    arrived = Counter(
        hour_of_week(transition.at_ms, BERLIN)
        for transition in world.advance(MONDAY_MS + weeks * WEEK_MS)
        if transition.occupied
    )
    assert world.turned_away == 0
    expected = [rate * bays * weeks for rate in arrivals_per_bay_hour("shopping", "general")]
    dispersion = mean((arrived[hour] - mu) ** 2 / mu for hour, mu in enumerate(expected) if mu > 20)
    assert 0.7 < dispersion < 1.3  # 1 for a Poisson count; its deviation over about 120 hours is 0.13
    assert sum(arrived.values()) == pytest.approx(sum(expected), rel=0.02)


@pytest.mark.parametrize("use", ["shopping", "street", "mixed"])
def test_lots_are_as_full_as_planned_in_each_hour(use: Use) -> None:
    weeks, bays = 2, 300
    world = a_world(a_lot(bays=bays), use=use)
    shares: dict[int, list[float]] = {}
    for hour in range(weeks * 168):
        world.advance(MONDAY_MS + hour * HOUR_MS + HOUR_MS // 2)
        shares.setdefault(hour % 168, []).append(sum(world.occupied.values()) / bays)
    errors = [mean(seen) - planned_share(use, "general", hour) for hour, seen in shares.items()]
    assert abs(mean(errors)) < 0.03
    assert mean(map(abs, errors)) < 0.04  # chance alone makes about 0.03 of it with 300 bays


def test_offices_fill_in_the_morning_and_empty_at_weekends() -> None:
    bays = 200
    world = a_world(a_lot(bays=bays), use="office")
    full = {}
    for hour in range(168):
        world.advance(MONDAY_MS + hour * HOUR_MS + HOUR_MS // 2)
        full[hour] = sum(world.occupied.values()) / bays
    tuesday, saturday = 24, 5 * 24
    assert full[tuesday + 11] > 0.8
    assert full[tuesday + 5] < 0.2
    assert full[saturday + 11] < 0.45
    rates = arrivals_per_bay_hour("office", "general")[tuesday : tuesday + 24]
    assert rates.index(max(rates)) in {8, 9}


def test_streets_are_fullest_in_the_evening() -> None:
    rates = arrivals_per_bay_hour("street", "general")[:24]
    assert rates.index(max(rates)) in {17, 18}
    assert max(range(24), key=lambda hour: planned_share("street", "general", hour)) == 19


@pytest.mark.parametrize("kind", ["general", "disabled", "ev", "family"])
def test_half_of_the_cars_leave_within_the_stated_median(kind: str) -> None:
    world = a_world(a_lot(bays=60, kind=kind))
    arrived: dict[BayId, int] = {}
    stays: list[float] = []
    for transition in world.advance(MONDAY_MS + WEEK_MS):
        if transition.occupied:
            arrived[transition.bay] = transition.at_ms
        elif transition.bay in arrived:
            stays.append((transition.at_ms - arrived.pop(transition.bay)) / 60_000)
    assert len(stays) > 300
    assert median(stays) == pytest.approx(stay_of("shopping", kind).median_minutes, rel=0.12)


def test_kinds_of_bay_have_their_own_demand() -> None:
    bays = tuple(
        Bay(f"{kind}{n}", kind, Sensor(f"{kind}{n}")) for kind in ("general", "disabled", "ev") for n in range(100)
    )
    world = a_world(Lot("harbour", BERLIN, bays), use="shopping", start_ms=at("2026-11-28T14:00"))
    full = Counter(bay.bay.rstrip("0123456789") for bay, taken in world.occupied.items() if taken)
    assert full["disabled"] < full["ev"] < full["general"]


def test_the_world_is_already_lived_in_when_it_is_first_looked_at() -> None:
    worlds = [a_world(a_lot(bays=300), use="street", seed=n, start_ms=at("2026-11-23T13:00")) for n in range(10)]
    assert mean(sum(world.occupied.values()) / 300 for world in worlds) == pytest.approx(0.62, abs=0.03)
    assert all(world.turned_away == 0 for world in worlds)


def test_a_full_lot_turns_cars_away() -> None:
    world = a_world(a_lot(bays=2), use="street")
    world.advance(MONDAY_MS + 4 * WEEK_MS)
    assert world.turned_away > 10


@pytest.mark.parametrize(
    ("instant", "zone", "hour"),
    [
        ("2026-11-23T00:30", "Europe/Berlin", 0),
        ("2026-11-29T23:30", "Europe/Berlin", 167),
        ("2026-03-29T03:30", "Europe/Berlin", 6 * 24 + 3),  # an hour after midnight and a half: the clock has jumped
        ("2026-07-06T09:15", "Asia/Kathmandu", 9),  # three quarters of an hour beside UTC
    ],
)
def test_hours_are_local(instant: str, zone: str, hour: int) -> None:
    assert hour_of_week(at(instant, ZoneInfo(zone)), ZoneInfo(zone)) == hour
