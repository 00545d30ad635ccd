"""TEKZITEL TEKZIPARK."""

from __future__ import annotations

from hub.decoding.frames import Decoded, FrameEvent, int8, unreadable

_OCCUPIED, _BATTERY_GOOD, _RESET, _KEEP_ALIVE = 0x80, 0x20, 0x02, 0x01


def tekzipark(f_port: int, data: bytes) -> Decoded:
    """Byte 0: bit 7 occupied, 5 battery good, 4 obstruction, 3 radar used, 2 no beacon, 1 reset, 0 keep-alive;
    byte 1 int8 degrees; byte 2 bay number. fPort 1 may add int8 RSSI and uint16 ids of the beacons it heard; fPort 2,
    debug mode, adds nine bytes of magnetometer and radar values.

    TEKZIPARK codec in TheThingsNetwork/lorawan-devices (Apache-2.0).
    """
    match f_port, len(data):
        case (1, 3) | (2, 12):
            return (_event(data),)
        case 1, size if size >= 4 and size % 2 == 0:
            return (_event(data),)
    return unreadable(f_port, data)


def _event(data: bytes) -> FrameEvent:
    flags = data[0]
    return FrameEvent(
        occupied=bool(flags & _OCCUPIED),
        kind="startup" if flags & _RESET else "heartbeat" if flags & _KEEP_ALIVE else "change",
        battery_low=not flags & _BATTERY_GOOD,
        temperature=int8(data[1]),
    )
