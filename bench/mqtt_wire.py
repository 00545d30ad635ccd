"""The few MQTT 3.1.1 packets a load generator and a bare subscriber need (OASIS standard of 29 October 2014)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

CONNACK_ACCEPTED: Final = b"\x20\x02\x00\x00"
SUBACK_QOS1: Final = b"\x90\x03\x00\x01\x01"
PUBACK_HEAD: Final = b"\x40\x02"
PUBLISH_QOS1: Final = 0x32
KEEPALIVE_SECONDS: Final = 600
"""Longer than any run, so that no PINGREQ is needed."""

PACKET_IDS: Final = 65_535


class WireError(Exception):
    """The other side sent something that the protocol does not allow here."""


def remaining_length(value: int) -> bytes:
    """Section 2.2.3: seven bits a byte, the lowest first."""
    out = bytearray()
    while True:
        value, low = divmod(value, 128)
        out.append(low | (0x80 if value else 0))
        if not value:
            return bytes(out)


def _text(value: str) -> bytes:
    raw = value.encode()
    return len(raw).to_bytes(2, "big") + raw


def connect_packet(client_id: str) -> bytes:
    """CONNECT with a clean session, no user and no will."""
    body = _text("MQTT") + b"\x04\x02" + KEEPALIVE_SECONDS.to_bytes(2, "big") + _text(client_id)
    return b"\x10" + remaining_length(len(body)) + body


def subscribe_packet(topic_filter: str) -> bytes:
    """SUBSCRIBE to one filter at QoS 1, with packet id 1."""
    body = b"\x00\x01" + _text(topic_filter) + b"\x01"
    return b"\x82" + remaining_length(len(body)) + body


def publish_packet(topic: str, packet_id: int, payload: bytes) -> bytes:
    """PUBLISH at QoS 1. The plain way; `bench.load` joins the same bytes from prepared pieces."""
    body = _text(topic) + packet_id.to_bytes(2, "big") + payload
    return bytes([PUBLISH_QOS1]) + remaining_length(len(body)) + body


def puback_packet(packet_id: int) -> bytes:
    """PUBACK for one PUBLISH."""
    return PUBACK_HEAD + packet_id.to_bytes(2, "big")


@dataclass(slots=True)
class Acknowledged:
    """Counts PUBACKs of one connection and checks that they come in the order of sending, as [MQTT-4.6.0-2] demands.

    Packet ids go 1, 2, ... 65535, 1, ...: the order makes the count alone say which readings are acknowledged.
    """

    count: int = 0
    _rest: bytes = b""

    def feed(self, received: bytes) -> int:
        """Take what the socket gave; how many it acknowledges. Raises WireError for anything but PUBACKs in order."""
        stream = self._rest + received if self._rest else received
        whole = len(stream) // 4
        end = whole * 4
        self._rest = stream[end:]
        if stream[0:end:4] != b"\x40" * whole or stream[1:end:4] != b"\x02" * whole:
            raise WireError("the broker sent something else than PUBACK")
        self.count += whole
        if whole and int.from_bytes(stream[end - 2 : end], "big") != (self.count - 1) % PACKET_IDS + 1:
            raise WireError(f"PUBACK out of order after {self.count}")
        return whole


class PublishReader:
    """Cuts a stream into (packet id, payload) of PUBLISH packets at QoS 1. Holds at most one partial packet."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, received: bytes) -> Iterator[tuple[int, bytes]]:
        """Yield each complete PUBLISH. Raises WireError for any other packet."""
        stream, start = self._rest + received, 0
        while len(stream) - start >= 2:
            body, length = _body_of(stream, start)
            if body is None or len(stream) < body + length:
                break
            if stream[start] & 0xF6 != PUBLISH_QOS1:
                raise WireError(f"expected PUBLISH at QoS 1, got packet type {stream[start]:#x}")
            after_topic = body + 2 + int.from_bytes(stream[body : body + 2], "big")
            start = body + length
            yield int.from_bytes(stream[after_topic : after_topic + 2], "big"), stream[after_topic + 2 : start]
        self._rest = stream[start:]


def _body_of(stream: bytes, start: int) -> tuple[int | None, int]:
    """Where the body of the packet at `start` begins and how long it is; None while its length is incomplete."""
    length, shift, position = 0, 0, start + 1
    while position < len(stream):
        byte = stream[position]
        length |= (byte & 0x7F) << shift
        position, shift = position + 1, shift + 7
        if not byte & 0x80:
            return position, length
        if shift > 21:
            raise WireError("remaining length of more than four bytes")
    return None, 0
