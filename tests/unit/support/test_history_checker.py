"""The checker finds what was planted, and nothing in a history that is sound."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.bookings import between
from tests.support.history_checker import Attempt, History, Outcome, Release, Stored, faults


def booked(key: str, begun: float, outcome: Outcome = "ok", *, start: int = 10, until: int = 12) -> Attempt:
    booking = f"bkg_{key}" if outcome == "ok" else None
    return Attempt(key, "B1", between(start, until), begun, begun + 1, outcome, booking)


def kept(key: str, *, is_open: bool = True, start: int = 10, until: int = 12) -> Stored:
    return Stored(f"bkg_{key}", "B1", between(start, until), is_open)


def a_sound_history() -> tuple[History, list[Stored]]:
    """A books, B is refused, A cancels, C books, D books beside it."""
    history = History(
        [
            booked("a", 0),
            booked("b", 0.5, "refused", start=11, until=13),
            booked("c", 5),
            booked("d", 5, start=12, until=13),
            booked("e", 7, "unknown", start=14, until=15),
        ],
        [Release("bkg_a", 3, 4, "ok")],
    )
    return history, [kept("a", is_open=False), kept("c"), kept("d", start=12, until=13)]


def test_a_sound_history_has_no_faults() -> None:
    assert faults(*a_sound_history()) == []


def test_one_who_was_refused_while_another_was_only_being_made_is_explained() -> None:
    history = History([booked("a", 1), booked("b", 0.5, "refused")])
    assert faults(history, [kept("a")]) == []


def test_what_may_have_happened_explains_a_refusal_for_ever() -> None:
    history = History([booked("a", 0, "unknown"), booked("b", 50, "refused")])
    assert faults(history, []) == []


@pytest.mark.parametrize(
    ("attempt", "found"),
    [
        (booked("x", 8), "bkg_c and bkg_x both had B1 at one moment"),
        (booked("x", 8, "refused", start=20, until=21), "x was refused B1, and nothing was in its way"),
        (booked("x", 4.5, "refused", start=8, until=10), "x was refused B1, and nothing was in its way"),
        (replace(booked("c", 8, start=16, until=17), booking="bkg_c2"), "c was done 2 times"),
    ],
)
def test_a_planted_call_is_found(attempt: Attempt, found: str) -> None:
    history, stored = a_sound_history()
    history.attempts.append(attempt)
    if attempt.booking:
        stored.append(Stored(attempt.booking, "B9", attempt.period, True))
    assert found in faults(history, stored)


def moved(begun: float, outcome: Outcome = "ok", *, start: int = 16, until: int = 18) -> Attempt:
    """C is moved to the afternoon."""
    return Attempt("f", "B1", between(start, until), begun, begun + 1, outcome, "bkg_c", moves=True)


def test_what_was_moved_takes_its_new_time_and_gives_the_old_one_back() -> None:
    history, stored = a_sound_history()
    history.attempts += [moved(10), booked("g", 12), booked("h", 13, "refused", start=17, until=18)]
    after = [replace(each, period=between(16, 18)) if each.id == "bkg_c" else each for each in stored]
    assert faults(history, [*after, kept("g")]) == []
    assert faults(history, [*stored, kept("g")]) == [
        "bkg_c and bkg_g overlap on B1",
        "bkg_c was acknowledged on B1, and is not there at that time",
    ]


def test_while_it_is_not_known_whether_it_was_moved_both_times_explain_a_refusal() -> None:
    history, stored = a_sound_history()
    history.attempts += [
        moved(10, "unknown"),
        booked("g", 12, "refused"),
        booked("h", 13, "refused", start=17, until=18),
    ]
    assert faults(history, stored) == []


def test_a_try_that_was_cut_off_explains_refusals_for_a_while_and_no_longer() -> None:
    history, stored = a_sound_history()
    cut_off = replace(booked("g", 10, "refused"), lingers=30.0)
    late, too_late = booked("h", 35, "refused"), booked("i", 45, "refused")
    for each in (cut_off, late, too_late):
        history.attempts.append(replace(each, period=between(20, 22)))
    history.attempts.append(replace(booked("j", 9, "refused"), period=between(20, 22)))
    history.attempts[-4] = replace(history.attempts[-4], begun=8)
    assert faults(history, stored) == [
        "g was refused B1, and nothing was in its way",
        "i was refused B1, and nothing was in its way",
    ]


@pytest.mark.parametrize(
    ("attempt", "found"),
    [
        (booked("g", 8), "bkg_c and bkg_g both had B1 at one moment"),
        (booked("g", 12, start=17, until=18), "bkg_c and bkg_g both had B1 at one moment"),
        (booked("g", 12, "refused"), "g was refused B1, and nothing was in its way"),
    ],
)
def test_a_call_that_a_move_does_not_excuse_is_found(attempt: Attempt, found: str) -> None:
    history, stored = a_sound_history()
    history.attempts += [moved(10), attempt]
    after = [replace(each, period=between(16, 18)) if each.id == "bkg_c" else each for each in stored]
    if attempt.outcome == "ok":
        after.append(Stored("bkg_g", "B9", attempt.period, True))
    assert found in faults(history, after)


@pytest.mark.parametrize(
    ("stored", "found"),
    [
        ([kept("a", is_open=False), kept("d", start=12, until=13)], "bkg_c was acknowledged and is not there"),
        (
            [kept("a", is_open=False), kept("c", is_open=False), kept("d", start=12, until=13)],
            "bkg_c was acknowledged, never given back, and is over",
        ),
        (
            [kept("a", start=8, until=9), kept("c"), kept("d", start=12, until=13)],
            "bkg_a was given back and is still open",
        ),
        (
            [kept("a", is_open=False), kept("c"), kept("d", start=12, until=13), kept("z", start=11, until=12)],
            "bkg_c and bkg_z overlap on B1",
        ),
    ],
)
def test_a_planted_end_is_found(stored: list[Stored], found: str) -> None:
    history, _stored = a_sound_history()
    assert found in faults(history, stored)
