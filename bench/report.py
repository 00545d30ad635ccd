"""Figures for people (tables with ratios) and for programs (one JSON file per scenario)."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from rich.table import Table

from bench.advice import AdviceRun
from bench.bookings import BookingsRun
from bench.console import console
from bench.fanout import FrameCost
from bench.live import PRODUCT, floor_at
from bench.money import PAYMENTS, MoneyRun, MoneyShare
from bench.rest import RestRun
from bench.result import LIMIT_MS, Median, best, finite, highest_tried, ratio
from bench.targets import Finding

VERDICT_STYLE: Final = {"aim": "green", "must": "yellow", "missed": "red", "not measured": "dim"}


def number(value: float, digits: int = 1) -> str:
    """A figure for a table cell; a dash where there is none."""
    if math.isinf(value):
        return "behind"
    return "-" if math.isnan(value) else f"{value:,.{digits}f}"


def runs_table(groups: Sequence[Median]) -> Table:
    """Every system at every rate: latency, its ratio to the broker's own, processor time, and the gate."""
    table = Table(title="Event to screen, from the time a reading was due", title_justify="left")
    for name in ("readings/s", "screens", "system"):
        table.add_column(name, justify="left" if name == "system" else "right", no_wrap=True)
    for name in ("p50 ms", "p99 ms", "p99.9 ms", "max ms", "p99 / floor", "hub us/reading", "hub cores"):
        table.add_column(name, justify="right")
    table.add_column("mongod us", justify="right")
    table.add_column("broker us", justify="right")
    table.add_column("others' cores", justify="right")
    table.add_column("gate")
    for group in groups:
        floor = floor_at(groups, group.rate)
        table.add_row(
            f"{group.rate:,}",
            f"{group.screens:,}",
            group.system,
            *(number(group.latency(f"{name}_ms")) for name in ("p50",)),
            number(group.p99_ms),
            *(number(group.latency(f"{name}_ms")) for name in ("p99.9", "max")),
            number(ratio(group.p99_ms, floor.p99_ms) if floor else math.nan),
            number(group.cpu("hub")),
            number(group.figure("hub_cores"), 2),
            number(group.cpu("mongod")),
            number(group.cpu("broker")),
            number(group.figure("others_cores"), 2),
            "right" if group.right else "[red]WRONG[/red]",
        )
    return table


def best_table(groups: Sequence[Median]) -> Table:
    """The highest rate that each system keeps up with, and AutoSpot's multiple of it; "≥": no higher one was tried."""
    title = f"Highest rate with p99 within {LIMIT_MS:.0f} ms and nothing wrong"
    table = Table("system", title=title, title_justify="left")
    for name in ("readings/s", "p99 ms", "hub us/reading", "autospot's multiple"):
        table.add_column(name, justify="right")
    ours = best(groups, PRODUCT)
    for system in dict.fromkeys(group.system for group in groups):
        top = best(groups, system)
        if top is None:
            table.add_row(system, "none", "-", "-", "-")
            continue
        multiple = number(ratio(ours.rate, top.rate), 2) if ours else "-"
        more = "≥ " if top.rate == highest_tried(groups, system) else ""
        table.add_row(system, f"{more}{top.rate:,}", number(top.p99_ms), number(top.cpu("hub")), multiple)
    return table


def frames_table(costs: Sequence[FrameCost]) -> Table:
    """What a frame costs each system beyond the bare write of it."""
    table = Table("system", title="Processor time per frame and screen", title_justify="left")
    for name in ("screens", "frame bytes", "fan-out us", "bare send us", "share of the floor"):
        table.add_column(name, justify="right")
    for cost in costs:
        figures = (number(cost.frame_bytes, 0), number(cost.hub_us), number(cost.bare_us), number(cost.share, 2))
        table.add_row(cost.system, f"{cost.screens:,}", *figures)
    return table


