"""Bosch TPS110 (also sold as TPL110)."""

from __future__ import annotations

from hub.decoding.frames import HEARD, Decoded, FrameEvent, int8, unreadable


def tps110(f_port: int, data: bytes) -> Decoded:
    """fPort 1, status: byte 0 bit 0 = occupied. 2, heartbeat: the same; firmware from 0.29 on adds int8 degrees.
    3, startup: twelve debug bytes, firmware (major, minor, patch), reset cause, byte 16 bit 0 = occupied.
    7, temperature alert: int8 degrees. 4 to 6 are device information, usage and debug. No battery anywhere.

    Bosch Connected Devices, Parking Lot Sensor, Communication Interface, revisions 0.23.3 and 0.29.4; codecs for
    0.29.2 and 0.39.2 in TheThingsNetwork/lorawan-devices (Apache-2.0).
    """
    match f_port, len(data):
        case 1, 1:
            return (FrameEvent(_occupied(data[0]), "change"),)
        case 2, 1:
            return (FrameEvent(_occupied(data[0]), "heartbeat"),)
        case 2, 2:
            return (FrameEvent(_occupied(data[0]), "heartbeat", temperature=int8(data[1])),)
        case 3, 17:
            return (FrameEvent(_occupied(data[16]), "startup"),)
        case ((4 | 5 | 6), _):
            return HEARD
        case 7, 1:
            return (FrameEvent(temperature=int8(data[0])),)
    return unreadable(f_port, data)


def _occupied(flags: int) -> bool:
    return bool(flags & 0x01)
