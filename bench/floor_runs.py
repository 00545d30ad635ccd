"""Runs of the floors, measured like the systems above them."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Final

from bench.processes import Worker, free_port, load_arguments, machine_busy_seconds
from bench.result import SETTLE_SECONDS, Run
from bench.schedule import Load, Schedule
from bench.stack import running_broker
from bench.trial import LEAD_MS, LOAD_CONNECTIONS
from bench.worker import now_ms

BROKER_ALONE: Final = "mosquitto alone"
BARE_SECONDS: Final = 4.0


def run_broker_floor(load: Load, folder: Path) -> Run:
    """Publish to subscribe through the broker, with nothing behind it: what no hub can be faster than."""
    folder.mkdir(parents=True, exist_ok=True)
    plain = load_arguments(load)
    with (
        running_broker(folder) as broker,
        Worker("bench.floors.subscriber", folder, {"port": broker.port, "load": plain}) as subscriber,
        Worker("bench.load", folder, {"port": broker.port, "load": plain, "connections": LOAD_CONNECTIONS}) as sender,
    ):
        subscriber.wait_answer()
        sender.wait_answer()
        schedule = Schedule(load, int(now_ms()) + LEAD_MS)
        subscriber.ask("expect", start_ms=schedule.start_ms)
        sender.tell("run", start_ms=schedule.start_ms)
        time.sleep(max(0.0, (schedule.due_ms(load.first_measured) - now_ms()) / 1000))
        parts = {"hub": subscriber, "broker": broker.process, "sender": sender}
        before = {name: part.cpu_seconds() for name, part in parts.items()}
        began, busy = time.monotonic(), machine_busy_seconds()
        sent = sender.wait_answer()
        settled = subscriber.ask("settle", within_seconds=SETTLE_SECONDS)
        seconds, busy = time.monotonic() - began, machine_busy_seconds() - busy
        cpu = {name: part.cpu_seconds() - before[name] for name, part in parts.items()}
        return Run(
            system=BROKER_ALONE,
            rate=load.rate,
            screens=0,
            latency=subscriber.ask("report")["latency"],
            cpu_us_per_reading={name: spent * 1e6 / load.measured_readings for name, spent in cpu.items()},
            missing=settled["missing"],
            hub_cores=cpu["hub"] / seconds,
            sender_late_p99_ms=sent["lateness"]["p99_ms"],
            others_cores=(busy - sum(cpu.values())) / seconds,
        )


def bare_fanout_us_per_frame(run: Run, folder: Path) -> float:
    """Processor time per frame of a plain loop with the frame size, frame rate and number of screens of `run`."""
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    rhythm = {"frame_bytes": round(run.frame_bytes), "tick_seconds": run.screens / run.frames_per_second}
    load = Load(lots=1, bays=1, rate=1, seconds=1, warmup_seconds=0, seed=0)
    watching = {"http_port": port, "load": load_arguments(load), "parse": False, "total": run.screens}
    with (
        Worker("bench.floors.bare_fanout", folder, {"http_port": port, **rhythm}) as bare,
        Worker("bench.screens", folder, watching) as drainers,
    ):
        bare.wait_answer()
        drainers.wait_answer()
        drainers.ask("connect", count=run.screens)
        played = bare.ask("play", seconds=BARE_SECONDS)
        return float(played["cpu_seconds"] * 1e6 / played["frames"])
