"""PNI PlacePod: a subset of Cayenne LPP, several values in one frame."""

from __future__ import annotations

from hub.decoding.frames import Decoded, FrameEvent, Tag, int16, tagged_values, unreadable

_STATE, _KEEP_ALIVE = (0x15, 0x66), (0x37, 0x66)
_TEMPERATURE, _BATTERY = (0x02, 0x67), (0x03, 0x02)
_REBOOTED, _RECALIBRATED, _DEACTIVATED = (0x3F, 0x01), (0x01, 0x01), (0x1C, 0x01)
_COUNT, _KEEP_ALIVE_COUNT = (0x21, 0x00), (0x37, 0x00)
_ERROR_REGISTER, _ERROR_STATE = (0x05, 0x00), (0x06, 0x00)
_COUNT_AFTER_RESET = 0x80

_VALUE_BYTES = {
    _STATE: 1,
    _KEEP_ALIVE: 1,
    _TEMPERATURE: 2,
    _BATTERY: 2,
    _REBOOTED: 1,
    _RECALIBRATED: 1,
    _DEACTIVATED: 1,
    _COUNT: 1,
    _KEEP_ALIVE_COUNT: 1,
    _ERROR_REGISTER: 1,
    _ERROR_STATE: 1,
}


def placepod(f_port: int, data: bytes) -> Decoded:
    """Triples of channel, type, value. 15 66: state after a change; 37 66: state as keep-alive; 02 67: int16 0.1
    degrees; 03 02: int16 0.01 V; 21 00 and 37 00: vehicle count, 0x80 after a reset; 3F 01: rebooted; 01 01
    recalibrated, 1C 01 deactivated, 05 00 and 06 00 error register and state. An empty frame is sent at start-up.

    Two transitions may share a frame and are given in their order. What follows the first thing that is no triple is
    left alone, what came before it counts. After a reset the keep-alive state is the first word of a sensor that
    just started. PNI, PlacePod Sensor Communications Protocol; PlacePod-Api of the vendor (GPL-3.0, values only).
    """
    if not data:
        return (FrameEvent(kind="startup"),)
    values = list(tagged_values(data, _VALUE_BYTES))
    if not values:
        return unreadable(f_port, data)
    started = any(_tells_reset(tag, value) for tag, value in values)
    events = [_state(tag, value, started=started) for tag, value in values if tag in (_STATE, _KEEP_ALIVE)]
    if not events:
        events.append(FrameEvent(kind="startup" if started else None))
    for tag, value in values:
        if tag == _TEMPERATURE:
            events[-1] = events[-1]._replace(temperature=int16(value) / 10)
        elif tag == _BATTERY:
            events[-1] = events[-1]._replace(battery_volts=int16(value) / 100)
    return events


def _tells_reset(tag: Tag, value: bytes) -> bool:
    return (tag == _REBOOTED and value[0] == 1) or (
        tag in (_COUNT, _KEEP_ALIVE_COUNT) and value[0] == _COUNT_AFTER_RESET
    )


def _state(tag: Tag, value: bytes, *, started: bool) -> FrameEvent:
    if tag == _STATE:
        return FrameEvent(value[0] != 0, "change")
    return FrameEvent(value[0] != 0, "startup" if started else "heartbeat")
