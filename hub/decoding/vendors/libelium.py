"""Libelium Plug & Sense! Smart Parking, firmware 1, 2 and 3."""

from __future__ import annotations

from autospot.domain.reading import ReadingKind
from hub.decoding.frames import Decoded, FrameEvent, int8, unreadable

_OCCUPIED, _BATTERY_LOW, _TYPE = 0x80, 0x40, 0x0F
_V1_BYTES, _BYTES = 12, 11
_INFO, _KEEP_ALIVE = 0, 1

_KIND: dict[int, ReadingKind | None] = {
    0: "change",  # info
    1: "heartbeat",  # keep-alive
    2: "heartbeat",  # daily update
    3: None,  # error (firmware 2), reserved (firmware 3)
    4: "startup",
    5: "startup",
    6: None,  # service
    7: None,  # downlink answer
    8: None,  # RSSI
}
_STATES = frozenset({0, 1, 2})
"""Frame types whose state bit counts. The others carry it too, but before calibration it means nothing."""

_V1_TYPES = frozenset(range(6))


def smart_parking_v1(f_port: int, data: bytes) -> Decoded:
    """Twelve bytes. Byte 0: bit 7 occupied, 6 battery low, bits 3..0 frame type 0 to 5; byte 1 frame counter. The
    temperature is raw and needs the sensor's own calibration, so it is left out.

    Libelium, Smart Parking Technical Guide, frames of firmware 1.
    """
    if len(data) != _V1_BYTES or data[0] & _TYPE not in _V1_TYPES:
        return unreadable(f_port, data)
    return (_event(data, temperature=None),)


def smart_parking_v2(f_port: int, data: bytes) -> Decoded:
    """Eleven bytes. Bytes 0 and 1 as in firmware 1, frame types 0 to 8. Info: byte 2 int8 degrees. Keep-alive: hour,
    minute, byte 4 int8 degrees.

    Libelium, Smart Parking Technical Guide, frames of firmware 2; libelium-parking-sensor-v2 (MIT).
    """
    return _eleven_bytes(f_port, data, {_INFO: 2, _KEEP_ALIVE: 4})


def smart_parking_v3(f_port: int, data: bytes) -> Decoded:
    """Eleven bytes as in firmware 2; byte 0 adds bit 5 configuration refused, 4 recalibrated. Info and keep-alive:
    byte 2 sensor error, 3 int8 degrees.

    Libelium, Smart Parking Technical Guide, frames of firmware 3; ZennerIoT/element-parsers (MIT).
    """
    return _eleven_bytes(f_port, data, {_INFO: 3, _KEEP_ALIVE: 3})


def _eleven_bytes(f_port: int, data: bytes, temperature_at: dict[int, int]) -> Decoded:
    if len(data) != _BYTES or data[0] & _TYPE not in _KIND:
        return unreadable(f_port, data)
    place = temperature_at.get(data[0] & _TYPE)
    return (_event(data, temperature=None if place is None else int8(data[place])),)


def _event(data: bytes, *, temperature: int | None) -> FrameEvent:
    frame_type = data[0] & _TYPE
    return FrameEvent(
        occupied=bool(data[0] & _OCCUPIED) if frame_type in _STATES else None,
        kind=_KIND[frame_type],
        battery_low=bool(data[0] & _BATTERY_LOW),
        temperature=temperature,
    )
