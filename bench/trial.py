"""One run of one system under one load: put it up, connect the screens, send, wait, look whether all is right."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bench.gate import Verdict
from bench.processes import BenchError, Child, Worker, load_arguments, machine_busy_seconds
from bench.result import SETTLE_SECONDS, Run, broken
from bench.schedule import Load, Schedule
from bench.stack import Broker, Database, running_broker
from bench.stores import judge_database, judge_rest
from bench.systems import Place, System, import_lots, place_for
from bench.worker import now_ms

LEAD_MS: Final = 500
"""Between the order to start and the first reading that is due."""

REST_SECONDS: Final = 1.0
"""Quiet before a resident set is read."""

LOAD_CONNECTIONS: Final = 4
PARSERS_MAX: Final = 20
SCREENS_TO_WEIGH: Final = 1000
"""Below this many the memory of one screen drowns in the hub's own ups and downs."""


@dataclass(frozen=True, slots=True)
class Crowd:
    """How many screens watch: `screens` in all, of which at most one per lot and PARSERS_MAX parse every frame."""

    screens: int
    lots: int

    @property
    def parsers(self) -> int:
        """Screens that parse."""
        return min(self.screens, self.lots, PARSERS_MAX)

    @property
    def drainers(self) -> int:
        """Screens that only read."""
        return self.screens - self.parsers


@dataclass(frozen=True, slots=True)
class Crew:
    """The processes that put load on a hub."""

    parsers: Worker
    drainers: Worker
    sender: Worker


def run_trial(system: System, load: Load, screens: int, database: Database, folder: Path) -> Run:
    """Measure `system` once. What goes wrong, down to a hub that does not start, is in the result: others still run."""
    try:
        with contextlib.ExitStack() as stack:
            place = stack.enter_context(fresh_place(database, folder))
            if system.product:
                import_lots(place, load)
            hub, ready_seconds = system.start(place)
            stack.enter_context(hub)
            return measure(system, load, screens, place, hub, ready_seconds)
    except BenchError as error:
        return broken(system.name, load, screens, str(error))


@contextlib.contextmanager
def fresh_place(database: Database, folder: Path) -> Iterator[Place]:
    """A broker and a database that have seen nothing."""
    folder.mkdir(parents=True, exist_ok=True)
    with running_broker(folder) as broker, database.fresh() as name:
        yield place_for(broker, database, name, folder)


def measure(system: System, load: Load, screens: int, place: Place, hub: Child, ready_seconds: float) -> Run:
    """Put `load` and `screens` on a hub that is ready, and judge what it showed."""
    crowd = Crowd(screens, load.lots)
    with hired(place, load, crowd) as crew:
        idle_kb = connect_crowd(crew, crowd, hub)
        schedule, before = _start(crew, load, place.broker, place.database, hub)
        sent = crew.sender.wait_answer()
        settled = crew.parsers.ask("settle", within_seconds=SETTLE_SECONDS)
        spent = _meter(crew, place.broker, place.database, hub).since(before)
        resident = hub.resident_bytes()
        report, drained = crew.parsers.ask("report"), crew.drainers.ask("report")
        verdicts, projection_seconds = _verdicts(system, schedule, place, crew, report)
        return Run(
            system=system.name,
            rate=load.rate,
            screens=screens,
            latency=report["latency"],
            cpu_us_per_reading={name: used * 1e6 / load.measured_readings for name, used in spent.cpu.items()},
            hub_cores=spent.cpu["hub"] / spent.seconds,
            frames_per_second=spent.frames / spent.seconds,
            frame_bytes=spent.bytes / spent.frames if spent.frames else 0.0,
            hub_cpu_us_per_frame=spent.cpu["hub"] * 1e6 / spent.frames if spent.frames else math.nan,
            frames_per_reading=spent.frames / load.measured_readings,
            ready_seconds=ready_seconds,
            resident_mb=resident / 2**20,
            kb_per_idle_screen=idle_kb,
            missing=settled["missing"] + load.readings - sent["acknowledged"],
            faults=(*report["fault_examples"], *drained["fault_examples"]),
            verdicts=tuple(verdicts),
            projection_seconds=projection_seconds,
            sender_late_p99_ms=sent["lateness"]["p99_ms"],
            others_cores=(spent.busy - sum(spent.cpu.values())) / spent.seconds,
        )


