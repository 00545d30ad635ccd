"""A whole run, with a real broker, a real database and real screens."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench import floor_runs, stores
from bench.floor_runs import bare_fanout_us_per_frame, run_broker_floor
from bench.processes import OWN_CODE
from bench.result import Run
from bench.schedule import Load
from bench.stack import Database, running_database
from bench.systems import System, python_systems
from bench.trial import run_trial

A_SECOND = Load(lots=2, bays=10, rate=100, seconds=1.0, warmup_seconds=0.0, seed=11)
SCREENS = 6


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with running_database(tmp_path_factory.mktemp("bench")) as running:
        yield running


@pytest.fixture(scope="module")
def honest(database: Database, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return run_trial(python_systems()[0], A_SECOND, SCREENS, database, tmp_path_factory.mktemp("honest"))


def test_an_honest_hub_passes_the_gate_everywhere(honest: Run) -> None:
    assert honest.wrong == []
    assert [verdict.where for verdict in honest.verdicts] == ["screen", "fresh snapshot", "database"]
    assert all(verdict.compared == 20 for verdict in honest.verdicts)


def test_every_reading_is_charged_and_every_process_accounted_for(honest: Run) -> None:
    assert honest.latency["count"] == A_SECOND.readings
    assert set(honest.cpu_us_per_reading) == {"hub", "broker", "mongod", "sender", "parsers", "drainers"}
    assert honest.frames_per_reading == pytest.approx(SCREENS / A_SECOND.lots, rel=0.1)


def test_a_hub_that_lies_about_one_bay_is_found_out_everywhere(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stores, "PROJECTION_SECONDS", 0.5)
    lying = System("lying", (sys.executable, str(Path(__file__).with_name("lying_hub.py"))), OWN_CODE)
    run = run_trial(lying, A_SECOND, SCREENS, database, tmp_path)
    assert run.untrue
    assert [(verdict.where, verdict.wrong) for verdict in run.verdicts] == [
        ("screen", 1),
        ("fresh snapshot", 1),
        ("database", 1),
    ]
    assert "L000/B00001" in run.verdicts[0].examples[0]


def test_the_floors_carry_the_same_load(honest: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(floor_runs, "BARE_SECONDS", 0.5)
    broker = run_broker_floor(A_SECOND, tmp_path / "broker")
    assert broker.missing == 0
    assert broker.latency["count"] == A_SECOND.readings
    assert bare_fanout_us_per_frame(honest, tmp_path / "bare") > 0
