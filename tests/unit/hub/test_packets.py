"""MQTT packets cut out of a stream of octets, however it arrives."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.packets import KEPT_BYTES, Malformed, Message, PacketReader


def packet(first: int, body: bytes) -> bytes:
    length, head = len(body), bytearray([first])
    while True:
        head.append(length % 128 | (128 if length > 127 else 0))
        length //= 128
        if not length:
            return bytes(head) + body


def publish(message: Message) -> bytes:
    mid = message.mid.to_bytes(2, "big") if message.qos else b""
    body = len(message.topic).to_bytes(2, "big") + message.topic + mid + message.payload
    return packet(0x30 | message.qos << 1 | message.retained, body)


def a_message(payload: bytes = b"{}", *, qos: int = 1, mid: int = 7) -> Message:
    return Message(b"autospot/v1/lot/bay/reading", payload, qos, mid)


messages_of_any_kind = st.builds(
    lambda topic, payload, qos, mid, retained: Message(topic, payload, qos, mid if qos else 0, retained),
    st.binary(max_size=200),
    st.binary(max_size=20_000),
    st.sampled_from([0, 1, 2]),
    st.integers(1, 65_535),
    st.booleans(),
)
other_packets = st.builds(packet, st.sampled_from([0x20, 0x40, 0x90, 0xD0]), st.binary(max_size=300))


@given(st.lists(st.one_of(messages_of_any_kind, other_packets), max_size=12), st.data())
def test_packets_are_the_same_however_the_octets_are_cut(sent: list[Message | bytes], data: st.DataObject) -> None:
    octets = b"".join(publish(each) if isinstance(each, Message) else each for each in sent)
    reader = PacketReader()
    messages: list[Message] = []
    others: list[bytes] = []
    while octets:
        size = data.draw(st.integers(1, max(1, len(octets))))
        others += reader.feed(octets[:size], messages)
        octets = octets[size:]
    assert messages == [each for each in sent if isinstance(each, Message)]
    assert others == [each for each in sent if not isinstance(each, Message)]


def test_every_length_field_is_read() -> None:
    for size in (0, 1, 90, 100, 127, 128, 16_350, 16_383, 16_384, 65_535):
        messages: list[Message] = []
        PacketReader().feed(publish(a_message(b"x" * size)), messages)
        assert [len(each.payload) for each in messages] == [size]


@pytest.mark.parametrize("size", [KEPT_BYTES, KEPT_BYTES + 1, 4 * KEPT_BYTES])
def test_of_what_is_far_too_long_only_the_beginning_is_kept(size: int) -> None:
    reader, messages = PacketReader(), list[Message]()
    octets = publish(a_message(b"x" * size, mid=1)) + publish(a_message(b"next", mid=2))
    for start in range(0, len(octets), 10_000):
        reader.feed(octets[start : start + 10_000], messages)
        assert len(reader._octets) <= KEPT_BYTES + 10_000
    assert [each.mid for each in messages] == [1, 2]
    assert len(messages[0].payload) <= KEPT_BYTES + 10_000
    assert messages[1].payload == b"next"


@pytest.mark.parametrize(
    "octets",
    [
        b"\x30\x00",
        b"\x30\x01\x00",
        b"\x32\x04\x00\x02ab",
        b"\x30\x03\x00\x09a",
        b"\x36\x06\x00\x01a\x00\x01x",
        b"\x30\xff\xff\xff\xff\x01",
    ],
)
def test_what_no_broker_sends_is_malformed(octets: bytes) -> None:
    with pytest.raises(Malformed):
        PacketReader().feed(octets, [])
