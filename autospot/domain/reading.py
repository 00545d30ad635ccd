"""What a bay sensor said, once: the value every decoder produces, whatever the network or the vendor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from msgspec import Struct

ReadingKind = Literal["change", "heartbeat", "startup"]
Clock = Literal["device", "gateway", "server"]

AHEAD_LIMIT_MS = 2 * 60 * 1000
"""A reading dated further ahead of the hub's clock than this is dated by its arrival instead (realtime contract)."""

CLOCK_UNSET_BEFORE_MS = 1_262_304_000_000
"""2010-01-01. A device that reports an earlier time has never set its clock: dated by its arrival."""


class Reading(Struct, frozen=True, gc=False):
    """One report of one sensor. Frozen; made by `hub.decoding`, judged by `bay_after_reading`.

    A `Struct`, because making a frozen dataclass of this width takes 3.5 us and this takes 0.15 us, 20,000 times a
    second; the fields hold no containers, so the garbage collector need not look at it. Copy with
    `msgspec.structs.replace`.

    `lot` is None where only the registry knows it (LoRaWAN device ids). `sensor` is the sensor's code; for LoRaWAN the
    device EUI in lower-case hex. `occupied` is None where the message says nothing about the bay. `at_ms` is the event
    time in milliseconds since the Unix epoch, None where the message carries none; `clock` says whose time that is,
    the sensor's own, the gateway's that heard it or the network server's. `boot` and `seq` order readings:
    an `int` boot counts restarts, a `str` boot names a radio session inside which `seq` (frame counter, times 256 plus
    the position inside the frame) may be compared. `kind` is None where the message does not say. `battery` is the
    charge 0..1, `battery_volts` in V, `battery_low` the sensor's own alarm, `rssi` in dBm, `snr` in dB, `temperature`
    in degrees Celsius, `distance_mm` the raw range of a distance sensor.
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
    battery_low: bool | None = None
    clock: Clock | None = None


@dataclass(frozen=True, slots=True)
class Status:
    """A sensor's or a gateway's own word, or its last will, on whether it is there."""

    lot: str
    online: bool
    sensor: str | None = None
    gateway: str | None = None


@dataclass(frozen=True, slots=True)
class Ignored:
    """A message in good order that says nothing about a bay: counted by `reason`, not kept."""

    reason: IgnoreReason


IgnoreReason = Literal[
    "cleared",  # an empty payload, which is how a retained status is removed from the broker
    "simulated",  # a network server's test message: no real sensor spoke
    "join",
    "downlink",
    "log",
    "location",
    "integration",
]


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
    "decoder_failed",  # a decoder raised: a mistake in this program, not in the message
]
