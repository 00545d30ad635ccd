"""PUBLISH packets of MQTT 3.1.1 (section 3.3), read many at a time; other packets are cut out whole and left to paho.

Through paho a PUBLISH costs 20 us: three `recv` calls, two dicts, two locks and a dozen calls. Here it costs 1 us.
"""

from __future__ import annotations

from msgspec import Struct

PUBLISH = 3
_LENGTH_OCTETS = 4

KEPT_BYTES = 128 * 1024
"""Of a longer packet only this much is kept and the rest passed over: nothing that long is a reading, and what is kept
is enough to say so in its dead letter. MQTT itself allows 256 MB."""


class Malformed(Exception):
    """The broker sent what no MQTT 3.1.1 broker sends: the connection is of no more use."""


class Message(Struct, frozen=True, gc=False):
    """What somebody published. `mid` is to be acknowledged with; 0 at QoS 0. `retained`: it was published before the
    hub subscribed, and the broker tells it again."""

    topic: bytes
    payload: bytes
    qos: int
    mid: int
    retained: bool = False


class PacketReader:
    """Takes octets as they come and gives packets as soon as they are whole.

    Bounded: what is kept between two `feed`s is less than one packet, and of that at most `KEPT_BYTES` and one `feed`.
    """

    def __init__(self) -> None:
        self._octets = b""
        self._to_pass_over = 0

    def feed(self, octets: bytes, messages: list[Message]) -> list[bytes]:
        """Appends what was published to `messages`; returns the other packets that are whole now. `Malformed`."""
        octets = self._past_what_is_passed_over(octets)
        if self._octets:
            octets = self._octets + octets
        others: list[bytes] = []
        offset, end = 0, len(octets)
        while end - offset >= 2:
            first, length, at = octets[offset], octets[offset + 1], offset + 2
            if length > 127:
                length, at = _long_length(octets, offset + 1)
                if not at:
                    break
            after = at + length
            if after > end:
                if length <= KEPT_BYTES or end - at < KEPT_BYTES:
                    break
                self._to_pass_over = after - end
                after = end
            if first >> 4 == PUBLISH:
                messages.append(_message(octets, first, at, after))
            else:
                others.append(octets[offset:after])
            offset = after
        self._octets = octets[offset:]
        return others

    def _past_what_is_passed_over(self, octets: bytes) -> bytes:
        if not self._to_pass_over:
            return octets
        passed = min(self._to_pass_over, len(octets))
        self._to_pass_over -= passed
        return octets[passed:]


def _message(octets: bytes, first: int, at: int, after: int) -> Message:
    if after - at < 2:
        raise Malformed("a PUBLISH without a topic")
    qos = first >> 1 & 3
    topic_end = at + 2 + (octets[at] << 8 | octets[at + 1])
    payload_at = topic_end + 2 if qos else topic_end
    if payload_at > after or qos == 3:
        raise Malformed("a PUBLISH that is shorter than it says, or of QoS 3")
    mid = octets[topic_end] << 8 | octets[topic_end + 1] if qos else 0
    return Message(octets[at + 2 : topic_end], octets[payload_at:after], qos, mid, first & 1 == 1)


def _long_length(octets: bytes, at: int) -> tuple[int, int]:
    """The remaining length (section 2.2.3) and where the packet goes on: 0 while its octets are not all there."""
    length = 0
    for number in range(_LENGTH_OCTETS):
        if at + number >= len(octets):
            return 0, 0
        octet = octets[at + number]
        length |= (octet & 127) << 7 * number
        if octet < 128:
            return length, at + number + 1
    raise Malformed("a length of more than four octets")
