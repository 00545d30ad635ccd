"""What a parsing screen makes of frames, and how it charges a hub for waiting."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from bench.latency import Latencies
from bench.schedule import Load, Schedule, instant_text
from bench.watching import Expected, LotOnScreen, decode_message

START_MS = 1_795_000_000_000
ONE_BAY_EVERY_100_MS = Load(lots=1, bays=1, rate=10, seconds=1.0, warmup_seconds=0.0, seed=1)


def frame(kind: str, **fields: Any) -> Any:
    return decode_message(orjson.dumps({"type": kind, "lot": "L000", "epoch": "e", "rev": 1, **fields}))


def view(number: int) -> dict[str, Any]:
    """The only bay's view after reading `number` of the schedule."""
    occupied = Schedule(ONE_BAY_EVERY_100_MS, START_MS).occupied(0, number)
    at = instant_text(START_MS + 100 * number)
    return {"state": "occupied" if occupied else "free", "occupied": occupied, "since": at, "at": at}


def watched() -> tuple[LotOnScreen, Latencies]:
    latencies = Latencies()
    screen = LotOnScreen("L000", latencies)
    screen.apply(frame("snapshot", bays={}), 0)
    screen.expected = Expected(Schedule(ONE_BAY_EVERY_100_MS, START_MS), 0)
    return screen, latencies


def shown_at(screen: LotOnScreen, number: int, after_ms: int, **fields: Any) -> None:
    screen.apply(
        frame("delta", **{"from": 1, "bays": {"B00000": view(number)}, **fields}), (START_MS + after_ms) * 1000
    )


def test_a_reading_is_charged_from_when_it_was_due() -> None:
    screen, latencies = watched()
    shown_at(screen, 0, after_ms=40)
    assert (latencies.count, latencies.max_us) == (1, 40_000)


def test_readings_that_a_stalled_hub_merged_away_are_charged_too() -> None:
    screen, latencies = watched()
    shown_at(screen, 5, after_ms=530)
    assert latencies.count == 6
    assert latencies.max_us == 530_000
    assert screen.expected is not None
    assert screen.expected.missing == 4


def test_a_repeated_view_is_charged_once() -> None:
    screen, latencies = watched()
    shown_at(screen, 0, after_ms=40)
    shown_at(screen, 0, after_ms=90)
    assert latencies.count == 1


def test_readings_of_the_warm_up_are_awaited_but_not_charged() -> None:
    latencies = Latencies()
    expected = Expected(Schedule(Load(1, 1, 10, 0.5, 0.5, 1), START_MS), 0)
    expected.shown("B00000", START_MS + 600, (START_MS + 640) * 1000, latencies)
    assert (expected.missing, latencies.count) == (3, 2)


def test_a_snapshot_replaces_all_that_was_known() -> None:
    screen, _ = watched()
    shown_at(screen, 0, after_ms=1)
    screen.apply(frame("snapshot", bays={"B00007": {"state": "unknown", "occupied": None, "stale": True}}), 0)
    assert list(screen.bays) == ["B00007"]
    assert screen.bays["B00007"].occupied is None


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"from": 2, "rev": 3}, id="gap"),
        pytest.param({"epoch": "other"}, id="other history"),
        pytest.param({"rev": 0, "from": 0}, id="step back"),
        pytest.param({"lot": "L001"}, id="another lot"),
        pytest.param({"bays": {"B00000": {**view(0), "state": "reserved"}}}, id="state that denies the sensor"),
    ],
)
def test_a_frame_that_the_contract_forbids_is_an_error(fields: dict[str, Any]) -> None:
    screen, _ = watched()
    with pytest.raises(ValueError, match="L000"):
        shown_at(screen, 0, after_ms=1, **fields)


def test_message_types_that_it_does_not_know_are_ignored() -> None:
    screen, _ = watched()
    screen.apply(frame("beat", lot="", lots={"L000": 5}), 0)
    assert screen.bays == {}
