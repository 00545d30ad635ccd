"""Scenario `rest`: `GET /v1/lots/{lot}/state` against an aiohttp handler that returns the same bytes."""

from __future__ import annotations

import contextlib
import statistics
import sys
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bench.processes import OWN_CODE, BenchError, Child, Worker, answers_http, free_port
from bench.result import ratio
from bench.schedule import Load, lot_code
from bench.session import Session
from bench.systems import System, import_lots
from bench.targets import Finding, finding
from bench.trial import fresh_place, measure

START_SECONDS: Final = 15.0


@dataclass(frozen=True, slots=True)
class RestPlan:
    """What scenario `rest` does: one lot whose bays have all spoken, read over so many connections."""

    bays: int = 500
    connections: int = 16
    seconds: float = 4.0
    warmup_seconds: float = 1.0
    repetitions: int = 3
    seed: int = 20_261_122

    def load(self) -> Load:
        """Every bay speaks twice, in a second."""
        return Load(1, self.bays, self.bays, 2.0, 0.0, self.seed)


QUICK: Final = RestPlan(seconds=2.0, repetitions=2)


@dataclass(frozen=True, slots=True)
class RestRun:
    """One burst of questions to one server."""

    system: str
    body_bytes: int
    per_second: float
    p50_ms: float
    p99_ms: float
    cpu_us: float
    refused: int

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        names = ("system", "body_bytes", "per_second", "p50_ms", "p99_ms", "cpu_us", "refused")
        return {name: getattr(self, name) for name in names}


def run_rest(session: Session, system: System, plan: RestPlan) -> list[RestRun]:
    """The hub and the bare handler in turn, both up all the time, one asked at a time."""
    runs: list[RestRun] = []
    with contextlib.ExitStack() as stack:
        place = stack.enter_context(fresh_place(session.database, session.next_folder()))
        import_lots(place, plan.load())
        hub, ready_seconds = system.start(place)
        stack.enter_context(hub)
        session.measure(lambda _: measure(system, plan.load(), 1, place, hub, ready_seconds))
        path = f"/v1/lots/{lot_code(0)}/state"
        body = _body(place.http_url + path)
        bare, bare_port = stack.enter_context(_bare_handler(place.folder, body))
        for _ in range(plan.repetitions):
            for name, server, port in ((system.name, hub, place.http_port), ("bare aiohttp", bare, bare_port)):
                run = _asked(name, server, port, path, len(body), plan, place.folder)
                session.console.print(
                    f"{name:24} {run.per_second:8.0f}/s  p99 {run.p99_ms:6.1f} ms  {run.cpu_us:5.0f} us"
                )
                runs.append(run)
    return runs


def _body(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=10) as reply:  # noqa: S310 (an http address made by this package)
        body: bytes = reply.read()
        return body


@contextlib.contextmanager
def _bare_handler(folder: Path, body: bytes) -> Iterator[tuple[Child, int]]:
    port = free_port()
    body_file = folder / "body.json"
    body_file.write_bytes(body)
    command: list[str | Path] = [sys.executable, "-m", "bench.floors.bare_http", str(port), body_file]
    with Child("bare_http", command, folder / "bare_http.log", OWN_CODE) as child:
        child.wait_ready(lambda: answers_http(f"http://127.0.0.1:{port}/"), START_SECONDS)
        yield child, port


def _asked(name: str, server: Child, port: int, path: str, size: int, plan: RestPlan, folder: Path) -> RestRun:
    arguments = {"port": port, "path": path, "connections": plan.connections}
    with Worker("bench.http_load", folder, arguments) as readers:
        readers.wait_answer()
        before = server.cpu_seconds()
        told = readers.ask("ask", warmup_seconds=plan.warmup_seconds, seconds=plan.seconds)
        spent = server.cpu_seconds() - before
    if told["refused"]:
        raise BenchError(f"{name} refused {told['refused']} of {plan.connections} connections")
    asked = told["per_second"] * (plan.seconds + plan.warmup_seconds)
    latency = told["latency"]
    return RestRun(
        name, size, told["per_second"], latency["p50_ms"], latency["p99_ms"], spent * 1e6 / asked, told["refused"]
    )


def rest_findings(runs: Sequence[RestRun], product: str) -> list[Finding]:
    """The REST row of the proof, by requests a second."""
    ours = statistics.median(run.per_second for run in runs if run.system == product)
    bare = statistics.median(run.per_second for run in runs if run.system != product)
    return [finding("rest share", ratio(ours, bare))]