def rest_table(asked: Sequence[RestRun]) -> Table:
    """Every burst of questions, in the order in which they were asked."""
    table = Table("server", title="Reading one lot's state over REST", title_justify="left")
    for name in ("bytes", "answers/s", "p50 ms", "p99 ms", "server us"):
        table.add_column(name, justify="right")
    for run in asked:
        figures = (number(run.per_second, 0), number(run.p50_ms, 2), number(run.p99_ms, 2), number(run.cpu_us))
        table.add_row(run.system, f"{run.body_bytes:,}", *figures)
    return table


def money_table(runs: Sequence[MoneyRun], shares: Sequence[MoneyShare]) -> Table:
    """Every burst, and what payments leave of the rate of bare writes."""
    table = Table("work", title="Quotes and payments from wallets", title_justify="left")
    for name in ("wallets", "a second", "p50 ms", "p99 ms", "own us", "share of bare writes"):
        table.add_column(name, justify="right")
    by_wallets = {each.wallets: each.share for each in shares}
    for run in runs:
        figures = (number(run.per_second, 0), number(run.p50_ms, 2), number(run.p99_ms, 2), number(run.cpu_us))
        share = number(by_wallets[run.wallets], 2) if run.work == PAYMENTS else ""
        table.add_row(run.work, str(run.wallets or ""), *figures, share)
    return table


def bookings_table(runs: Sequence[BookingsRun]) -> Table:
    """Every burst of bookings, in the order in which they were asked for."""
    table = Table("system", "case", title="Booking over REST, paid from the wallet", title_justify="left")
    for name in ("bookings/s", "p50 ms", "p99 ms", "server us", "mongod us", "clients us"):
        table.add_column(name, justify="right")
    table.add_column("gate")
    for run in runs:
        figures = (number(run.per_second, 0), number(run.p50_ms), number(run.p99_ms))
        costs = (number(run.server_us, 0), number(run.mongod_us, 0), number(run.clients_us, 0))
        table.add_row(run.system, run.case, *figures, *costs, "[red]WRONG[/red]" if run.untrue else "right")
    return table


def advice_table(runs: Sequence[AdviceRun]) -> Table:
    """How many recommendations a second, and what one takes."""
    table = Table("way", title="Recommendations among 2,000 bays", title_justify="left")
    for name in ("a second", "p50 ms", "p99 ms", "server us"):
        table.add_column(name, justify="right")
    for run in runs:
        figures = (number(run.per_second, 0), number(run.p50_ms, 2), number(run.p99_ms, 2), number(run.cpu_us, 0))
        table.add_row(run.way, *figures)
    return table


def proof_table(findings: Sequence[Finding]) -> Table:
    """Figures beside what they must be and what is aimed at. A quick run has none: it proves nothing about speed."""
    table = Table("figure", title="Proof", title_justify="left")
    for name in ("measured", "must", "aim"):
        table.add_column(name, justify="right")
    table.add_column("verdict")
    for found in findings:
        target, sign = found.target, "≥" if found.target.at_least else "≤"
        digits = 0 if target.unit in {"/s", "ms"} else 2
        bounds = (f"{sign} {bound:,g} {target.unit}" for bound in (target.must, target.aim))
        style = VERDICT_STYLE[found.verdict]
        table.add_row(
            target.figure, f"{number(found.value, digits)} {target.unit}", *bounds, f"[{style}]{found.verdict}[/]"
        )
    return table


def write_json(path: Path, scenario: str, plan: Any, facts: dict[str, Any], parts: dict[str, Sequence[Any]]) -> None:
    """One file with everything that was measured. `parts`: named lists of values that have `as_json`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {
        "scenario": scenario,
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": facts,
        "plan": asdict(plan),
        **{name: [value.as_json() for value in values] for name, values in parts.items()},
    }
    path.write_text(json.dumps(finite(content), indent=1) + "\n")


def show(tables: Sequence[Table]) -> None:
    """Print to standard output; a table without a row is left out."""
    output = console()
    for table in tables:
        if table.row_count:
            output.print(table)
