"""`autospot bench`: the scenarios as commands. Exit codes: 0, 1 (something was untrue, or a part failed), 2 (usage)."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from bench import advice, bookings, fanout, live, million, money, report, rest
from bench.booking_plan import CASES
from bench.machine import facts
from bench.processes import BenchError
from bench.result import medians
from bench.session import Session, session
from bench.systems import System, node_systems, product, python_systems

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Benchmarks: sensor to screen, against floors and other hubs."
)

RECOMMENDATIONS: Final = "recommendations"

Quick = Annotated[
    bool, typer.Option("--quick", help="About a minute: shows that everything works, not how fast it is.")
]
Seconds = Annotated[float | None, typer.Option(help="Length of a run after its warm-up.", min=1, max=60)]
Repetitions = Annotated[int | None, typer.Option(help="Turns; each figure is their median.", min=1, max=20)]
Seed = Annotated[int | None, typer.Option(help="Which bays speak in which order.")]
Out = Annotated[Path | None, typer.Option(help="JSON file; default: var/bench/<scenario>-<time>.json.")]
Data = Annotated[Path | None, typer.Option(help="Existing folder on the disk that the database shall use.")]
Serve = Annotated[str | None, typer.Option(help="Command that starts the product instead of `autospot serve`.")]
Fill = Annotated[
    bool,
    typer.Option("--fill/--no-fill", help="First make every bay known and wait until all is stored: many minutes."),
]
Only = Annotated[list[str] | None, typer.Option("--system", help="Only this system; may be repeated.")]
OnlyCase = Annotated[
    list[str] | None,
    typer.Option("--case", help="Only `spread`, `five bays` or `recommendations`; may be repeated."),
]


def systems_called(names: Sequence[str] | None, serve_command: str | None) -> list[System]:
    """The systems to run, AutoSpot first. Raises typer.BadParameter for a name that does not exist here."""
    every = [product(serve_command), *node_systems(), *python_systems()]
    if not names:
        return [system for system in every if not system.extra]
    known = {system.name: system for system in every}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise typer.BadParameter(f"no system {', '.join(unknown)}; there are: {', '.join(known)}")
    return [known[name] for name in names]


def picked(what: str, names: Sequence[str] | None, there_are: Sequence[str]) -> tuple[str, ...]:
    """Those of `there_are` that were named, all where none was. Raises typer.BadParameter for any other name."""
    unknown = set(names or ()) - set(there_are)
    if unknown:
        raise typer.BadParameter(f"no {what} {', '.join(sorted(unknown))}; there are: {', '.join(there_are)}")
    return tuple(each for each in there_are if not names or each in names)


def numbers(text: str) -> tuple[int, ...]:
    """Comma-separated whole numbers. Raises typer.BadParameter for anything else."""
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise typer.BadParameter(f"expected numbers with commas between, got {text!r}") from None


def chosen(plan: Any, **options: Any) -> Any:
    """`plan` with the options that were given."""
    return replace(plan, **{name: value for name, value in options.items() if value is not None})


@app.command("live")
def live_command(
    *,
    quick: Quick = False,
    rates: Annotated[str | None, typer.Option(help="Readings a second, with commas between.")] = None,
    slow_rates: Annotated[str | None, typer.Option(help="The same for the naive peers.")] = None,
    lots: Annotated[int | None, typer.Option(min=1, max=1000)] = None,
    bays: Annotated[int | None, typer.Option(help="Bays of each lot.", min=1, max=100_000)] = None,
    screens: Annotated[int | None, typer.Option(min=1, max=20_000)] = None,
    seconds: Seconds = None,
    repetitions: Repetitions = None,
    seed: Seed = None,
    system: Only = None,
    serve_command: Serve = None,
    data: Data = None,
    out: Out = None,
) -> None:
    """Sensor to screen at rising rates, against the floor and the peers."""
    plan = chosen(
        live.QUICK if quick else live.LivePlan(),
        rates=numbers(rates) if rates else None,
        slow_rates=numbers(slow_rates) if slow_rates else None,
        lots=lots,
        bays=bays,
        screens=screens,
        seconds=seconds,
        repetitions=repetitions,
        seed=seed,
    )
    systems = systems_called(system, serve_command)
    with failing_plainly(), session(data) as bench:
        groups = live.run_live(bench, systems, plan)
        findings = [] if quick else live.live_findings(groups)
        report.show([report.runs_table(groups), report.best_table(groups), report.proof_table(findings)])
        finish(bench, "live", plan, out, {"runs": bench.runs, "proof": findings})


@app.command("fanout")
def fanout_command(
    *,
    quick: Quick = False,
    seconds: Seconds = None,
    repetitions: Repetitions = None,
    seed: Seed = None,
    system: Only = None,
    serve_command: Serve = None,
    data: Data = None,
    out: Out = None,
) -> None:
    """Thousands of screens, against the peers and a plain loop of prebuilt frames."""
    plan = chosen(fanout.QUICK if quick else fanout.FanoutPlan(), seconds=seconds, repetitions=repetitions, seed=seed)
    systems = [one for one in systems_called(system, serve_command) if not one.slow]
    with failing_plainly(), session(data) as bench:
        groups, costs = fanout.run_fanout(bench, systems, plan)
        findings = [] if quick else fanout.fanout_findings(groups, costs)
        report.show([report.runs_table(groups), report.frames_table(costs), report.proof_table(findings)])
        finish(bench, "fanout", plan, out, {"runs": bench.runs, "frames": costs, "proof": findings})


@app.command("million")
def million_command(
    *,
    quick: Quick = False,
    fill: Fill = True,
    seconds: Seconds = None,
    repetitions: Repetitions = None,
    seed: Seed = None,
    serve_command: Serve = None,
    data: Data = None,
    out: Out = None,
) -> None:
    """A million bays: start, memory, and whether a reading costs more than among a thousand."""
    plan = chosen(
        million.QUICK if quick else million.MillionPlan(),
        seconds=seconds,
        repetitions=repetitions,
        seed=seed,
        fill_rate=None if fill else 0,
    )
    with failing_plainly(), session(data) as bench:
        size = million.run_million(bench, product(serve_command), plan)
        findings = [] if quick else million.million_findings(bench.runs, size)
        report.show([report.runs_table(medians(bench.runs)), report.proof_table(findings)])
        finish(bench, "million", plan, out, {"runs": bench.runs, "sizes": [size], "proof": findings})


@app.command("rest")
def rest_command(
    *,
    quick: Quick = False,
    seconds: Seconds = None,
    repetitions: Repetitions = None,
    seed: Seed = None,
    serve_command: Serve = None,
    data: Data = None,
    out: Out = None,
) -> None:
    """Reading a lot's state over REST, against a handler that returns the same bytes."""
    plan = chosen(rest.QUICK if quick else rest.RestPlan(), seconds=seconds, repetitions=repetitions, seed=seed)
    system = product(serve_command)
    with failing_plainly(), session(data) as bench:
        asked = rest.run_rest(bench, system, plan)
        findings = [] if quick else rest.rest_findings(asked, system.name)
        report.show([report.rest_table(asked), report.proof_table(findings)])
        finish(bench, "rest", plan, out, {"runs": bench.runs, "asked": asked, "proof": findings})


