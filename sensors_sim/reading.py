"""What one sensor says, once, before it is put into bytes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sensors_sim.lots import Sensor

Kind = Literal["change", "heartbeat", "startup"]


@dataclass(frozen=True, slots=True)
class Reading:
    """One report, in the world's time.

    `at_ms` is the event time in milliseconds since the Unix epoch. `boot` and `seq` order the reports of one sensor;
    both are None for a recorded sensor that sent neither. `occupied` is None where the report says nothing about the
    bay. `held_minutes` is how long the bay had been in its previous state. `battery` is the charge 0..1, `rssi` in
    dBm, `snr` in dB, `temperature` in degrees Celsius; None where the sensor does not say.
    """

    lot: str
    sensor: Sensor
    at_ms: int
    kind: Kind
    occupied: bool | None
    boot: int | None = None
    seq: int | None = None
    held_minutes: int = 0
    battery: float | None = None
    rssi: int | None = None
    snr: float | None = None
    temperature: float | None = None
