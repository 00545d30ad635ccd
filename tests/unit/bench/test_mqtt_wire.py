"""Packets of the load generator and of the bare subscriber."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.mqtt_wire import (
    PACKET_IDS,
    Acknowledged,
    PublishReader,
    WireError,
    connect_packet,
    puback_packet,
    publish_packet,
    remaining_length,
    subscribe_packet,
)


@pytest.mark.parametrize(
    ("value", "encoded"),
    [(0, "00"), (127, "7f"), (128, "8001"), (16_383, "ff7f"), (16_384, "808001"), (268_435_455, "ffffff7f")],
)
def test_remaining_length_is_encoded_as_in_table_2_4_of_the_standard(value: int, encoded: str) -> None:
    assert remaining_length(value).hex() == encoded


def test_connect_and_subscribe_are_packets_that_the_standard_describes() -> None:
    assert connect_packet("ab").hex() == "100e00044d515454040202580002" + b"ab".hex()
    assert subscribe_packet("a/b").hex() == "8208" + "0001" + "0003" + b"a/b".hex() + "01"


@given(st.lists(st.binary(max_size=200), min_size=1, max_size=8), st.integers(1, 50))
def test_the_subscriber_reads_every_message_however_the_stream_is_cut(payloads: list[bytes], piece: int) -> None:
    stream = b"".join(publish_packet("autospot/v1/L/B/reading", 7 + i, body) for i, body in enumerate(payloads))
    reader = PublishReader()
    read = [one for start in range(0, len(stream), piece) for one in reader.feed(stream[start : start + piece])]
    assert read == [(7 + i, body) for i, body in enumerate(payloads)]


def test_the_subscriber_refuses_what_is_not_a_message_at_qos_1() -> None:
    with pytest.raises(WireError, match="QoS 1"):
        list(PublishReader().feed(b"\x30\x03\x00\x01a"))


@given(st.integers(1, 300), st.integers(1, 9))
def test_acknowledgements_are_counted_however_the_stream_is_cut(number: int, piece: int) -> None:
    stream = b"".join(puback_packet(i + 1) for i in range(number))
    acknowledged = Acknowledged()
    counted = sum(acknowledged.feed(stream[start : start + piece]) for start in range(0, len(stream), piece))
    assert counted == acknowledged.count == number


def test_packet_ids_begin_again_after_the_last() -> None:
    acknowledged = Acknowledged(count=PACKET_IDS - 1)
    acknowledged.feed(puback_packet(PACKET_IDS) + puback_packet(1))
    assert acknowledged.count == PACKET_IDS + 1


@pytest.mark.parametrize("received", [puback_packet(2), b"\x40\x02\x00\x01\x40\x02\x00\x03", b"\xd0\x00\xd0\x00"])
def test_an_acknowledgement_out_of_order_is_an_error_of_the_broker(received: bytes) -> None:
    with pytest.raises(WireError):
        Acknowledged().feed(received)
