"""What a vendor's decoder says of one radio frame, before anybody knows whose frame it was and when it was heard."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from autospot.domain.reading import ReadingKind, Rejected


class FrameEvent(NamedTuple):
    """One thing that a frame reports, with the units of `Reading`.

    `at_ms` is set only by sensors that send the time of the event in the frame itself. A frame that proves nothing but
    that the sensor is alive is one event without any value: `HEARD`.
    """

    occupied: bool | None = None
    kind: ReadingKind | None = None
    at_ms: int | None = None
    battery: float | None = None
    battery_volts: float | None = None
    battery_low: bool | None = None
    temperature: float | None = None
    distance_mm: int | None = None


HEARD = (FrameEvent(),)

Decoded = Sequence[FrameEvent] | Rejected
FrameDecoder = Callable[[int, bytes], Decoded]
"""`(f_port, data)` to events in the order in which they happened, or the reason why not. Pure; never raises.

Lengths are checked to the byte wherever the vendor fixes them: a frame in a layout nobody described, or bytes mangled
on the way (hex read as base64), must end among the dead letters and never as a car that is not there.
"""

SHOWN_BYTES = 64
"""Of a frame that could not be read, so many bytes are shown to people."""


def unreadable(f_port: int, data: bytes) -> Rejected:
    """The refusal of a frame that does not have any layout of its sensor."""
    shown = data[:SHOWN_BYTES].hex()
    return Rejected("bad_frame", f"fPort {f_port}, {len(data)} bytes: {shown}")


def int8(byte: int) -> int:
    """A byte as two's complement."""
    return byte - 256 if byte > 127 else byte


def int16(pair: bytes) -> int:
    """Two bytes, most significant first, as two's complement."""
    return int.from_bytes(pair, "big", signed=True)


def uint16(pair: bytes) -> int:
    """Two bytes, most significant first."""
    return int.from_bytes(pair, "big")


Tag = tuple[int, int]
"""Channel and type: what says, in a frame of many values, which value comes next."""


def tagged_values(data: bytes, value_bytes: Mapping[Tag, int]) -> Iterator[tuple[Tag, bytes]]:
    """The values of a channel-type-value frame (Cayenne LPP and its kin), each `value_bytes[tag]` long.

    Ends where a tag is not in the table or a value is cut off: what follows cannot be found any more.
    """
    at = 0
    while at + 2 < len(data):
        tag = (data[at], data[at + 1])
        end = at + 2 + value_bytes.get(tag, len(data))
        if end > len(data):
            return
        yield tag, data[at + 2 : end]
        at = end
