"""Scenario `live`: rising rates of readings to a few hundred screens, every system in turn.

Repetitions are interleaved (A B C, A B C, not A A, B B, C C), so that what else the machine does hits all alike.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bench.floor_runs import BROKER_ALONE, run_broker_floor
from bench.result import Median, best, medians, ratio
from bench.schedule import Load
from bench.session import Session
from bench.systems import System
from bench.targets import Finding, finding
from bench.trial import run_trial

PYTHON_NAIVE: Final = "python naive"
NODE_TUNED: Final = "node tuned"
NODE_LOG_FIRST: Final = "node log-first"
PRODUCT: Final = "autospot"


@dataclass(frozen=True, slots=True)
class LivePlan:
    """What scenario `live` does. `slow_rates` are for the systems that saturate far below the others."""

    rates: tuple[int, ...] = (4_000, 8_000, 10_000, 12_000, 14_000, 16_000, 18_000, 20_000, 22_500, 25_000, 30_000)
    slow_rates: tuple[int, ...] = (100, 200, 400, 600, 800, 1_000, 1_500)
    lots: int = 20
    bays: int = 500
    screens: int = 200
    seconds: float = 8.0
    warmup_seconds: float = 2.0
    repetitions: int = 3
    seed: int = 20_261_122

    def load(self, rate: int, repetition: int) -> Load:
        """The load of one run; each repetition has another shuffle."""
        return Load(self.lots, self.bays, rate, self.seconds, self.warmup_seconds, self.seed + repetition)


QUICK: Final = LivePlan(
    rates=(4_000,), slow_rates=(200,), lots=4, bays=250, screens=50, seconds=3.0, warmup_seconds=1.0, repetitions=1
)


def run_live(session: Session, systems: Sequence[System], plan: LivePlan) -> list[Median]:
    """Climb the rates with every system that is not hopeless below; each figure is a median over the repetitions."""
    ceiling: dict[str, int] = {}
    for repetition in range(plan.repetitions):
        for rate in sorted({*plan.rates, *plan.slow_rates}):
            if rate in plan.rates:
                load = plan.load(rate, repetition)
                session.measure(functools.partial(run_broker_floor, load))
            for system in systems:
                wanted = plan.slow_rates if system.slow else plan.rates
                if rate in wanted and rate <= ceiling.get(system.name, rate):
                    _climb(session, system, plan.load(rate, repetition), plan.screens, ceiling)
    return medians(session.runs)


def _climb(session: Session, system: System, load: Load, screens: int, ceiling: dict[str, int]) -> None:
    """One run; a system that was hopeless at this rate is not asked for more in any repetition."""
    run = session.measure(lambda folder: run_trial(system, load, screens, session.database, folder))
    if run.hopeless:
        ceiling.setdefault(system.name, load.rate)


def live_findings(groups: Sequence[Median]) -> list[Finding]:
    """The live rows of the proof, as far as the systems that were run allow."""
    ours = best(groups, PRODUCT)
    if ours is None:
        return [finding("rate", 0.0)] if any(group.system == PRODUCT for group in groups) else []

    def against(system: str) -> float:
        theirs = best(groups, system)
        return ratio(ours.rate, theirs.rate) if theirs else float("nan")

    return [
        finding("rate", ours.rate),
        finding("against node tuned", against(NODE_TUNED)),
        finding("against node log-first", against(NODE_LOG_FIRST)),
        finding("against python naive", against(PYTHON_NAIVE)),
        finding("hub cpu", ours.cpu("hub")),
    ]


def floor_at(groups: Sequence[Median], rate: int) -> Median | None:
    """The broker's own latency at `rate`."""
    return next((group for group in groups if group.system == BROKER_ALONE and group.rate == rate), None)
