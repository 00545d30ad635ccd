"""AutoSpot's own topics: a sensor's reading, and the word of a sensor or gateway on whether it is there."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct
from msgspec.json import Decoder

from autospot.domain.instant import to_ms
from autospot.domain.reading import Ignored, Reading, ReadingKind, Rejected, Status
from hub.decoding.plausible import Battery, Counter, Rssi, Snr, Temperature


class _NativeReading(Struct, frozen=True, gc=False):
    """The payload, as in the realtime contract, section 1. `null` means "not given"; fields not named here are ignored.

    Of a name that is given twice the last counts (RFC 8259 leaves it open).
    """

    occupied: bool | None = None
    at: Annotated[datetime, Meta(tz=True)] | None = None
    seq: Counter | None = None
    boot: Counter | None = None
    battery: Battery | None = None
    rssi: Rssi | None = None
    snr: Snr | None = None
    temperature: Temperature | None = None
    kind: ReadingKind | None = None


_decode = Decoder(_NativeReading).decode

_ONLINE = {b"online": True, b"offline": False}


def native_reading(lot: str, sensor: str, payload: bytes) -> Reading | Rejected:
    """The reading in `payload`. Raises `msgspec.DecodeError` or `RecursionError` for what is no such JSON."""
    said = _decode(payload)
    if said.occupied is None and said.kind != "heartbeat":
        return Rejected("bad_value", "only a heartbeat may leave it out - at `$.occupied`")
    at = said.at
    return Reading(
        sensor,
        lot,
        said.occupied,
        None if at is None else to_ms(at),
        said.boot,
        said.seq,
        said.kind,
        battery=said.battery,
        rssi=said.rssi,
        snr=said.snr,
        temperature=said.temperature,
        clock=None if at is None else "device",
    )


def native_status(
    lot: str, payload: bytes, *, sensor: str | None = None, gateway: str | None = None
) -> Status | Ignored | Rejected:
    """The status of one sensor or gateway. An empty payload takes the retained word back and says nothing."""
    if not payload:
        return Ignored("cleared")
    online = _ONLINE.get(payload)
    if online is None:
        return Rejected("bad_value", "a status is `online` or `offline`")
    return Status(lot, online, sensor, gateway)
