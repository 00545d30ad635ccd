"""`autospot`: the one command. Exit codes: 0, 1 (failed), 2 (usage)."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import orjson
import typer

import sensors_sim.cli as simulator
from autospot import cli_doctor, cli_due, cli_lots, cli_tariff, cli_users
from autospot.domain.errors import AutoSpotError
from autospot.logs import configure_logs
from autospot.settings import Settings, load_settings

# What only one command needs is imported by that command: all of it takes a second and a half of every call.
if TYPE_CHECKING:
    from autospot.demo import Demo, DemoOptions
    from autospot.embedded import Endpoints

T = TypeVar("T")

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)
app.add_typer(cli_lots.app, name="lots")
app.add_typer(cli_users.app, name="users")
app.add_typer(cli_doctor.app, name="doctor")
app.add_typer(cli_due.app, name="due")
app.add_typer(cli_tariff.app, name="tariff")
app.add_typer(simulator.app, name="sim")
if find_spec("psutil"):  # the benchmarks measure processes; production images leave that out
    from bench.cli import app as benchmarks

    app.add_typer(benchmarks, name="bench")


def main() -> None:
    """Entry point: errors of ours are one line on standard error, not a traceback."""
    try:
        app()
    except AutoSpotError as error:
        print(f"autospot: {error}", file=sys.stderr)
        sys.exit(1)


def run(work: Coroutine[Any, Any, int]) -> None:
    """Runs `work` on the fast event loop and exits with its code."""
    import uvloop

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


@app.command("demo")
def run_demo(
    data: Annotated[Path, typer.Option(help="Folder for all data; made if missing.")],
    http_port: Annotated[int | None, typer.Option(min=1, max=65535, help="Default: 8080, or a free one.")] = None,
    mqtt_port: Annotated[int | None, typer.Option(min=1, max=65535, help="Default: a free one.")] = None,
    mongo_port: Annotated[int | None, typer.Option(min=1, max=65535, help="Default: a free one.")] = None,
    *,
    sim: Annotated[bool, typer.Option(help="Run the sensor simulator.")] = True,
    anonymous_broker: Annotated[bool, typer.Option(help="Let anybody on this machine use the broker.")] = False,
) -> None:
    """Run everything on this machine: database, broker, hub, API, simulator."""
    from autospot.demo import DemoOptions

    configure_logs("warning", "auto")
    run(_demo(DemoOptions(data, http_port, mqtt_port, mongo_port, sim, anonymous_broker)))


async def _demo(options: DemoOptions) -> int:
    from autospot.demo import demo

    async def stay(running: Demo, stop: asyncio.Event) -> int:
        print(_where(running.endpoints), flush=True)
        stopped, ended = asyncio.create_task(stop.wait()), asyncio.create_task(running.ended())
        await asyncio.wait({stopped, ended}, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        if not ended.done():
            ended.cancel()
            return 0
        print(f"autospot: {ended.result()}", file=sys.stderr)
        return 1

    return await _until_stopped(demo(options), stay)


def _where(endpoints: Endpoints) -> str:
    lines = ["AutoSpot runs. Ctrl-C ends it.", ""]
    lines += [f"  {page:<10}{url}" for page, url in endpoints.pages.items()]
    lines += ["", *(f"  {role:<10}{login.email}  {login.password}" for role, login in endpoints.logins.items())]
    lines += ["", f"  {'mqtt':<10}{endpoints.mqtt}", f"  {'mongo':<10}{endpoints.mongo}"]
    return "\n".join(lines)


async def _until_stopped(
    program: AbstractAsyncContextManager[T], stay: Callable[[T, asyncio.Event], Awaitable[int]]
) -> int:
    """Starts `program`, stays with it and ends it; returns what `stay` returned. SIGINT, SIGTERM and SIGHUP set the
    event that `stay` is given; before that they end the start, whatever it waits for, in order and with 0."""
    stop, task, is_up = asyncio.Event(), asyncio.current_task(), False

    def stop_now() -> None:
        if task is not None and not stop.is_set() and not is_up:
            task.cancel()
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stop_now)
    try:
        async with program as running:
            is_up = True
            return await stay(running, stop)
    except asyncio.CancelledError:
        if not stop.is_set():
            raise
        return 0


@app.command("openapi")
def print_openapi() -> None:
    """Print the OpenAPI document."""
    from api.openapi import openapi
    from autospot.parts import declared_contract

    print(orjson.dumps(openapi(declared_contract()), option=orjson.OPT_INDENT_2).decode())


@app.command("asyncapi")
def print_asyncapi() -> None:
    """Print the AsyncAPI document."""
    from api.asyncapi import asyncapi

    print(orjson.dumps(asyncapi(), option=orjson.OPT_INDENT_2).decode())


def _settings() -> Settings:
    settings = load_settings()
    configure_logs(settings.log_level, settings.log_format)
    return settings


async def _serve(settings: Settings, *, with_hub: bool, with_api: bool) -> int:
    from autospot.app import Serving, serving

    async def stay(program: Serving, stop: asyncio.Event) -> int:
        print(f"autospot serves {program.url}", flush=True)
        ended = [asyncio.create_task(event.wait()) for event in (stop, program.failed)]
        await asyncio.wait(ended, return_when=asyncio.FIRST_COMPLETED)
        for task in ended:
            task.cancel()
        return 1 if program.failed.is_set() else 0

    return await _until_stopped(serving(settings, with_hub=with_hub, with_api=with_api), stay)
