"""Builders with defaults for the simulator's tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sensors_sim.demand import Use
from sensors_sim.faults import parse_rates
from sensors_sim.lots import Bay, Lot, Sensor
from sensors_sim.reading import Kind, Reading
from sensors_sim.simulation import Plan

BERLIN = ZoneInfo("Europe/Berlin")
HOUR_MS = 3_600_000
WEEK_MS = 168 * HOUR_MS


def at(local: str, zone: ZoneInfo = BERLIN) -> int:
    """A local time as milliseconds since the epoch."""
    return int(datetime.fromisoformat(local).replace(tzinfo=zone).timestamp() * 1000)


MONDAY_MS = at("2026-11-23T00:00")


def a_lot(code: str = "harbour", bays: int = 20, *, kind: str = "general", sensor: Sensor | None = None) -> Lot:
    """Bays `B000`, `B001`, …, each with a sensor of its own name, or of `sensor`'s model and gateway."""
    codes = [f"B{n:03}" for n in range(bays)]
    mounted = sensor or Sensor("")
    return Lot(code, BERLIN, tuple(Bay(bay, kind, replace(mounted, id=bay)) for bay in codes), storeys=1)


def a_plan(lots: Sequence[Lot] = (), *, faults: Sequence[str] = (), use: Use = "street", **changes: Any) -> Plan:
    """Twenty bays on a Monday at eight, a world hour to a second, no faults."""
    chosen = tuple(lots) or (a_lot(),)
    defaults: dict[str, Any] = {
        "lots": chosen,
        "uses": {lot.code: use for lot in chosen},
        "rates": parse_rates(faults),
        "seed": 1,
        "start_ms": at("2026-11-23T08:00"),
        "end_ms": at("2026-11-23T12:00"),
        "speed": 3600.0,
        "boot": 7,
    }
    return Plan(**{**defaults, **changes})


def a_reading(kind: Kind = "change", occupied: bool | None = True, **changes: Any) -> Reading:
    defaults: dict[str, Any] = {
        "lot": "harbour",
        "sensor": Sensor("B001"),
        "at_ms": at("2026-11-23T08:00"),
        "kind": kind,
        "occupied": occupied,
        "boot": 7,
        "seq": 1,
    }
    return Reading(**{**defaults, **changes})