@app.command("money")
def money_command(
    *,
    quick: Quick = False,
    seconds: Seconds = None,
    repetitions: Repetitions = None,
    data: Data = None,
    out: Out = None,
) -> None:
    """Quotes, and payments from wallets against the bare writes they are made of."""
    plan = chosen(money.QUICK if quick else money.MoneyPlan(), seconds=seconds, repetitions=repetitions)
    with failing_plainly(), session(data) as bench:
        paid = money.run_money(bench, plan)
        shares = money.money_shares(paid)
        report.show([report.money_table(paid, shares)])
        finish(bench, "money", plan, out, {"money": paid, "shares": shares})


@app.command("bookings")
def bookings_command(
    *,
    quick: Quick = False,
    seconds: Seconds = None,
    repetitions: Repetitions = None,
    system: Only = None,
    case: OnlyCase = None,
    serve_command: Serve = None,
    data: Data = None,
    out: Out = None,
) -> None:
    """Bookings over REST, paid from the wallet, against bare transactions; recommendations among 2,000 bays."""
    names = picked("system", system, bookings.SYSTEMS)
    cases = picked("case", case, (*CASES, RECOMMENDATIONS))
    plan = chosen(
        bookings.QUICK if quick else bookings.BookingsPlan(),
        seconds=seconds,
        repetitions=repetitions,
        systems=names,
        cases=tuple(each for each in cases if each != RECOMMENDATIONS),
    )
    asked = chosen(advice.QUICK if quick else advice.AdvicePlan(), seconds=seconds)
    with failing_plainly(), session(data) as bench:
        booked = bookings.run_bookings(bench, product(serve_command), plan)
        advised = advice.run_advice(bench, product(serve_command), asked) if RECOMMENDATIONS in cases else []
        findings = [] if quick else [*bookings.bookings_findings(booked), *advice.advice_findings(advised)]
        tables = [report.bookings_table(booked), report.advice_table(advised), report.proof_table(findings)]
        report.show(tables)
        finish(bench, "bookings", plan, out, {"booked": booked, "advised": advised, "proof": findings})
    if any(run.untrue for run in booked):
        raise typer.Exit(1)


@contextlib.contextmanager
def failing_plainly() -> Iterator[None]:
    """A part that does not start or answer is a message and exit code 1, not a traceback."""
    try:
        yield
    except BenchError as error:
        print(f"bench: {error}", file=sys.stderr)
        raise typer.Exit(1) from None


def finish(bench: Session, scenario: str, plan: Any, out: Path | None, parts: dict[str, Sequence[Any]]) -> None:
    """Write the JSON; end with 1 when AutoSpot showed or stored anything that was not so."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    path = out or Path("var") / "bench" / f"{scenario}-{stamp}.json"
    report.write_json(path, scenario, plan, facts(bench.database, bench.folder), parts)
    bench.console.print(f"written: {path}")
    if any(run.untrue for run in bench.runs if run.system.startswith(live.PRODUCT)):
        bench.console.print("[red]AutoSpot failed a run: see WRONG above[/red]")
        raise typer.Exit(1)
