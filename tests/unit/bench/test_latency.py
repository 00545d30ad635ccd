"""The histogram says what a sorted list would say, a little rounded up."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.latency import LONGEST_US, PERCENTILES, Latencies, bucket_of, highest_in

durations = st.integers(0, LONGEST_US)


def recorded(values: list[int]) -> Latencies:
    latencies = Latencies()
    for value in values:
        latencies.record(value)
    return latencies


@given(durations)
def test_a_value_lies_in_its_bucket_and_above_all_lower_buckets(value: int) -> None:
    bucket = bucket_of(value)
    assert value <= highest_in(bucket)
    assert bucket == 0 or value > highest_in(bucket - 1)


@given(st.lists(durations, min_size=1, max_size=300), st.sampled_from(PERCENTILES))
def test_a_percentile_is_never_understated_and_overstated_by_less_than_one_part_in_128(
    values: list[int], percent: float
) -> None:
    exact = sorted(values)[math.ceil(len(values) * percent / 100) - 1]
    told = recorded(values).percentile_us(percent)
    assert exact <= told <= exact + exact / 128


@given(st.lists(durations, min_size=1))
def test_the_maximum_is_exact(values: list[int]) -> None:
    assert recorded(values).max_us == max(values)


def test_recording_a_value_many_times_is_recording_it_again_and_again() -> None:
    at_once = Latencies()
    at_once.record(700, times=5)
    assert at_once.summary() == recorded([700] * 5).summary()


def test_the_summary_is_in_milliseconds_and_its_buckets_hold_every_record() -> None:
    summary = recorded([1_000] * 99 + [50_000]).summary()
    assert summary["p50_ms"] == pytest.approx(1.0, rel=1 / 128)
    assert summary["max_ms"] == 50.0
    assert sum(number for _, number in summary["buckets_us"]) == summary["count"] == 100


def test_nothing_recorded_is_zero_not_an_error() -> None:
    assert Latencies().percentile_us(99) == 0


def test_what_is_seen_before_it_was_due_is_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        Latencies().record(-1)
