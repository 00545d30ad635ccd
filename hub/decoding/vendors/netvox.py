"""Netvox R719A."""

from __future__ import annotations

from hub.decoding.frames import HEARD, Decoded, FrameEvent, unreadable

_FRAME_BYTES = 11
_R719A = 0x59
_VOLTAGE_LOW = 0x80


def r719a(f_port: int, data: bytes) -> Decoded:
    """Eleven bytes. fPort 6: 0 protocol version, 1 device type 0x59, 2 report type (0 version, 1 status), 3 battery
    in 0.1 V with bit 7 as its alarm, 4 car 0 or 1, six reserved. fPort 7: answers to configuration.

    No flag tells a change from the periodic report, so `kind` stays open. The version packet is what a device sends
    when it is switched on. Netvox LoRaWAN Application Command; R719A codec in TheThingsNetwork/lorawan-devices
    (Apache-2.0).
    """
    if len(data) != _FRAME_BYTES or data[1] != _R719A:
        return unreadable(f_port, data)
    match f_port, data[2]:
        case 7, _:
            return HEARD
        case 6, 0:
            return (FrameEvent(kind="startup"),)
        case 6, 1 if data[4] in (0, 1):
            volts = (data[3] & ~_VOLTAGE_LOW) / 10
            return (FrameEvent(data[4] == 1, battery_volts=volts, battery_low=bool(data[3] & _VOLTAGE_LOW)),)
    return unreadable(f_port, data)
