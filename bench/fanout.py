"""Scenario `fanout`: few readings, thousands of screens; and what a frame costs beyond the bare write."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from bench.floor_runs import bare_fanout_us_per_frame
from bench.live import PRODUCT
from bench.processes import BenchError
from bench.result import Median, Run, medians, ratio
from bench.schedule import Load
from bench.session import Session
from bench.systems import System
from bench.targets import Finding, finding
from bench.trial import run_trial

FEW_SCREENS: Final = 20


@dataclass(frozen=True, slots=True)
class FanoutPlan:
    """What scenario `fanout` does. `loads`: pairs of readings a second and screens, for the latency.

    The cost of a frame is measured apart, with `frame_screens` in one lot and `frame_rate` single readings a second: so
    few that each is a batch and a tick of its own, with many screens and with few, and nothing but the number of frames
    differs between the two.
    """

    loads: tuple[tuple[int, int], ...] = ((3_000, 2_000), (500, 10_000))
    frame_rate: int = 20
    frame_screens: int = 2_000
    lots: int = 20
    bays: int = 500
    seconds: float = 8.0
    warmup_seconds: float = 2.0
    repetitions: int = 3
    seed: int = 20_261_122

    def load(self, rate: int, repetition: int) -> Load:
        """The load of one run for latency."""
        return Load(self.lots, self.bays, rate, self.seconds, self.warmup_seconds, self.seed + repetition)

    def frame_load(self, repetition: int) -> Load:
        """The load of one run for the cost of a frame."""
        return Load(1, self.bays, self.frame_rate, self.seconds, self.warmup_seconds, self.seed + repetition)


QUICK: Final = FanoutPlan(loads=((1_000, 1_000),), frame_screens=1_000, seconds=3.0, warmup_seconds=1.0, repetitions=1)


@dataclass(frozen=True, slots=True)
class FrameCost:
    """Microseconds of processor time per frame and screen of one system, beside the plain loop that wrote the same."""

    system: str
    screens: int
    frame_bytes: float
    hub_us: float
    bare_us: float

    @property
    def share(self) -> float:
        """1.0 would be a fan-out that costs nothing beyond its writes."""
        return ratio(self.bare_us, self.hub_us)

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {**asdict(self), "share": self.share}


def run_fanout(session: Session, systems: Sequence[System], plan: FanoutPlan) -> tuple[list[Median], list[FrameCost]]:
    """Every system under every load, then what a frame costs each."""
    costs: list[FrameCost] = []
    runs: list[Run] = []
    for repetition in range(plan.repetitions):
        for rate, screens in plan.loads:
            runs += [_trial(session, system, plan.load(rate, repetition), screens) for system in systems]
        costs += [_frame_cost(session, system, plan, repetition) for system in systems]
    return medians(runs), costs


def _trial(session: Session, system: System, load: Load, screens: int) -> Run:
    return session.measure(lambda folder: run_trial(system, load, screens, session.database, folder))


def _frame_cost(session: Session, system: System, plan: FanoutPlan, repetition: int) -> FrameCost:
    """Few screens, many screens, and the plain loop in the rhythm that the many saw."""
    few = _trial(session, system, plan.frame_load(repetition), FEW_SCREENS)
    many = _trial(session, system, plan.frame_load(repetition), plan.frame_screens)
    if few.missing or many.missing:
        return FrameCost(system.name, plan.frame_screens, math.nan, math.nan, math.nan)
    bare_us = bare_fanout_us_per_frame(many, session.next_folder())
    cost = FrameCost(system.name, many.screens, many.frame_bytes, marginal_us(few, many), bare_us)
    session.console.print(f"  a frame costs {cost.hub_us:.1f} us, bare {bare_us:.1f} us, share {cost.share:.2f}")
    return cost


def marginal_us(few: Run, many: Run) -> float:
    """Processor time per frame that `many` screens cost more than `few`. Raises BenchError when frames were no more."""
    cpu = many.cpu_us_per_reading["hub"] - few.cpu_us_per_reading["hub"]
    frames = many.frames_per_reading - few.frames_per_reading
    if frames <= 0:
        raise BenchError(f"{many.system}: {many.screens} screens got no more frames than {few.screens}")
    return cpu / frames


def fanout_findings(groups: Sequence[Median], costs: Sequence[FrameCost]) -> list[Finding]:
    """The fan-out rows of the proof."""
    ours = [group for group in groups if group.system == PRODUCT]
    shares = [cost.share for cost in costs if cost.system == PRODUCT]
    found = [finding(f"{group.screens} screens", group.p99_ms) for group in ours if group.screens in {2_000, 10_000}]
    if shares:
        found.append(finding("bare send share", statistics.median(shares)))
    if ours:
        found.append(finding("idle screen", max(group.figure("kb_per_idle_screen") for group in ours)))
    return found
