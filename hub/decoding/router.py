"""One message from the broker, whoever sent it, becomes readings, a status, or the reason why not."""

from __future__ import annotations

import re

import msgspec

from autospot.domain.reading import Ignored, Reading, Rejected, Status
from hub.decoding import chirpstack, things_stack
from hub.decoding.native import native_reading, native_status
from hub.decoding.uplink import DeviceTypes

MAX_PAYLOAD_BYTES = 16 * 1024
DETAIL_MAX_CHARS = 200
"""Details go to people and into the database: senders shall not choose how long they are."""

Decoded = list[Reading] | Status | Ignored | Rejected

_CODE = r"([A-Za-z0-9._-]{1,64})"
_native_reading_topic = re.compile(rf"autospot/v1/{_CODE}/{_CODE}/reading").fullmatch
_native_status_topic = re.compile(rf"autospot/v1/{_CODE}/(?:{_CODE}|gateways/{_CODE})/status").fullmatch
_chirpstack_topic = chirpstack.TOPIC.fullmatch
_things_stack_topic = things_stack.TOPIC.fullmatch


def decode(topic: str, payload: bytes, arrived_ms: int, registry: DeviceTypes) -> Decoded:
    """What a message says. Never raises, whatever it holds.

    Readings come in the order in which their events happened. `arrived_ms` serves only to judge the clocks of
    gateways; whether a reading's time can be right is for the ingest to say. `registry` is asked for LoRaWAN sensors
    only, once each. An uplink of 500 bytes takes 13 us of a 2-core machine that does other work too (Python 3.11, best
    of 15 runs).
    """
    try:
        return _unreadable(payload) or _decoded(topic, payload, arrived_ms, registry)
    except Exception as error:  # noqa: BLE001 (an exception here would make the broker send the message for ever)
        return _rejection(error)


def decode_native(lot: str, sensor: str, payload: bytes) -> Reading | Rejected:
    """The same for a message that is known to have come by the native topic of a sensor: 1 us."""
    try:
        return _unreadable(payload) or native_reading(lot, sensor, payload)
    except Exception as error:  # noqa: BLE001 (as above)
        return _rejection(error)


def _unreadable(payload: bytes) -> Rejected | None:
    if len(payload) > MAX_PAYLOAD_BYTES:
        return Rejected("too_large", f"more than {MAX_PAYLOAD_BYTES} bytes")
    if not payload.isascii():
        payload.decode()  # the JSON reader looks only into strings that it keeps
    return None


def _decoded(topic: str, payload: bytes, arrived_ms: int, registry: DeviceTypes) -> Decoded:
    if native := _native_reading_topic(topic):
        reading = native_reading(native[1], native[2], payload)
        return reading if isinstance(reading, Rejected) else [reading]
    if status := _native_status_topic(topic):
        return native_status(status[1], payload, sensor=status[2], gateway=status[3])
    if event := _chirpstack_topic(topic):
        return chirpstack.chirpstack_event(event[1], event[2], payload, arrived_ms, registry)
    if event := _things_stack_topic(topic):
        return things_stack.things_stack_event(event[1], event[2], payload, arrived_ms, registry)
    return Rejected("bad_topic", topic[:DETAIL_MAX_CHARS])


def _rejection(error: Exception) -> Rejected:
    match error:
        case UnicodeDecodeError():
            return Rejected("bad_utf8", f"{error.reason} (byte {error.start})")
        case msgspec.ValidationError():
            return Rejected("bad_value", str(error)[:DETAIL_MAX_CHARS])
        case msgspec.DecodeError():
            return Rejected("bad_json", str(error)[:DETAIL_MAX_CHARS])
        case RecursionError():
            return Rejected("bad_json", "nested too deeply")
    return Rejected("decoder_failed", type(error).__name__)
