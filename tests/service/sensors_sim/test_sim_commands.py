"""`autospot sim`: exit codes, reports and signals of the real program, in its own process."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from sensors_sim.cli import app
from tests.service.sensors_sim.listening import listening
from tests.support.services import eventually, free_port

PROGRAM = (sys.executable, "-c", "from sensors_sim.cli import app; app()")
LOTS = {"lots": [{"lot": "cli", "time_zone": "Europe/Berlin", "bays": [{"bay": f"B{n}"} for n in range(20)]}]}


@pytest.fixture
def lot_file(tmp_path: Path) -> Path:
    path = tmp_path / "lots.json"
    path.write_text(json.dumps(LOTS))
    return path


async def sim(*arguments: object) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *PROGRAM, *map(str, arguments), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )


async def test_a_run_reports_as_json_and_exits_with_0(broker_url: str, lot_file: Path, tmp_path: Path) -> None:
    report_file = tmp_path / "report.json"
    process = await sim(
        "run",
        "--mqtt",
        broker_url,
        "--lots",
        lot_file,
        "--duration",
        0.3,
        "--speed",
        3600,
        "--report-json",
        report_file,
    )
    out, error = await asyncio.wait_for(process.communicate(), 20)
    assert (process.returncode, out, error) == (0, b"", b"")  # no progress where there is no terminal
    report = json.loads(report_file.read_bytes())
    assert report["readings"]["planned"] == report["readings"]["acknowledged"] >= 20
    assert len(report["bays"]["cli"]) == 20


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_ends_a_run_cleanly(number: signal.Signals, broker_url: str, lot_file: Path) -> None:
    async with listening(broker_url, "autospot/v1/cli/#") as heard:
        process = await sim("run", "--mqtt", broker_url, "--lots", lot_file)
        await eventually(lambda: sum(m.topic.endswith("/reading") for m in heard) == 20, deadline_seconds=20)
        process.send_signal(number)
        out, error = await asyncio.wait_for(process.communicate(), 10)
        assert (process.returncode, error) == (0, b"")
        assert b"published 20, acknowledged 20" in out
        await eventually(lambda: heard[-1].payload == b"offline")


async def test_a_replay_prints_its_report(broker_url: str, tmp_path: Path) -> None:
    recording = tmp_path / "events.jsonl"
    recording.write_text(
        '{"device": "S1", "event_time_utc": "2024-01-02T06:15:34Z", "event": "parking", "occupied": 1}'
    )
    process = await sim("replay", recording, "--mqtt", broker_url, "--lot", "cli", "--report-json", "-")
    out, _ = await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode == 0
    assert json.loads(out)["sensors"] == {"S1": {"occupied": True, "at": "2024-01-02T06:15:34.000Z"}}


def test_no_broker_is_exit_code_1(lot_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sensors_sim.publisher.CONNECT_SECONDS", 0.2)
    result = invoked("run", "--mqtt", f"mqtt://127.0.0.1:{free_port()}", "--lots", lot_file)
    assert result.exit_code == 1
    assert "no connection to mqtt://127.0.0.1" in result.output


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--mqtt", "http://127.0.0.1"), "mqtt://"),
        (("--fault", "theft=1"), "unknown fault"),
        (("--use", "elsewhere=office"), "elsewhere"),
        (("--use", "cli=farm"), "farm"),
        (("--start", "2026-11-23T08:00:00"), "time zone"),
        (("--stamp", "moon"), "moon"),
        (("--speed", "0"), "speed"),
        (("--network-server", "carrier-pigeon"), "carrier-pigeon"),
    ],
)
def test_wrong_usage_is_exit_code_2_and_says_what_is_wrong(
    arguments: tuple[str, ...], complaint: str, lot_file: Path
) -> None:
    result = invoked("run", "--lots", lot_file, "--mqtt", "mqtt://127.0.0.1:1", *arguments)
    assert result.exit_code == 2
    assert complaint in result.output


@pytest.mark.parametrize(
    ("text", "complaint"), [('{"lots": []}', "no lot"), ('{"lots": [{"lot": "a b", "bays": []}]}', "$.lots[0].lot")]
)
def test_a_wrong_lot_file_is_exit_code_2(text: str, complaint: str, tmp_path: Path) -> None:
    lot_file = tmp_path / "lots.json"
    lot_file.write_text(text)
    result = invoked("run", "--lots", lot_file, "--mqtt", "mqtt://127.0.0.1:1")
    assert result.exit_code == 2
    assert complaint in result.output


def test_a_wrong_recording_is_exit_code_2(tmp_path: Path) -> None:
    recording = tmp_path / "events.csv"
    recording.write_text("device,event_time_utc,event\nS1,yesterday,keepalive\n")
    result = invoked("replay", recording, "--mqtt", "mqtt://127.0.0.1:1", "--lot", "field")
    assert result.exit_code == 2
    assert "line 2" in result.output


def invoked(*arguments: object) -> Any:
    return CliRunner().invoke(app, [str(argument) for argument in arguments], env={"COLUMNS": "200"})
