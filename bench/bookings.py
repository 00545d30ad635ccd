"""Scenario `bookings`: booking over REST with payment from the wallet, against the bare transactions it is made of."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import statistics
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from bench.booking_plan import BAYS, CASES, LOTS, WALLET_MINOR, Asks, Booked, Case, overlaps, tomorrow, untold
from bench.booking_plan import wrong_wallets as wrong_wallets_of
from bench.processes import OWN_CODE, BenchError, Child, Worker
from bench.result import ratio
from bench.schedule import Load
from bench.session import Session
from bench.systems import Place, System, autospot_command, import_lots, product_environment
from bench.targets import Finding, finding
from bench.trial import fresh_place

PREPARE_SECONDS: Final = 120.0
DOCTOR_SECONDS: Final = 120.0
EXAMPLES_MAX: Final = 5
FLOOR: Final = "bare transactions"
PRODUCT: Final = "autospot"
SYSTEMS: Final = (PRODUCT, FLOOR)


@dataclass(frozen=True, slots=True)
class BookingsPlan:
    """What scenario `bookings` does. `drivers` have five bookings each, which bounds how many there can be.

    With one of `SYSTEMS` or `CASES` alone there is nothing to compare: for work on the product, not for proof.
    """

    systems: Sequence[str] = SYSTEMS
    cases: Sequence[Case] = CASES
    clients: int = 32
    drivers: int = 2_000
    seconds: float = 6.0
    warmup_seconds: float = 1.0
    repetitions: int = 3


QUICK: Final = BookingsPlan(drivers=600, seconds=2.0, repetitions=1)


@dataclass(frozen=True, slots=True)
class BookingsRun:
    """One burst of bookings. Processor time is in microseconds per booking: `server` is the API, or the floor's own,
    `clients` are those who book; 0 where the floor is both."""

    system: str
    case: Case
    per_second: float
    p50_ms: float
    p99_ms: float
    server_us: float
    mongod_us: float
    clients_us: float
    wrong: tuple[str, ...] = ()

    @property
    def untrue(self) -> bool:
        """Something that was promised is not so."""
        return bool(self.wrong)

    @property
    def line(self) -> str:
        """How it went, while others still run."""
        speed = f"{self.per_second:6.0f}/s  p99 {self.p99_ms:6.1f} ms"
        cost = f"{self.server_us:6.0f} us, mongod {self.mongod_us:6.0f} us"
        return f"{self.system:18} {self.case:10} {speed}  {cost}  {'WRONG' if self.wrong else 'right'}"

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        names = ("system", "case", "per_second", "p50_ms", "p99_ms", "server_us", "mongod_us", "clients_us", "wrong")
        return {name: getattr(self, name) for name in names}


def run_bookings(session: Session, system: System, plan: BookingsPlan) -> list[BookingsRun]:
    """AutoSpot and the floor in turn, each on a database that has seen nothing."""
    runs: list[BookingsRun] = []
    for _ in range(plan.repetitions):
        for case in plan.cases:
            asks = Asks(case, plan.drivers, tomorrow(datetime.now(UTC)))
            for name, measure in ((PRODUCT, _product_run), (FLOOR, _floor_run)):
                if name not in plan.systems:
                    continue
                with fresh_place(session.database, session.next_folder()) as place:
                    run = measure(system, plan, asks, place)
                session.console.print(run.line)
                for line in run.wrong:
                    session.console.print(f"  {line}", markup=False)
                runs.append(run)
    return runs


def _product_run(system: System, plan: BookingsPlan, asks: Asks, place: Place) -> BookingsRun:
    secret = secrets.token_hex(32)
    import_lots(place, Load(LOTS, BAYS, 1, 1.0, 0.0, 0))
    tokens = _drivers(place, secret, plan.drivers)
    settings = {"AUTOSPOT_SECRET_KEY": secret, "AUTOSPOT_RATE_FACTOR": "0", "AUTOSPOT_LOG_LEVEL": "warning"}
    with contextlib.ExitStack() as stack:
        server, _ = replace(system, environment={**system.environment, **settings}).start(place)
        stack.enter_context(server)
        arguments = {"port": place.http_port, "connections": plan.clients, "tokens": str(tokens)}
        clients = stack.enter_context(Worker("bench.booking_load", place.folder, {**arguments, "asks": asks.as_json()}))
        clients.wait_answer()
        told, spent = _measured(plan, clients, [server, place.database.process, clients])
        told["wrong"] = judged(place, told)
    return _run(system.name, asks.case, told, spent, len(told["acknowledged"]))


def _floor_run(_: System, plan: BookingsPlan, asks: Asks, place: Place) -> BookingsRun:
    arguments = {"url": place.database.url, "database": place.database_name, "clients": plan.clients}
    with Worker("bench.floors.raw_bookings", place.folder, {**arguments, "asks": asks.as_json()}) as floor:
        floor.wait_answer()
        told, spent = _measured(plan, floor, [floor, place.database.process])
    written = place.database.client[place.database_name]["bookings"].count_documents({})
    return _run(FLOOR, asks.case, told, spent, written)


def _measured(
    plan: BookingsPlan, clients: Worker, processes: Sequence[Child]
) -> tuple[dict[str, Any], Sequence[float]]:
    """What the clients tell, and the processor seconds of each process meanwhile."""
    before = [process.cpu_seconds() for process in processes]
    told = clients.ask("book", warmup_seconds=plan.warmup_seconds, seconds=plan.seconds)
    return told, [process.cpu_seconds() - used for process, used in zip(processes, before, strict=True)]


def _run(system: str, case: Case, told: dict[str, Any], spent: Sequence[float], bookings: int) -> BookingsRun:
    latency = told["latency"]
    server_us, mongod_us, clients_us = ([ratio(used * 1e6, bookings) for used in spent] + [0.0])[:3]
    return BookingsRun(
        system,
        case,
        told["per_second"],
        latency["p50_ms"],
        latency["p99_ms"],
        server_us,
        mongod_us,
        clients_us,
        tuple(told.get("wrong", ())),
    )


def _drivers(place: Place, secret: str, drivers: int) -> Path:
    """The file with the drivers' tokens, once their accounts and wallets are there."""
    tokens = place.folder / "tokens.json"
    arguments = {
        "url": place.database.url,
        "database": place.database_name,
        "secret": secret,
        "drivers": drivers,
    }
    command = [sys.executable, "-m", "bench.booking_drivers", json.dumps(arguments)]
    with tokens.open("wb") as sink:
        done = subprocess.run(
            command, stdout=sink, stderr=subprocess.PIPE, env=_environment(), timeout=PREPARE_SECONDS, check=False
        )
    if done.returncode:
        raise BenchError(f"the drivers could not be made:\n{done.stderr.decode(errors='replace')[-2000:]}")
    return tokens