@contextlib.contextmanager
def hired(place: Place, load: Load, crowd: Crowd) -> Iterator[Crew]:
    """The load processes, started together and ready for orders."""
    common = {"http_port": place.http_port, "load": load_arguments(load)}
    sending = {"port": place.broker.port, "load": load_arguments(load), "connections": LOAD_CONNECTIONS}
    with (
        Worker("bench.screens", place.folder, {**common, "parse": True, "total": crowd.parsers}) as parsers,
        Worker("bench.screens", place.folder, {**common, "parse": False, "total": crowd.drainers}) as drainers,
        Worker("bench.load", place.folder, sending) as sender,
    ):
        for worker in (parsers, drainers, sender):
            worker.wait_answer()
        yield Crew(parsers, drainers, sender)


def connect_crowd(crew: Crew, crowd: Crowd, hub: Child) -> float | None:
    """Connect all screens, the parsing ones in the middle, so that they are neither first nor last to be told.

    Returns the kilobytes by which the hub's resident set grew per screen; None where they are too few to tell.
    """
    weigh = crowd.drainers >= SCREENS_TO_WEIGH
    time.sleep(REST_SECONDS if weigh else 0.0)
    empty = hub.resident_bytes()
    crew.drainers.ask("connect", count=crowd.drainers // 2)
    crew.parsers.ask("connect", count=crowd.parsers)
    crew.drainers.ask("connect", count=crowd.drainers - crowd.drainers // 2)
    time.sleep(REST_SECONDS if weigh else 0.0)
    return (hub.resident_bytes() - empty) / crowd.screens / 1024 if weigh else None


@dataclass(frozen=True, slots=True)
class Meter:
    """Processor seconds, `busy` of the whole machine and by process; frames and bytes on the screens; at `seconds`."""

    seconds: float
    busy: float
    cpu: dict[str, float]
    frames: int
    bytes: int

    def since(self, before: Meter) -> Meter:
        """What was used between two readings of the meter."""
        cpu = {name: used - before.cpu[name] for name, used in self.cpu.items()}
        busy = self.busy - before.busy
        return Meter(self.seconds - before.seconds, busy, cpu, self.frames - before.frames, self.bytes - before.bytes)


def _meter(crew: Crew, broker: Broker, database: Database, hub: Child) -> Meter:
    parts: dict[str, Child] = {"hub": hub, "broker": broker.process, "mongod": database.process}
    parts |= {"sender": crew.sender, "parsers": crew.parsers, "drainers": crew.drainers}
    cpu = {name: process.cpu_seconds() for name, process in parts.items()}
    at, busy = time.monotonic(), machine_busy_seconds()
    counted = [screens.ask("traffic") for screens in (crew.parsers, crew.drainers)]
    return Meter(at, busy, cpu, sum(one["frames"] for one in counted), sum(one["bytes"] for one in counted))


def _start(crew: Crew, load: Load, broker: Broker, database: Database, hub: Child) -> tuple[Schedule, Meter]:
    """Let the sender begin; returns at the end of the warm-up, with the meter as it stood then."""
    schedule = Schedule(load, int(now_ms()) + LEAD_MS)
    crew.parsers.ask("expect", start_ms=schedule.start_ms)
    crew.sender.tell("run", start_ms=schedule.start_ms)
    time.sleep(max(0.0, (schedule.due_ms(load.first_measured) - now_ms()) / 1000))
    return schedule, _meter(crew, broker, database, hub)


def _verdicts(
    system: System, schedule: Schedule, place: Place, crew: Crew, report: dict[str, Any]
) -> tuple[list[Verdict], float]:
    """Screens, fresh snapshots, REST where there is one, the database; only screens when those are behind anyway."""
    verdicts = [Verdict.from_json(fields) for fields in report["verdicts"]]
    if report["missing"]:
        return verdicts, math.nan
    verdicts.append(Verdict.from_json(crew.parsers.ask("look")))
    if system.product:
        verdicts.append(judge_rest(schedule, place.http_url))
    stored, projection_seconds = judge_database(schedule, place.database, place.database_name)
    return [*verdicts, stored], projection_seconds
