"""What runs measured, and what several of them say together."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from bench.gate import Verdict
from bench.latency import Latencies
from bench.schedule import Load

LIMIT_MS: Final = 150.0
"""A rate counts as kept up with while the 99th percentile of event to screen is at most this."""

NOISE_CORES: Final = 0.25

SETTLE_SECONDS: Final = 10.0
"""How long a system may take, after the last reading was due, to show everything. Behind after that is behind."""


@dataclass(frozen=True, slots=True)
class Run:
    """Everything one run measured. Processor time is in microseconds, of the measured window alone.

    `others_cores` is what the machine did besides: a run is `noisy` above NOISE_CORES, and then says little.
    """

    system: str
    rate: int
    screens: int
    latency: dict[str, Any]
    cpu_us_per_reading: dict[str, float]
    missing: int
    hub_cores: float = math.nan
    frames_per_second: float = 0.0
    frame_bytes: float = 0.0
    hub_cpu_us_per_frame: float = math.nan
    frames_per_reading: float = 0.0
    ready_seconds: float = math.nan
    resident_mb: float = math.nan
    kb_per_idle_screen: float | None = None
    faults: tuple[str, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    projection_seconds: float = math.nan
    sender_late_p99_ms: float = math.nan
    others_cores: float = math.nan

    @property
    def p99_ms(self) -> float:
        """The figure that decides; endless when something was never shown."""
        return math.inf if self.missing else float(self.latency["p99_ms"])

    @property
    def right(self) -> bool:
        """The gate: every place compared was right, nothing is missing, no client saw a breach of the contract."""
        return not self.missing and not self.faults and all(verdict.passed for verdict in self.verdicts)

    @property
    def noisy(self) -> bool:
        """The machine was busy with something else."""
        return self.others_cores > NOISE_CORES

    @property
    def untrue(self) -> bool:
        """Something is shown or stored that was not said. Being behind is not untrue, only too slow."""
        return bool(self.faults) or (not self.missing and not all(verdict.passed for verdict in self.verdicts))

    @property
    def hopeless(self) -> bool:
        """So far over the limit, on a quiet machine, that a higher rate need not be tried."""
        return not self.noisy and (not self.right or self.p99_ms > 2 * LIMIT_MS)

    @property
    def wrong(self) -> list[str]:
        """What the gate found, in words."""
        behind = [f"{self.missing} readings were not shown within {SETTLE_SECONDS:.0f} s"] if self.missing else []
        found = [f"{one.where}: {one.wrong} of {one.compared} bays differ" for one in self.verdicts if not one.passed]
        examples = [example for verdict in self.verdicts for example in verdict.examples]
        return [*behind, *self.faults, *found, *examples]

    def as_json(self) -> dict[str, Any]:
        """Plain values; not-a-number and infinity become null."""
        plain: dict[str, Any] = {**asdict(self), "right": self.right, "wrong": self.wrong}
        plain["verdicts"] = [verdict.as_json() for verdict in self.verdicts]
        return {name: finite(value) for name, value in plain.items()}


def broken(system: str, load: Load, screens: int, why: str) -> Run:
    """The result of a run that a failing part cut short: nothing shown, and why."""
    cpu = {"hub": math.nan}
    return Run(system, load.rate, screens, Latencies().summary(), cpu, missing=load.readings, faults=(why,))


def finite(value: Any) -> Any:
    """The same value with null where JSON has no number for it."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {key: finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [finite(inner) for inner in value]
    return value


@dataclass(frozen=True, slots=True)
class Median:
    """The repetitions of one system at one rate, each figure by its median; right only if every one was."""

    runs: tuple[Run, ...] = field(repr=False)

    @property
    def system(self) -> str:
        """Whose runs."""
        return self.runs[0].system

    @property
    def rate(self) -> int:
        """Readings a second."""
        return self.runs[0].rate

    @property
    def screens(self) -> int:
        """Screens that watched."""
        return self.runs[0].screens

    @property
    def right(self) -> bool:
        """Every repetition passed the gate."""
        return all(run.right for run in self.runs)

    @property
    def keeps_up(self) -> bool:
        """Right, and the median of the 99th percentiles is within LIMIT_MS."""
        return self.right and self.p99_ms <= LIMIT_MS

    @property
    def p99_ms(self) -> float:
        """Median of the 99th percentiles."""
        return statistics.median(run.p99_ms for run in self.runs)

    def latency(self, name: str) -> float:
        """Median of another percentile, by its name in `Latencies.summary`."""
        return statistics.median(float(run.latency[name]) for run in self.runs)

    def cpu(self, process: str) -> float:
        """Median microseconds of processor time per reading; not a number where the system has no such process."""
        return statistics.median(run.cpu_us_per_reading.get(process, math.nan) for run in self.runs)

    def figure(self, name: str) -> float:
        """Median of any other numeric field of `Run`; not a number where it was not measured."""
        values = [value for run in self.runs if (value := getattr(run, name)) is not None]
        return statistics.median(values) if values else math.nan


def medians(runs: Iterable[Run]) -> list[Median]:
    """Group by system, rate and screens, in order of first appearance."""
    groups: dict[tuple[str, int, int], list[Run]] = {}
    for run in runs:
        groups.setdefault((run.system, run.rate, run.screens), []).append(run)
    return [Median(tuple(group)) for group in groups.values()]


def best(groups: Sequence[Median], system: str) -> Median | None:
    """The highest rate that `system` kept up with; None when there is none."""
    kept = [group for group in groups if group.system == system and group.keeps_up]
    return max(kept, key=lambda group: group.rate, default=None)


def highest_tried(groups: Sequence[Median], system: str) -> int:
    """The highest rate that `system` was asked for."""
    return max(group.rate for group in groups if group.system == system)


def ratio(ours: float, theirs: float) -> float:
    """`ours / theirs`; not a number where either is missing."""
    return ours / theirs if theirs and math.isfinite(theirs) else math.nan
