"""The schedule is fixed in advance, and everybody who knows its seed knows what was said."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.schedule import Load, Said, Schedule, instant_ms, instant_text

START_MS = 1_795_000_000_000


def a_load(**changes: Any) -> Load:
    fields: dict[str, Any] = {"lots": 2, "bays": 5, "rate": 100, "seconds": 1.0, "warmup_seconds": 0.5, "seed": 7}
    return Load(**{**fields, **changes})


def a_schedule(**changes: Any) -> Schedule:
    return Schedule(a_load(**changes), START_MS)


def replayed(schedule: Schedule) -> dict[int, Said]:
    """The newest word per bay, the long way."""
    said = {}
    for number in range(schedule.load.first, schedule.load.end):
        bay = schedule.order[number % schedule.total_bays]
        said[bay] = Said(schedule.occupied(bay, number // schedule.total_bays), schedule.due_ms(number))
    return said


def test_readings_are_due_at_even_distances_whatever_has_been_sent() -> None:
    schedule = a_schedule(rate=4)
    assert [schedule.due_ms(number) - START_MS for number in range(5)] == [0, 250, 500, 750, 1000]


def test_the_number_that_is_due_follows_the_clock_alone() -> None:
    schedule = a_schedule(rate=4)
    due = [schedule.due_by(START_MS + elapsed) for elapsed in (-1, 0, 249, 250, 1_000, 10**9)]
    assert due == [0, 1, 1, 2, 5, schedule.load.readings]


@given(rate=st.integers(1, 50), first=st.integers(0, 40), lots=st.integers(1, 3), bays=st.integers(1, 7))
def test_the_newest_words_are_what_a_replay_of_all_readings_leaves(rate: int, first: int, lots: int, bays: int) -> None:
    schedule = a_schedule(rate=rate, first=first, lots=lots, bays=bays)
    assert schedule.newest() == replayed(schedule)


def test_a_bay_says_something_else_each_time() -> None:
    schedule = a_schedule(seconds=2.0)
    words = defaultdict(list)
    for number in range(schedule.load.readings):
        bay = schedule.order[number % schedule.total_bays]
        words[bay].append(schedule.occupied(bay, number // schedule.total_bays))
    assert len(words) == schedule.total_bays
    assert all(before != after for said in words.values() for before, after in pairwise(said))


def test_a_load_that_continues_another_takes_up_where_that_ended() -> None:
    whole = a_schedule(seconds=2.0, warmup_seconds=0)
    second = a_schedule(seconds=1.0, warmup_seconds=0, first=100)
    assert second.load.end == whole.load.end
    assert {bay: word.occupied for bay, word in second.newest().items()} == {
        bay: word.occupied for bay, word in whole.newest().items()
    }
    assert second.due_ms(100) == START_MS


def test_readings_of_the_warm_up_are_not_measured() -> None:
    load = a_load(rate=100, warmup_seconds=0.5, seconds=1.0)
    assert (load.readings, load.first_measured, load.measured_readings) == (150, 50, 100)


@pytest.mark.parametrize("first", [0, 13])
def test_the_readings_of_all_lots_by_bay_are_all_readings(first: int) -> None:
    schedule = a_schedule(first=first)
    numbers = [
        number
        for lot in range(schedule.load.lots)
        for bay_numbers in schedule.numbers_by_bay(lot).values()
        for number in bay_numbers
    ]
    assert sorted(numbers) == list(range(schedule.load.first, schedule.load.end))


def test_the_same_seed_says_the_same_and_another_does_not() -> None:
    assert a_schedule(seed=7).newest() == a_schedule(seed=7).newest()
    assert a_schedule(seed=7).newest() != a_schedule(seed=8).newest()


@given(st.integers(0, 4_102_444_800_000))
def test_an_instant_survives_being_written_down(at_ms: int) -> None:
    assert instant_ms(instant_text(at_ms)) == at_ms


@pytest.mark.parametrize("changes", [{"rate": 0}, {"seconds": 0}, {"lots": 0}, {"rate": 10**9}, {"first": -1}])
def test_a_load_without_end_or_sense_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"positive|limit"):
        a_load(**changes)
