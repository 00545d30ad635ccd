"""Carry out one run or replay in a terminal: signals, progress, report, exit code."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import orjson
import typer
from rich.console import Console

from sensors_sim.broker import Counts, PublishError
from sensors_sim.pace import Stopwatch

FAILED = 1
STOP_SECONDS = 5.0
"""After the first SIGINT or SIGTERM: how long the last acknowledgements may take. The second signal ends at once."""

PROGRESS_SECONDS = 0.5


class Journey(Protocol):
    """A run or a replay."""

    @property
    def counts(self) -> Counts: ...

    async def go(self) -> None: ...

    def report(self) -> dict[str, Any]: ...


def conduct(make: Callable[[], Journey], stopwatch: Stopwatch, report_json: Path | None) -> None:
    """Do it, and report, whatever came of it. `typer.Exit(1)` if not everything was acknowledged."""
    report, problem = asyncio.run(_travel(make, stopwatch))
    if report_json is None:
        typer.echo(_summary(report))
    elif str(report_json) == "-":
        typer.echo(orjson.dumps(report, option=orjson.OPT_INDENT_2).decode())
    else:
        report_json.write_bytes(orjson.dumps(report, option=orjson.OPT_INDENT_2))
    if problem:
        typer.echo(problem, err=True)
        raise typer.Exit(FAILED)


async def _travel(make: Callable[[], Journey], stopwatch: Stopwatch) -> tuple[dict[str, Any], str]:
    journey = make()
    going = asyncio.create_task(journey.go())
    _stop_on_signal(stopwatch, going)
    showing = asyncio.create_task(_show_progress(journey)) if sys.stderr.isatty() else None
    try:
        await going
    except PublishError as error:
        return journey.report(), str(error)
    except asyncio.CancelledError:
        return journey.report(), f"not everything was acknowledged {STOP_SECONDS:g} s after the signal to stop"
    finally:
        if showing is not None:
            showing.cancel()
    return journey.report(), ""


def _stop_on_signal(stopwatch: Stopwatch, going: asyncio.Task[None]) -> None:
    loop = asyncio.get_running_loop()

    def stop() -> None:
        stopwatch.stop()
        loop.call_later(STOP_SECONDS, going.cancel)
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)


async def _show_progress(journey: Journey) -> None:
    with Console(stderr=True).status("connecting") as status:
        while True:
            await asyncio.sleep(PROGRESS_SECONDS)
            counts = journey.counts
            status.update(f"{counts.published:,} readings published, {counts.acknowledged:,} acknowledged")


def _summary(report: dict[str, Any]) -> str:
    """What happened, in a few lines: every count of the report; what it says of single bays is in the JSON."""
    lines: list[str] = []
    for name, value in report.items():
        if name in {"bays", "sensors"}:
            continue
        words = value if not isinstance(value, dict) else ", ".join(f"{key} {count}" for key, count in value.items())
        lines.append(f"{name.replace('_', ' ')}: {words}")
    return "\n".join(lines)
