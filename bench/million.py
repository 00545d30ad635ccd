"""Scenario `million`: does a million bays cost more than a thousand, at rest, at start and per reading?"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from bench.processes import ANSWER_SECONDS, Child, Worker, load_arguments, wait_until
from bench.result import Run, ratio
from bench.schedule import Load
from bench.session import Session
from bench.systems import Place, System, import_lots
from bench.targets import Finding, finding
from bench.trial import LEAD_MS, LOAD_CONNECTIONS, fresh_place, measure, run_trial
from bench.worker import now_ms

READY_SECONDS: Final = 300.0
PROJECT_SECONDS: Final = 900.0
SMALL_LOTS, SMALL_BAYS = 2, 500


@dataclass(frozen=True, slots=True)
class MillionPlan:
    """What scenario `million` does. `fill_rate`: readings a second with which every bay is first made known; 0: not."""

    lots: int = 1_000
    bays: int = 1_000
    rate: int = 2_000
    fill_rate: int = 8_000
    screens: int = 20
    seconds: float = 8.0
    warmup_seconds: float = 2.0
    repetitions: int = 3
    seed: int = 20_261_122

    def load(self) -> Load:
        """The measured load over the many bays, as if nothing had been sent before."""
        return Load(self.lots, self.bays, self.rate, self.seconds, self.warmup_seconds, self.seed)


QUICK: Final = MillionPlan(lots=100, fill_rate=0, seconds=3.0, warmup_seconds=1.0, repetitions=1)


@dataclass(frozen=True, slots=True)
class Size:
    """What a start with many bays took. Seconds, and gigabytes of resident memory when ready."""

    bays: int
    import_seconds: float
    ready_seconds: float
    resident_gb: float
    filled: bool

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            name: getattr(self, name) for name in ("bays", "import_seconds", "ready_seconds", "resident_gb", "filled")
        }


def run_million(session: Session, system: System, plan: MillionPlan) -> Size:
    """Import, fill, restart, then the same load on many bays and on a thousand in turn."""
    with fresh_place(session.database, session.next_folder()) as place:
        session.console.print(f"importing {plan.lots} lots of {plan.bays} bays")
        import_seconds = import_lots(place, plan.load())
        filled = _fill(session, system, plan, place) if plan.fill_rate else 0
        hub, ready_seconds = system.start(place, READY_SECONDS)
        with hub:
            size = Size(plan.lots * plan.bays, import_seconds, ready_seconds, hub.resident_bytes() / 1e9, filled > 0)
            session.console.print(f"ready in {ready_seconds:.1f} s, {size.resident_gb:.2f} GB resident")
            _alternate(session, system, plan, place, hub, filled)
    return size


def _alternate(session: Session, system: System, plan: MillionPlan, place: Place, hub: Child, spoken: int) -> None:
    """Many bays and a thousand, turn by turn; each load on the many goes on after the `spoken` readings before it."""
    small = replace(plan.load(), lots=SMALL_LOTS, bays=SMALL_BAYS)
    large = System(f"{system.name}, {plan.lots * plan.bays} bays", system.command, product=True)
    for _ in range(plan.repetitions):
        load = replace(plan.load(), first=spoken)
        session.measure(lambda _folder, load=load: measure(large, load, plan.screens, place, hub, math.nan))  # type: ignore[misc]
        session.measure(lambda folder: run_trial(system, small, plan.screens, session.database, folder))
        spoken = load.end


def _fill(session: Session, system: System, plan: MillionPlan, place: Place) -> int:
    """Let every bay speak once, wait until all of it is stored, stop the hub; the number of readings.

    The bays and their history: a hub that still writes behind from before would be charged to the measured readings.
    """
    total = plan.lots * plan.bays
    seconds = total / plan.fill_rate
    load = replace(plan.load(), rate=plan.fill_rate, seconds=seconds, warmup_seconds=0)
    session.console.print(f"filling at {plan.fill_rate}/s, about {seconds:.0f} s and as long again to store")
    arguments = {"port": place.broker.port, "load": load_arguments(load), "connections": LOAD_CONNECTIONS}
    hub, _ = system.start(place, READY_SECONDS)
    with hub, Worker("bench.load", place.folder, arguments) as sender:
        sender.wait_answer()
        sender.tell("run", start_ms=int(now_ms()) + LEAD_MS)
        sender.wait_answer(seconds + ANSWER_SECONDS)
        stored = session.database.client[place.database_name]
        for name in ("bays", "bay_history"):  # a document for each bay that spoke; counted by what the collection says
            kept = stored[name].estimated_document_count
            seconds = wait_until(lambda kept=kept: kept() >= total, PROJECT_SECONDS, f"not all of {name} was stored")  # type: ignore[misc]
            session.console.print(f"all of {name} stored {seconds:.0f} s later")
    return load.end


def million_findings(runs: Sequence[Run], size: Size) -> list[Finding]:
    """The million rows of the proof."""
    large = [run.cpu_us_per_reading["hub"] for run in runs if "bays" in run.system]
    small = [run.cpu_us_per_reading["hub"] for run in runs if "bays" not in run.system]
    return [
        finding("million ready", size.ready_seconds),
        finding("million resident", size.resident_gb),
        finding("million cost", ratio(statistics.median(large), statistics.median(small))),
    ]
