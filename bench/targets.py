"""What the benchmark must reach and what it aims at, figure by figure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class Target:
    """A bound on one figure. `at_least`: bigger is better; otherwise smaller is."""

    figure: str
    unit: str
    must: float
    aim: float
    at_least: bool

    def reached(self, value: float, bound: float) -> bool:
        """Whether `value` satisfies `bound`; a figure that was not measured satisfies nothing."""
        if math.isnan(value):
            return False
        return value >= bound if self.at_least else value <= bound


@dataclass(frozen=True, slots=True)
class Finding:
    """A measured figure beside its target."""

    target: Target
    value: float

    @property
    def verdict(self) -> str:
        """`aim`, `must`, `missed`, or `not measured`."""
        if math.isnan(self.value):
            return "not measured"
        if self.target.reached(self.value, self.target.aim):
            return "aim"
        return "must" if self.target.reached(self.value, self.target.must) else "missed"

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        target = self.target
        bounds = {"must": target.must, "aim": target.aim, "at_least": target.at_least}
        return {"figure": target.figure, "unit": target.unit, "value": self.value, **bounds, "verdict": self.verdict}


TARGETS: Final = {
    "rate": Target("durable readings a second with p99 within 150 ms", "/s", 12_000, 25_000, at_least=True),
    "against node tuned": Target("the same against node tuned", "x", 1.3, 2.5, at_least=True),
    "against node log-first": Target("the same against node log-first", "x", 0.8, 1.25, at_least=True),
    "against python naive": Target("the same against python naive", "x", 25, 50, at_least=True),
    "hub cpu": Target("hub processor time per reading at that rate", "us", 60, 30, at_least=False),
    "2000 screens": Target("3,000 readings a second to 2,000 screens, p99", "ms", 200, 100, at_least=False),
    "10000 screens": Target("500 readings a second to 10,000 screens, p99", "ms", 800, 300, at_least=False),
    "bare send share": Target("fan-out, share of the bare-send floor", "", 0.6, 0.8, at_least=True),
    "idle screen": Target("memory per idle screen", "KB", 25, 16, at_least=False),
    "million ready": Target("a million bays, start to ready", "s", 60, 20, at_least=False),
    "million resident": Target("a million bays, resident memory", "GB", 2, 1, at_least=False),
    "million cost": Target("a million bays, cost per reading against a thousand", "x", 1.3, 1.1, at_least=False),
    "bookings spread": Target("bookings a second, 32 clients, over many bays", "/s", 300, 600, at_least=True),
    "bookings spread share": Target("the same, share of bare transactions", "", 0.5, 1.0, at_least=True),
    "bookings five bays": Target("bookings a second, 32 clients, on five bays", "/s", 300, 600, at_least=True),
    "bookings five bays share": Target("the same, share of bare transactions", "", 0.5, 1.0, at_least=True),
    "recommendation": Target("a recommendation among 2,000 bays, the decision alone, p99", "ms", 5, 2, at_least=False),
    "rest share": Target("GET state of 500 bays, share of a bare handler", "", 0.7, 0.9, at_least=True),
}


def finding(name: str, value: float) -> Finding:
    """`value` beside the target called `name`."""
    return Finding(TARGETS[name], value)
