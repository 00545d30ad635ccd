"""`autospot sim run` and `autospot sim replay`.

Exit codes: 0 done, or stopped by SIGINT or SIGTERM with everything acknowledged; 1 failed; 2 wrong usage or input.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from sensors_sim.broker import Broker
from sensors_sim.demand import USES, Use
from sensors_sim.encoders import NetworkServer
from sensors_sim.faults import RATES, parse_rates
from sensors_sim.journey import conduct
from sensors_sim.lots import Lot, is_code, read_lots
from sensors_sim.pace import Stamp, Stopwatch
from sensors_sim.publisher import PATIENCE_SECONDS, WINDOW
from sensors_sim.recording import read_recording
from sensors_sim.replay import Replay
from sensors_sim.run import Run, links_of
from sensors_sim.simulation import HEARTBEAT_SECONDS, Plan, uses_of

S = TypeVar("S")
T = TypeVar("T")

app = typer.Typer(
    help="Simulated and recorded parking sensors that speak MQTT as real ones do.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

Mqtt = Annotated[str, typer.Option(help="mqtt://user:password@host:port", envvar="AUTOSPOT_MQTT_URL")]
Window = Annotated[int, typer.Option(min=1, max=10_000, help="Unacknowledged readings per connection.")]
Patience = Annotated[float, typer.Option(min=0.1, help="Seconds without a word from the broker that mean failure.")]
ReportJson = Annotated[Path | None, typer.Option(help="Write the report here; - prints it.", allow_dash=True)]


@app.command()
def run(
    mqtt: Mqtt,
    lots: Annotated[Path, typer.Option(help="A lot file (JSON).", exists=True, dir_okay=False)],
    seed: Annotated[int, typer.Option(help="The same seed makes the same world.")] = 1,
    speed: Annotated[float, typer.Option(min=0.001, max=1e6, help="World seconds in a second.")] = 1.0,
    duration: Annotated[float | None, typer.Option(min=0, help="End after so many seconds; default never.")] = None,
    fault: Annotated[
        list[str] | None, typer.Option(metavar="NAME=RATE", help=f"Repeatable. NAME is one of {', '.join(RATES)}.")
    ] = None,
    use: Annotated[
        list[str] | None, typer.Option(metavar="LOT=USE", help=f"Repeatable. USE is one of {', '.join(USES)}.")
    ] = None,
    start: Annotated[str | None, typer.Option(help="World time at the start, with its zone; default now.")] = None,
    stamp: Annotated[Stamp, typer.Option(help="The clock that dates readings.")] = "wall",
    network_server: Annotated[NetworkServer, typer.Option(help="Who speaks for LoRaWAN sensors.")] = "chirpstack",
    heartbeat: Annotated[
        int, typer.Option(min=1, help="World seconds between words, where the lot file says nothing else.")
    ] = HEARTBEAT_SECONDS,
    own_connections: Annotated[
        bool, typer.Option("--own-connections", help="A connection and a will for each sensor without a gateway.")
    ] = False,
    window: Window = WINDOW,
    patience: Patience = PATIENCE_SECONDS,
    report_json: ReportJson = None,
) -> None:
    """Let cars come and go in the lots of a lot file, and publish what their sensors make of it."""
    broker = _parsed("--mqtt", Broker.parse, mqtt)
    found = _parsed("--lots", read_lots, lots.read_bytes())
    now_ms = _wall_ms()
    start_ms = now_ms if start is None else _parsed("--start", _instant_ms, start)
    plan = Plan(
        lots=found,
        uses=_parsed("--use", lambda named: _uses(found, named), use or []),
        rates=_parsed("--fault", parse_rates, fault or []),
        seed=seed,
        start_ms=start_ms,
        end_ms=None if duration is None else start_ms + round(duration * speed * 1000),
        speed=speed,
        boot=now_ms // 1000,
        heartbeat_seconds=heartbeat,
        stamp=stamp,
        server=network_server,
        own_connections=own_connections,
    )
    _parsed("--lots", links_of, plan)
    stopwatch = Stopwatch(_wall_ms)
    conduct(lambda: Run(plan, broker, stopwatch, window=window, patience_seconds=patience), stopwatch, report_json)


@app.command()
def replay(
    recording: Annotated[Path, typer.Argument(help="Events as CSV or JSON lines.", exists=True, dir_okay=False)],
    mqtt: Mqtt,
    lot: Annotated[str, typer.Option(help="The lot whose sensors these are.")],
    speed: Annotated[
        float | None,
        typer.Option(min=0.001, help="Recorded seconds in a second; default as fast as the broker acknowledges."),
    ] = None,
    window: Window = WINDOW,
    patience: Patience = PATIENCE_SECONDS,
    report_json: ReportJson = None,
) -> None:
    """Play a recorded event file, in the order in which its events arrived."""
    broker = _parsed("--mqtt", Broker.parse, mqtt)
    if not is_code(lot):
        raise typer.BadParameter("a lot is 1 to 64 of A-Z a-z 0-9 . _ -", param_hint="--lot")
    events = _parsed("RECORDING", lambda path: read_recording(path.read_text(encoding="utf-8"), lot), recording)
    stopwatch = Stopwatch(_wall_ms)
    conduct(
        lambda: Replay(events, broker, stopwatch, speed=speed, window=window, patience_seconds=patience),
        stopwatch,
        report_json,
    )


def _parsed(option: str, parse: Callable[[S], T], given: S) -> T:
    """`parse(given)`; its `ValueError` becomes a usage error that names the option."""
    try:
        return parse(given)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=option) from None


def _uses(lots: Sequence[Lot], settings: Sequence[str]) -> dict[str, Use]:
    codes = {lot.code for lot in lots}
    words: dict[str, Use] = {use: use for use in USES}
    named: dict[str, Use] = {}
    for setting in settings:
        code, _, word = setting.rpartition("=")
        if code not in codes or word not in words:
            raise ValueError(f"{setting!r}: a lot of the file, =, and one of {', '.join(USES)}")
        named[code] = words[word]
    return uses_of(lots, named)


def _instant_ms(text: str) -> int:
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone")
    return round(instant.timestamp() * 1000)


def _wall_ms() -> int:
    return time.time_ns() // 1_000_000
