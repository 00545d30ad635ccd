"""What the scenarios share: one database for all runs, a temporary folder, interleaved repetitions, progress."""

from __future__ import annotations

import contextlib
import math
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from rich.console import Console

from bench.console import console
from bench.result import Run
from bench.stack import Database, running_database

TERMINATED: Final = 128 + signal.SIGTERM


@dataclass(slots=True)
class Session:
    """One invocation of the benchmark. `console` is standard error: figures on standard output stay clean."""

    database: Database
    folder: Path
    console: Console
    runs: list[Run] = field(default_factory=list)
    _folders: int = 0

    def next_folder(self) -> Path:
        """A folder for the logs and files of one run."""
        self._folders += 1
        return self.folder / f"run{self._folders:03d}"

    def measure(self, measure: Callable[[Path], Run]) -> Run:
        """Make one run, keep it, say how it went."""
        run = measure(self.next_folder())
        self.runs.append(run)
        p99 = "behind" if math.isinf(run.p99_ms) else f"p99 {run.p99_ms:7.1f} ms"
        hub = f"hub {run.cpu_us_per_reading['hub']:6.0f} us/reading, {run.hub_cores:.2f} cores"
        mark = "right" if run.right else "[red]WRONG[/red]"
        noise = f"  [yellow]others took {run.others_cores:.1f} cores[/yellow]" if run.noisy else ""
        self.console.print(f"{run.system:24} {run.rate:>6}/s {run.screens:>6} screens  {p99}  {hub}  {mark}{noise}")
        for line in run.wrong:
            self.console.print(f"  {line}", markup=False)
        return run


@contextlib.contextmanager
def session(data: Path | None) -> Iterator[Session]:
    """A session with its database under `data` (default: the system's temporary folder); everything ends with it.

    SIGTERM ends it like an interrupt: in order, and with its folder removed.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(TERMINATED))
    with tempfile.TemporaryDirectory(prefix="autospot-bench-", dir=data) as name:
        folder = Path(name)
        with running_database(folder) as database:
            yield Session(database, folder, console(stderr=True))
