"""What a message does to a client's picture of a lot, and how long a client stays away."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from autospot.client.backoff import FIRST_SECONDS, LONGEST_SECONDS, pause_seconds
from autospot.client.errors import ApiError
from autospot.client.picture import Gap, LotPicture, apply_delta, picture_of


def view(state: str = "free") -> dict[str, Any]:
    return {"state": state, "occupied": state == "occupied", "since": None, "at": None}


def a_snapshot(rev: int = 100, epoch: str = "e1") -> dict[str, Any]:
    return {
        "type": "snapshot",
        "lot": "harbour",
        "epoch": epoch,
        "rev": rev,
        "at": "2026-11-22T10:00:00.000Z",
        "layout": 1,
        "bays": {"B1": view(), "B2": view()},
        "counts": {"total": {"free": 2}},
    }


def a_delta(start: int, end: int, *, epoch: str = "e1", **bays: str) -> dict[str, Any]:
    return {
        "type": "delta",
        "lot": "harbour",
        "epoch": epoch,
        "from": start,
        "rev": end,
        "at": "2026-11-22T10:00:01.000Z",
        "bays": {bay: view(state) for bay, state in bays.items()},
        "counts": {"total": {"free": 1}},
    }


@pytest.fixture
def known() -> LotPicture:
    return picture_of(a_snapshot())


def test_a_delta_that_follows_is_taken(known: LotPicture) -> None:
    assert apply_delta(known, a_delta(100, 101, B1="occupied")) == {"B1"}
    assert (known.rev, known.bays["B1"]["state"], known.bays["B2"]["state"]) == (101, "occupied", "free")
    assert known.counts["total"] == {"free": 1}


def test_a_delta_that_overlaps_is_taken_since_values_are_absolute(known: LotPicture) -> None:
    assert apply_delta(known, a_delta(50, 101, B1="occupied")) == {"B1"}
    assert apply_delta(known, a_delta(50, 101, B1="occupied")) == {"B1"}
    assert known.rev == 101


@pytest.mark.parametrize("delta", [a_delta(101, 102, B1="occupied"), a_delta(100, 101, epoch="e2", B1="occupied")])
def test_a_delta_that_does_not_follow_is_a_gap_and_changes_nothing(known: LotPicture, delta: dict[str, Any]) -> None:
    assert isinstance(apply_delta(known, delta), Gap)
    assert (known.rev, known.bays["B1"]["state"]) == (100, "free")


def test_a_delta_of_a_lot_that_is_not_known_is_a_gap() -> None:
    assert isinstance(apply_delta(None, a_delta(100, 101)), Gap)


def test_an_old_delta_brings_nothing_back(known: LotPicture) -> None:
    apply_delta(known, a_delta(100, 105, B1="occupied"))
    assert apply_delta(known, a_delta(90, 99, B1="free")) == frozenset()
    assert (known.rev, known.bays["B1"]["state"]) == (105, "occupied")


def test_a_snapshots_own_dictionary_is_not_shared() -> None:
    snapshot = a_snapshot()
    apply_delta(picture_of(snapshot), a_delta(100, 101, B1="occupied"))
    assert snapshot["bays"]["B1"]["state"] == "free"


def test_the_wait_grows_to_half_a_minute_and_is_spread_over_its_whole_length() -> None:
    longest = [pause_seconds(attempt, 1.0) for attempt in range(9)]
    assert longest == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]
    assert (FIRST_SECONDS, LONGEST_SECONDS) == (0.5, 30.0)
    random = Random(3)
    waits = [pause_seconds(6, random.random()) for _ in range(1000)]
    assert min(waits) < 1
    assert max(waits) > 29
    assert pause_seconds(10**6, 1.0) == LONGEST_SECONDS


def test_the_server_may_ask_to_stay_away_longer() -> None:
    assert pause_seconds(0, 0.0, at_least=5.0) == 5.0


def test_a_refusal_says_what_the_server_said() -> None:
    error = ApiError(429, {"code": "too_many_attempts", "detail": "wait", "errors": []}, 7.0)
    assert (error.status, error.code, error.detail, error.after_seconds) == (429, "too_many_attempts", "wait", 7.0)
    assert str(ApiError(502, {})) == "502 : "
