"""`autospot`: the one command. Exit codes: 0, 1 (failed), 2 (usage)."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Coroutine
from typing import Any

import typer
import uvloop

from autospot.app import serving
from autospot.domain.errors import AutoSpotError
from autospot.logs import configure_logs
from autospot.settings import Settings, load_settings

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)


def main() -> None:
    """Entry point: errors of ours are one line on standard error, not a traceback."""
    try:
        app()
    except AutoSpotError as error:
        print(f"autospot: {error.message}", file=sys.stderr)
        sys.exit(1)


def run(work: Coroutine[Any, Any, int]) -> None:
    """Runs `work` on the fast event loop and exits with its code."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        code = runner.run(work)
    raise typer.Exit(code)


@app.command()
def serve() -> None:
    """Run hub and API in one process."""
    run(_serve(_settings(), with_hub=True, with_api=True))


@app.command()
def hub() -> None:
    """Run a hub: sensors in, live state out."""
    run(_serve(_settings(), with_hub=True, with_api=False))


@app.command()
def api() -> None:
    """Run an API server."""
    run(_serve(_settings(), with_hub=False, with_api=True))


def _settings() -> Settings:
    settings = load_settings()
    configure_logs(settings.log_level, settings.log_format)
    return settings


async def _serve(settings: Settings, *, with_hub: bool, with_api: bool) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with serving(settings, with_hub=with_hub, with_api=with_api) as program:
        print(f"autospot serves {program.url}", flush=True)
        ended = [asyncio.create_task(event.wait()) for event in (stop, program.failed)]
        await asyncio.wait(ended, return_when=asyncio.FIRST_COMPLETED)
        for task in ended:
            task.cancel()
        return 1 if program.failed.is_set() else 0
