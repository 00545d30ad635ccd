"""Scenario `money`: quotes a second, and payments from wallets beside the bare writes that they are made of."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from bench.processes import Worker
from bench.result import ratio
from bench.session import Session

QUOTES: Final = "quotes"
PAYMENTS: Final = "payments"
BARE: Final = "bare writes"


@dataclass(frozen=True, slots=True)
class MoneyPlan:
    """What scenario `money` does: so many clients in one process, on a wallet each and all on one."""

    clients: int = 32
    seconds: float = 4.0
    repetitions: int = 3


QUICK: Final = MoneyPlan(seconds=2.0, repetitions=1)


@dataclass(frozen=True, slots=True)
class MoneyRun:
    """One burst of one kind of work. `wallets` 0: none is touched. `cpu_us` is the process's own, per piece of work."""

    work: str
    wallets: int
    per_second: float
    p50_ms: float
    p99_ms: float
    cpu_us: float

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        names = ("work", "wallets", "per_second", "p50_ms", "p99_ms", "cpu_us")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True, slots=True)
class MoneyShare:
    """Payments a second as a share of the bare writes, by the medians of one invocation."""

    wallets: int
    payments: float
    bare: float

    @property
    def share(self) -> float:
        """What is left of the database's rate."""
        return ratio(self.payments, self.bare)

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {"wallets": self.wallets, "payments": self.payments, "bare": self.bare, "share": self.share}


def run_money(session: Session, plan: MoneyPlan) -> list[MoneyRun]:
    """Quotes, then payments and bare writes in turn, spread and on one wallet."""
    runs: list[MoneyRun] = []
    folder = session.next_folder()
    folder.mkdir()
    with session.database.fresh() as name:
        arguments = {"url": session.database.url, "database": name, "clients": plan.clients}
        with Worker("bench.money_load", folder, arguments) as worker:
            worker.wait_answer()
            for _ in range(plan.repetitions):
                runs.append(_burst(session, worker, QUOTES, 0, "quote", plan.seconds))
                for wallets in (plan.clients, 1):
                    for work, command in ((PAYMENTS, "pay"), (BARE, "write")):
                        runs.append(_burst(session, worker, work, wallets, command, plan.seconds))
    return runs


def _burst(session: Session, worker: Worker, work: str, wallets: int, command: str, seconds: float) -> MoneyRun:
    fields = {"wallets": wallets} if wallets else {}
    before = worker.cpu_seconds()
    told = worker.ask(command, seconds=seconds, **fields)
    spent, latency = worker.cpu_seconds() - before, told["latency"]
    done = max(1, latency["count"])
    run = MoneyRun(work, wallets, told["per_second"], latency["p50_ms"], latency["p99_ms"], spent * 1e6 / done)
    session.console.print(f"{work:12} {wallets:>3} wallets {run.per_second:8.0f}/s  p99 {run.p99_ms:6.1f} ms")
    return run


def money_shares(runs: Sequence[MoneyRun]) -> list[MoneyShare]:
    """Payments beside bare writes, for each number of wallets."""

    def median(work: str, wallets: int) -> float:
        return statistics.median(run.per_second for run in runs if (run.work, run.wallets) == (work, wallets))

    spread = sorted({run.wallets for run in runs if run.wallets}, reverse=True)
    return [MoneyShare(wallets, median(PAYMENTS, wallets), median(BARE, wallets)) for wallets in spread]
