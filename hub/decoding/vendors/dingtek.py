"""Dingtek DO200, DO201, DO202: ultrasonic range and magnetometer."""

from __future__ import annotations

from hub.decoding.frames import HEARD, Decoded, FrameEvent, int8, uint16, unreadable

_PORT = 3
_HEAD, _TAIL = b"\x80\x00", 0x81
_DO200 = 0x02
_BYTES_BY_MODEL = {_DO200: 21, 0x31: 23, 0x32: 23}
"""The length of telemetry by the model byte: DO200, DO201, DO202. The two later ones add temperature and humidity."""


def do20x(f_port: int, data: bytes) -> Decoded:
    """fPort 3: 80 00, model, type, length of the whole frame, values, 81. Types 1 and 2 are telemetry: 5-6 level in mm,
    7 high nibble parked, low nibble level alarm, 8 high nibble magnet alarm, low nibble battery alarm, 9-10 battery in
    10 mV, 11-16 magnetometer, DO201 and DO202 then 17 int8 degrees and 18 humidity. Type 3: parameters.

    DO200, DO201, DO202 codecs in TheThingsNetwork/lorawan-devices (Apache-2.0). That "alarmPark" means a parked car is
    read from its name: the codec's examples show only 0. Nothing tells a change from a periodic report.
    """
    if f_port != _PORT or len(data) < 6 or not _is_framed(data):
        return unreadable(f_port, data)
    model, message = data[2], data[3]
    if message == 3:
        return HEARD
    if message not in (1, 2) or len(data) != _BYTES_BY_MODEL.get(model):
        return unreadable(f_port, data)
    return (
        FrameEvent(
            occupied=data[7] >> 4 != 0,
            battery_volts=uint16(data[9:11]) / 100,
            battery_low=data[8] & 0x0F != 0,
            temperature=None if model == _DO200 else int8(data[17]),
        ),
    )


def _is_framed(data: bytes) -> bool:
    return data.startswith(_HEAD) and data[-1] == _TAIL and data[4] == len(data)