def judged(place: Place, told: dict[str, Any]) -> list[str]:
    """The gate: everything that is not as it was promised, at most `EXAMPLES_MAX` of each sort, in words."""
    stored = place.database.client[place.database_name]
    booked = [_booked(row) for row in stored["bookings"].find({"state": {"$exists": True}})]
    purses = stored["wallets"].find({"account": {"$regex": "^wallet:"}})
    left = {row["account"].partition(":")[2]: row["credits"] - row.get("debits", 0) for row in purses}
    wrong = [f"{times} times: {answer}" for answer, times in told["refused"].items()][:EXAMPLES_MAX]
    for found in (overlaps(booked), wrong_wallets_of(booked, WALLET_MINOR, left), untold(booked, told["acknowledged"])):
        wrong += found[:EXAMPLES_MAX]
    return wrong + _doctor(place)


def _doctor(place: Place) -> list[str]:
    """What `autospot doctor` finds."""
    done = subprocess.run(
        [*autospot_command(), "doctor"],
        capture_output=True,
        text=True,
        env={**_environment(), **product_environment(place)},
        timeout=DOCTOR_SECONDS,
        check=False,
    )
    return [] if done.returncode == 0 else [f"doctor: {done.stdout[-500:]}{done.stderr[-500:]}"]


def _environment() -> dict[str, str]:
    return {**os.environ, **OWN_CODE}


def _booked(row: dict[str, Any]) -> Booked:
    place = f"{row['lot']}/{row['bay']}"
    return Booked(row["_id"], place, row["from"], row["until"], row["owner"], row["paid"])


def bookings_findings(runs: Sequence[BookingsRun]) -> list[Finding]:
    """The bookings rows of the proof, for each case that was measured beside its floor."""
    found: list[Finding] = []
    for case in CASES:
        if {run.system for run in runs if run.case == case} != set(SYSTEMS):
            continue
        ours = [run.per_second for run in runs if run.case == case and run.system != FLOOR]
        bare = [run.per_second for run in runs if run.case == case and run.system == FLOOR]
        found.append(finding(f"bookings {case}", statistics.median(ours)))
        found.append(finding(f"bookings {case} share", ratio(statistics.median(ours), statistics.median(bare))))
    return found
