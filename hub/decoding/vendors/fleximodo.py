"""Fleximodo (GOSPACE) in-ground and undersurface sensors."""

from __future__ import annotations

from autospot.domain.reading import ReadingKind
from hub.decoding.frames import Decoded, FrameEvent, uint16, unreadable

_PORT = 2
_FREE, _BUSY, _CHANGE, _KEEP_ALIVE, _NOT_CALIBRATED = 0x0001, 0x0002, 0x0008, 0x1000, 0x4000
_FULL_CHARGE = 13_000
_LEAST_BYTES = 10


def in_ground(f_port: int, data: bytes) -> Decoded:
    """fPort 2: uint16 flags 0x0001 free, 0x0002 busy, 0x0008 change, 0x0100 sent again, 0x1000 keep-alive, 0x4000 not
    calibrated, 0x0020 and 0x0400 internal errors; in keep-alives bytes 6-7, least significant first, the charge used
    of 13,000; from byte 10 on a permit card.

    Both or neither of free and busy, and a sensor that is not calibrated, say nothing of the bay. Fleximodo,
    "rawdata payload deciphering"; gristlekinginc/pt-parking (no licence: layout only).
    """
    if f_port != _PORT or len(data) < _LEAST_BYTES:
        return unreadable(f_port, data)
    flags = uint16(data[:2])
    kept_alive = bool(flags & _KEEP_ALIVE)
    return (
        FrameEvent(
            occupied=_occupied(flags),
            kind=_kind(flags),
            battery=_charge(int.from_bytes(data[6:8], "little")) if kept_alive else None,
        ),
    )


def _occupied(flags: int) -> bool | None:
    state = flags & (_FREE | _BUSY)
    if flags & _NOT_CALIBRATED or state not in (_FREE, _BUSY):
        return None
    return state == _BUSY


def _kind(flags: int) -> ReadingKind | None:
    if flags & _CHANGE:
        return "change"
    return "heartbeat" if flags & _KEEP_ALIVE else None


def _charge(used: int) -> float:
    return max(0.0, 1 - used / _FULL_CHARGE)
