"""Nwave parking sensors and car counter. They share ports 1 to 3 with each other and with Bosch: only the device's
model, never the port, tells which layout a frame has."""

from __future__ import annotations

from hub.decoding.frames import HEARD, Decoded, FrameEvent, int8, unreadable


def nps310(f_port: int, data: bytes) -> Decoded:
    """fPort 1, status, and 2, heartbeat: byte 0 bit 0 = occupied. 3, startup: firmware (three bytes), reset cause,
    byte 4 bit 0 = occupied. 6: debug.

    NPS310SM codec in TheThingsNetwork/lorawan-devices (Apache-2.0).
    """
    match f_port, len(data):
        case 1, 1:
            return (FrameEvent(_occupied(data[0]), "change"),)
        case 2, 1:
            return (FrameEvent(_occupied(data[0]), "heartbeat"),)
        case 3, 5:
            return (FrameEvent(_occupied(data[4]), "startup"),)
        case 6, _:
            return HEARD
    return unreadable(f_port, data)


def nps405(f_port: int, data: bytes) -> Decoded:
    """fPort 1, status: byte 0 bit 0 = occupied, bits 7..1 the length of the previous state. 2, heartbeat: byte 0 bit 0
    = occupied, 1 battery, 2500 + 4 n mV, 2 temperature, int8 / 2 + 10 degrees, 3 and 4 its extremes, 5 current.
    3, startup: firmware (three bytes), reset cause, byte 4 bit 0 = occupied. 10, a driver's tag: byte 0 as on port 1,
    but says nothing of the bay while bit 0 is 0; then in the newer form the battery of the tag (not the sensor's), and
    four bytes of tag id. 6: debug.

    Nwave LoRaWAN Parking Sensor, Getting Started (vendor's guide); NPS405 codec in TheThingsNetwork/lorawan-devices
    (Apache-2.0). An early revision of that codec read bit 7 as the state; the guide and the later codec read bit 0.
    """
    match f_port, len(data):
        case 1, 1:
            return (FrameEvent(_occupied(data[0]), "change"),)
        case 2, 6:
            temperature = int8(data[2]) / 2 + 10
            return (
                FrameEvent(_occupied(data[0]), "heartbeat", battery_volts=_volts(data[1]), temperature=temperature),
            )
        case 3, 5:
            return (FrameEvent(_occupied(data[4]), "startup"),)
        case 10, (5 | 6):
            return (FrameEvent(True if _occupied(data[0]) else None),)
        case 6, _:
            return HEARD
    return unreadable(f_port, data)


def ncc405(f_port: int, data: bytes) -> Decoded:
    """The car counter, so that nobody takes its counts for bays. fPort 1: uint16 cars. 2, heartbeat: byte 1 battery
    and 2 its mean, 2500 + 4 n mV. 3: startup.

    NCC405 codec in TheThingsNetwork/lorawan-devices (Apache-2.0).
    """
    match f_port, len(data):
        case 1, 2:
            return HEARD
        case 2, 3:
            return (FrameEvent(kind="heartbeat", battery_volts=_volts(data[1])),)
        case 3, _:
            return (FrameEvent(kind="startup"),)
    return unreadable(f_port, data)


def _occupied(flags: int) -> bool:
    return bool(flags & 0x01)


def _volts(byte: int) -> float:
    return (2500 + 4 * byte) / 1000
