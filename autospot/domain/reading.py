"""What a bay sensor said, once: the value every decoder produces, whatever the network or the vendor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ReadingKind = Literal["change", "heartbeat", "startup"]

AHEAD_LIMIT_MS = 2 * 60 * 1000
"""A reading dated further ahead of the hub's clock than this is dated by its arrival instead (realtime contract)."""

CLOCK_UNSET_BEFORE_MS = 1_262_304_000_000
"""2010-01-01. A device that reports an earlier time has never set its clock: dated by its arrival."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One report of one sensor. Frozen; made by `hub.decoding`, judged by `bay_after_reading`.

    `lot` is None where only the registry knows it (LoRaWAN device ids). `sensor` is the sensor's code; for LoRaWAN the
    device EUI in lower-case hex. `occupied` is None where the message says nothing about the bay. `at_ms` is the event
    time in milliseconds since the Unix epoch, None where the message carries none. `boot` and `seq` order readings:
    an `int` boot counts restarts, a `str` boot names a radio session inside which `seq` (frame counter, times 256 plus
    the position inside the frame) may be compared. `kind` is None where the message does not say. `battery` is the
    charge 0..1, `battery_volts` in V, `rssi` in dBm, `snr` in dB, `temperature` in degrees Celsius, `distance_mm` the
    raw range of a distance sensor whose threshold only the registry knows.
    """

    sensor: str
    lot: str | None = None
    occupied: bool | None = None
    at_ms: int | None = None
    boot: int | str | None = None
    seq: int | None = None
    kind: ReadingKind | None = None
    battery: float | None = None
    battery_volts: float | None = None
    rssi: float | None = None
    snr: float | None = None
    temperature: float | None = None
    distance_mm: int | None = None


@dataclass(frozen=True, slots=True)
class Status:
    """A sensor's or a gateway's own word, or its last will, on whether it is there."""

    lot: str
    online: bool
    sensor: str | None = None
    gateway: str | None = None


@dataclass(frozen=True, slots=True)
class Rejected:
    """A message that could not become a reading. `reason` is a stable word, `detail` is for people."""

    reason: RejectReason
    detail: str = ""


RejectReason = Literal[
    "bad_topic",
    "too_large",
    "bad_utf8",
    "bad_json",
    "bad_value",
    "bad_frame",
    "unknown_device_type",
    "unknown_lot",
    "unknown_sensor",
]
