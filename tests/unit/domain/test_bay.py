"""The two halves of a bay: precedence, order, repeats, time."""

from __future__ import annotations

from itertools import permutations

import pytest
from msgspec.structs import replace

from autospot.domain.bay import (
    COUNTER_RESET_MS,
    NOTHING_SAID,
    Claim,
    Closure,
    SensorHalf,
    State,
    Verdict,
    bay_after_reading,
    bay_after_silence,
    event_time_ms,
    in_conflict,
    shown_state,
)
from autospot.domain.reading import AHEAD_LIMIT_MS, CLOCK_UNSET_BEFORE_MS, Reading

NOW = 1_800_000_000_000
RESERVED = Claim("reserved", NOW, NOW + 60_000, "bkg_1")
ASSIGNED = Claim("assigned", NOW, NOW + 60_000, "asg_1")
CLOSED = Closure("cleaning")


@pytest.mark.parametrize(
    ("occupied", "claim", "closure", "state"),
    [
        (True, RESERVED, CLOSED, "out_of_service"),
        (True, RESERVED, None, "occupied"),
        (False, ASSIGNED, None, "assigned"),
        (None, ASSIGNED, None, "assigned"),
        (False, RESERVED, None, "reserved"),
        (None, None, None, "unknown"),
        (False, None, None, "free"),
    ],
)
def test_the_first_rule_that_applies_is_shown(
    occupied: bool | None, claim: Claim | None, closure: Closure | None, state: State
) -> None:
    assert shown_state(occupied, claim, closure) == state


def test_whoever_stood_there_before_the_claim_is_somebody_else() -> None:
    assert in_conflict(True, NOW - 1, RESERVED)
    assert not in_conflict(True, NOW, RESERVED)
    assert not in_conflict(False, NOW - 1, RESERVED)
    assert not in_conflict(True, NOW - 1, None)


def said(occupied: bool, at_ms: int = NOW, boot: int | str | None = None, seq: int | None = None) -> Reading:
    return Reading(sensor="s", occupied=occupied, at_ms=at_ms, boot=boot, seq=seq)


def after(*readings: Reading) -> SensorHalf:
    half = NOTHING_SAID
    for reading in readings:
        _, half = bay_after_reading(half, reading, reading.at_ms or 0)
    return half


def verdict(before: SensorHalf, reading: Reading) -> Verdict:
    return bay_after_reading(before, reading, reading.at_ms or 0)[0]


def test_the_newest_reading_wins_in_every_order_of_arrival() -> None:
    story = [said(True, NOW), said(False, NOW + 1), said(True, NOW + 2), said(False, NOW + 3)]
    assert {(after(*order).occupied, after(*order).at_ms) for order in permutations(story)} == {(False, NOW + 3)}


def test_repeats_late_ones_and_witnesses_are_told_apart() -> None:
    half = after(said(True, NOW))
    assert verdict(half, said(True, NOW)) == "repeat"
    assert verdict(half, said(False, NOW - 1)) == "late"
    assert verdict(half, said(True, NOW + 1)) == "witness"
    assert verdict(half, replace(said(True, NOW + 1), kind="heartbeat")) == "unchanged"
    assert verdict(half, said(False, NOW)) == "changed"


def test_boot_and_sequence_go_before_the_clock() -> None:
    half = after(said(True, NOW, boot=3, seq=9))
    assert verdict(half, said(False, NOW + 9, boot=3, seq=8)) == "late"
    assert verdict(half, said(True, NOW + 9, boot=3, seq=9)) == "repeat"
    assert verdict(half, said(False, NOW - 9, boot=3, seq=10)) == "changed"
    assert verdict(half, said(False, NOW - 9, boot=4, seq=0)) == "changed"
    assert verdict(half, said(False, NOW + 9, boot=2, seq=99)) == "late"


def test_radio_sessions_are_not_ordered_by_name_but_by_time() -> None:
    half = after(said(True, NOW, boot="b", seq=900))
    assert verdict(half, said(False, NOW + 1, boot="a", seq=0)) == "changed"
    assert verdict(half, said(False, NOW - 1, boot="c", seq=999)) == "late"
    assert verdict(half, said(False, NOW + 1, boot="b", seq=1)) == "late"
    assert verdict(half, said(False, NOW + COUNTER_RESET_MS + 1, boot="b", seq=1)) == "changed"


def test_silence_is_unknown_and_the_next_word_counts_again() -> None:
    silent = bay_after_silence(after(said(True, NOW)), NOW + 5)
    assert (silent.occupied, silent.since_ms, silent.at_ms) == (None, NOW + 5, NOW)
    assert verdict(silent, said(True, NOW + 6)) == "changed"


@pytest.mark.parametrize(
    ("at_ms", "expected"),
    [
        (None, (NOW, False)),
        (NOW - 3_600_000, (NOW - 3_600_000, False)),
        (NOW + AHEAD_LIMIT_MS, (NOW + AHEAD_LIMIT_MS, False)),
        (NOW + AHEAD_LIMIT_MS + 1, (NOW, True)),
        (CLOCK_UNSET_BEFORE_MS - 1, (NOW, True)),
    ],
)
def test_times_that_cannot_be_right_are_replaced_and_flagged(at_ms: int | None, expected: tuple[int, bool]) -> None:
    assert event_time_ms(Reading(sensor="s", occupied=True, at_ms=at_ms), NOW) == expected
