"""Recommendations a second in a lot of 2,000 bays: the pure decision alone, and asked over REST."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from autospot.domain.guidance import Guide, Wish, recommend
from autospot.domain.lot_files.generate import generate_lot
from bench.booking_plan import tomorrow
from bench.latency import Latencies
from bench.processes import BenchError, Worker
from bench.result import ratio
from bench.schedule import Load, lot_code
from bench.session import Session
from bench.systems import System, import_lots
from bench.targets import Finding, finding
from bench.trial import fresh_place

BAYS: Final = 2_000
PURE: Final = "the decision alone"
REST: Final = "over REST"


@dataclass(frozen=True, slots=True)
class AdvicePlan:
    """What is asked: three bays of one kind for a stay tomorrow, of so many connections at once."""

    connections: int = 16
    seconds: float = 4.0
    warmup_seconds: float = 1.0


QUICK: Final = AdvicePlan(seconds=1.0, warmup_seconds=0.5)


@dataclass(frozen=True, slots=True)
class AdviceRun:
    """One burst of questions. `cpu_us` is the server's processor time per answer."""

    way: str
    per_second: float
    p50_ms: float
    p99_ms: float
    cpu_us: float

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {name: getattr(self, name) for name in ("way", "per_second", "p50_ms", "p99_ms", "cpu_us")}


def run_advice(session: Session, system: System, plan: AdvicePlan) -> list[AdviceRun]:
    """Both ways, one after the other."""
    runs = [pure_run(plan.seconds), _rest_run(session, system, plan)]
    for run in runs:
        session.console.print(
            f"recommendations {run.way:18} {run.per_second:6.0f}/s  p99 {run.p99_ms:5.2f} ms  {run.cpu_us:5.0f} us"
        )
    return runs


def pure_run(seconds: float) -> AdviceRun:
    """`recommend` in this process, with every bay free: the most there is to choose from."""
    guide = Guide(generate_lot(lot_code(0), BAYS))
    free, wish, latencies = frozenset(guide.codes), Wish(kinds=("general",)), Latencies()
    cpu_before, until = time.process_time(), time.perf_counter() + seconds
    while (began := time.perf_counter()) < until:
        recommend(guide, free, wish)
        latencies.record(int((time.perf_counter() - began) * 1_000_000))
    spent, told = time.process_time() - cpu_before, latencies.summary()
    cpu_us = spent * 1e6 / latencies.count
    return AdviceRun(PURE, latencies.count / seconds, told["p50_ms"], told["p99_ms"], cpu_us)


def _rest_run(session: Session, system: System, plan: AdvicePlan) -> AdviceRun:
    start = tomorrow(datetime.now(UTC))
    stay = {"start": start.isoformat(), "until": (start + timedelta(hours=2)).isoformat()}
    with fresh_place(session.database, session.next_folder()) as place:
        import_lots(place, Load(1, BAYS, 1, 1.0, 0.0, 0))
        limitless = replace(system, environment={**system.environment, "AUTOSPOT_RATE_FACTOR": "0"})
        server, _ = limitless.start(place)
        arguments = {"port": place.http_port, "lot": lot_code(0), "connections": plan.connections, **stay}
        with server, Worker("bench.advice_load", place.folder, arguments) as askers:
            askers.wait_answer()
            before = server.cpu_seconds()
            told = askers.ask("ask", warmup_seconds=plan.warmup_seconds, seconds=plan.seconds)
            spent = server.cpu_seconds() - before
    if set(told["answers"]) != {"200"} or not json.loads(told["best"])["data"]:
        raise BenchError(f"recommendations were answered {told['answers']}, the last with {told['best'][:300]}")
    latency, answers = told["latency"], told["answers"]["200"]
    cpu_us = ratio(spent * 1e6, answers)
    return AdviceRun(REST, told["per_second"], latency["p50_ms"], latency["p99_ms"], cpu_us)


def advice_findings(runs: Sequence[AdviceRun]) -> list[Finding]:
    """The guidance row of the proof: how long one recommendation takes. None where it was not measured."""
    return [finding("recommendation", run.p99_ms) for run in runs if run.way == PURE]
