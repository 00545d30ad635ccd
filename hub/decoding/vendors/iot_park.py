"""IoT Solutions IoT Park: in-ground radar and magnetometer, over LoRaWAN, NB-IoT or Sigfox.

It keeps what it could not send and delivers it later, newest first, so its frames carry the times of their events.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from hub.decoding.frames import HEARD, Decoded, FrameEvent, int8, uint16, unreadable

_KEEP_ALIVE, _SETTINGS, _PARKING, _PARKING_AGAIN = 0x06, 0x0A, 0x1A, 0x1F
_STAMP_BYTES = 5
_BEACON_BYTES = 5
_SIGFOX_BEACON_BYTES = 4
_WIDE_FROM_FIRMWARE = 58
"""Firmware 5.8 (as a byte) measures battery and current with 16 bits; before, 8."""

_FIRMWARES = range(50, 100)
"""Plausible first bytes. The text of such a frame in hex begins with a 3, and hex read as base64 begins with a byte
of 0xDC or more: it can never pass."""

_MILLIVOLTS_NARROW, _MILLIVOLTS_WIDE = 16, 0.2197


class _Unreadable(Exception):
    """The frame does not have the layout."""


@dataclass(frozen=True, slots=True)
class _Layout:
    """How one radio's frames differ. `keep_alive` is a keep-alive's length without the clock that may follow it,
    which `may_sync` allows; `settings` the length of the settings, before the access point's name if `has_apn`."""

    header: int
    keep_alive: int
    may_sync: bool
    settings: int
    has_apn: bool = False


_LORA = _Layout(header=1, keep_alive=31, may_sync=True, settings=60)
_NB_NARROW = _Layout(header=8, keep_alive=32, may_sync=True, settings=68, has_apn=True)
_NB_WIDE = _Layout(header=8, keep_alive=33, may_sync=False, settings=64, has_apn=True)
_AFTER_APN_BYTES = 7


def lora(f_port: int, data: bytes) -> Decoded:
    """Byte 0 firmware times ten; then events of uint32 Unix seconds, a type and its values. 1A parking: distance cm,
    occupied 0 or 1, radar, uint16 magnet, a count of beacons of five bytes each. 06 keep-alive, which says nothing of
    the bay: uint16 battery in 0.2197 mV, percent (always 0), current, resets, calibration, least and greatest
    temperature at 7 and 8. 0A settings. 1F: parking, reported again.

    foxcodenine/iot-parking-gateway (Apache-2.0), LoRa from firmware 5.8 on; earlier ones are not described.
    Temperatures are bytes there and signed here: above 127 degrees nothing works, below 0 it may.
    """
    if data[:1] < bytes([_WIDE_FROM_FIRMWARE]):
        return unreadable(f_port, data)
    return _timed(f_port, data, _LORA)


def nb_iot(f_port: int, data: bytes) -> Decoded:
    """As over LoRaWAN, with seven bytes of device id after the firmware. Before firmware 5.8 battery and current have
    one byte each, the battery in 16 mV.

    foxcodenine/iot-parking-gateway (Apache-2.0), firmware 5.3 and 5.8 for NB-IoT.
    """
    narrow = bool(data) and data[0] < _WIDE_FROM_FIRMWARE
    return _timed(f_port, data, _NB_NARROW if narrow else _NB_WIDE)


def sigfox(f_port: int, data: bytes) -> Decoded:
    """Firmware, type, and the values of one event without a time. 1A and 1F: occupied, radar, beacons of four bytes.
    06: battery as in the other radios, percent, current, resets, least and greatest temperature, five more.

    foxcodenine/iot-parking-gateway (Apache-2.0), firmware 5.7 and 6.0 for Sigfox.
    """
    if len(data) < 3 or data[0] not in _FIRMWARES:
        return unreadable(f_port, data)
    wide = int(data[0] >= _WIDE_FROM_FIRMWARE)
    match data[1], len(data):
        case (0x1A | 0x1F) as report, size if size >= 4 and size % _SIGFOX_BEACON_BYTES == 0 and data[2] <= 1:
            return (_parking(report, data[2]),)
        case 0x06, 12:
            volts = _volts(data[2 : 3 + wide])
            return (FrameEvent(kind="heartbeat", battery_volts=volts, temperature=int8(data[7 + wide])),)
        case 0x0A, _:
            return HEARD
    return unreadable(f_port, data)


def _timed(f_port: int, data: bytes, layout: _Layout) -> Decoded:
    """All events, oldest first, or none: an event that cannot be read hides where the next one begins."""
    if len(data) <= layout.header or data[0] not in _FIRMWARES:
        return unreadable(f_port, data)
    try:
        events = list(_events(data, layout))
    except _Unreadable:
        return unreadable(f_port, data)
    return sorted(events, key=lambda event: event.at_ms or 0)


def _events(data: bytes, layout: _Layout) -> Iterator[FrameEvent]:
    at, keep_alives = layout.header, 0
    while at < len(data):
        at_ms = 1000 * int.from_bytes(_cut(data, at, 4), "big")
        report = _cut(data, at + 4, 1)[0]
        at += _STAMP_BYTES
        if report in (_PARKING, _PARKING_AGAIN):
            values = _cut(data, at, 6)
            if values[1] > 1:
                raise _Unreadable
            yield _parking(report, values[1], at_ms)
            at += 6 + len(_cut(data, at + 6, values[5] * _BEACON_BYTES))
        elif report == _KEEP_ALIVE:
            keep_alives += 1
            values = _cut(data, at, layout.keep_alive)
            yield _keep_alive(values, at_ms, wide=data[0] >= _WIDE_FROM_FIRMWARE)
            at += layout.keep_alive
            # The first keep-alive of a frame, and any that asks for it, is followed by the sensor's clock.
            if layout.may_sync and (keep_alives == 1 or values[-1] != 0):
                at += len(_cut(data, at, 4))
        elif report == _SETTINGS:
            yield FrameEvent(at_ms=at_ms)
            at += len(_settings(data, at, layout))
        else:
            raise _Unreadable


def _cut(data: bytes, at: int, size: int) -> bytes:
    piece = data[at : at + size]
    if len(piece) != size:
        raise _Unreadable
    return piece


def _settings(data: bytes, at: int, layout: _Layout) -> bytes:
    if not layout.has_apn:
        return _cut(data, at, layout.settings)
    name_bytes = _cut(data, at + layout.settings, 1)[0]
    return _cut(data, at, layout.settings + 1 + name_bytes + _AFTER_APN_BYTES)


def _parking(report: int, occupied: int, at_ms: int | None = None) -> FrameEvent:
    return FrameEvent(occupied == 1, "change" if report == _PARKING else "heartbeat", at_ms)


def _keep_alive(values: bytes, at_ms: int, *, wide: bool) -> FrameEvent:
    volts = _volts(values[: 2 if wide else 1])
    return FrameEvent(kind="heartbeat", at_ms=at_ms, battery_volts=volts, temperature=int8(values[8 if wide else 6]))


def _volts(raw: bytes) -> float:
    if len(raw) == 1:
        return raw[0] * _MILLIVOLTS_NARROW / 1000
    return int(uint16(raw) * _MILLIVOLTS_WIDE) / 1000
