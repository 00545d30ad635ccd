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
    assert faults(history, stored) == [found]


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
    assert faults(history, stored) == [found]
