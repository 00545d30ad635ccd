"""Lots for tests: small, plain, with sensible defaults."""

from __future__ import annotations

from collections.abc import Sequence

from autospot.domain.lot import Bay, BayKind, Level, Lot, SensorRef


def a_lot(
    code: str = "harbour",
    bays: int | Sequence[Bay] = 4,
    *,
    kinds: Sequence[BayKind] = ("general",),
    lamps: bool = False,
    heartbeat_seconds: int | None = None,
    gateway: str | None = None,
) -> Lot:
    """A lot with bays `B00000`, `B00001`, …, each watched by a sensor of the same code."""
    if isinstance(bays, int):
        bays = [
            Bay(
                bay=f"B{number:05d}",
                level="L0",
                kind=kinds[number % len(kinds)],
                sensor=SensorRef(id=f"B{number:05d}", heartbeat_seconds=heartbeat_seconds, gateway=gateway)
                if heartbeat_seconds or gateway
                else None,
            )
            for number in range(bays)
        ]
    return Lot(
        lot=code,
        name=code.title(),
        time_zone="Europe/Berlin",
        lamps=lamps,
        levels=(Level(level="L0"),),
        bays=tuple(bays),
    )
