"""`autospot`: the one command. Exit codes: 0, 1 (failed), 2 (usage)."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Coroutine
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
import uvloop

import sensors_sim.cli as simulator
from api.asyncapi import asyncapi
from api.openapi import openapi
from autospot import cli_doctor, cli_lots, cli_tariff, cli_users
from autospot.app import serving
from autospot.demo import DemoOptions, demo
from autospot.domain.errors import AutoSpotError
from autospot.embedded import Endpoints
from autospot.logs import configure_logs
from autospot.parts import declared_contract
from autospot.settings import Settings, load_settings

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)
app.add_typer(cli_lots.app, name="lots")
app.add_typer(cli_users.app, name="users")
app.add_typer(cli_doctor.app, name="doctor")
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
    configure_logs("warning", "auto")
    run(_demo(DemoOptions(data, http_port, mqtt_port, mongo_port, sim, anonymous_broker)))


async def _demo(options: DemoOptions) -> int:
    stop = _stop_signal()
    async with demo(options) as running:
        print(_where(running.endpoints), flush=True)
        stopped, ended = asyncio.create_task(stop.wait()), asyncio.create_task(running.ended())
        await asyncio.wait({stopped, ended}, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        if not ended.done():
            ended.cancel()
            return 0
        print(f"autospot: {ended.result()}", file=sys.stderr)
        return 1


def _where(endpoints: Endpoints) -> str:
    lines = ["AutoSpot runs. Ctrl-C ends it.", ""]
    lines += [f"  {page:<10}{url}" for page, url in endpoints.pages.items()]
    lines += ["", *(f"  {role:<10}{login.email}  {login.password}" for role, login in endpoints.logins.items())]
    lines += ["", f"  {'mqtt':<10}{endpoints.mqtt}", f"  {'mongo':<10}{endpoints.mongo}"]
    return "\n".join(lines)


def _stop_signal() -> asyncio.Event:
    """Set by SIGINT, SIGTERM and SIGHUP: an orderly end."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


@app.command("openapi")
def print_openapi() -> None:
    """Print the OpenAPI document."""
    print(orjson.dumps(openapi(declared_contract()), option=orjson.OPT_INDENT_2).decode())


@app.command("asyncapi")
def print_asyncapi() -> None:
    """Print the AsyncAPI document."""
    print(orjson.dumps(asyncapi(), option=orjson.OPT_INDENT_2).decode())


def _settings() -> Settings:
    settings = load_settings()
    configure_logs(settings.log_level, settings.log_format)
    return settings


async def _serve(settings: Settings, *, with_hub: bool, with_api: bool) -> int:
    stop = _stop_signal()
    async with serving(settings, with_hub=with_hub, with_api=with_api) as program:
        print(f"autospot serves {program.url}", flush=True)
        ended = [asyncio.create_task(event.wait()) for event in (stop, program.failed)]
        await asyncio.wait(ended, return_when=asyncio.FIRST_COMPLETED)
        for task in ended:
            task.cancel()
        return 1 if program.failed.is_set() else 0
