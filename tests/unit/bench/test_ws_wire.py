"""Websocket frames, cut and counted without a socket."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.ws_wire import (
    CLOSE,
    PING,
    TEXT,
    FrameCounter,
    FrameReader,
    Handshake,
    WebsocketError,
    accept_for,
    client_frame,
    close_reason,
    server_frame,
)

lengths = st.lists(
    st.one_of(
        st.tuples(st.just(TEXT), st.sampled_from([0, 1, 125, 126, 300, 65_535, 65_536])),
        st.tuples(st.just(PING), st.integers(0, 125)),
    ),
    max_size=8,
)
sizes = st.sampled_from([1, 2, 3, 7, 100, 5_000, 200_000])


def messages(described: list[tuple[int, int]]) -> list[tuple[int, bytes]]:
    """Payloads of these lengths, no two alike."""
    return [(opcode, bytes([65 + place]) * length) for place, (opcode, length) in enumerate(described)]


def cut(sent: list[tuple[int, bytes]], size: int) -> list[bytes]:
    """The stream of these messages in pieces; long streams are not cut into single bytes."""
    stream = b"".join(server_frame(opcode, payload) for opcode, payload in sent)
    size = max(size, len(stream) // 1_000)
    return [stream[start : start + size] for start in range(0, len(stream), size)]


@given(lengths, sizes)
def test_frames_are_read_however_the_stream_is_cut(described: list[tuple[int, int]], size: int) -> None:
    reader, sent = FrameReader(), messages(described)
    assert [frame for piece in cut(sent, size) for frame in reader.feed(piece)] == sent
    assert reader.rest == b""


@given(lengths, sizes)
def test_the_counter_counts_every_frame_and_hands_out_only_control_frames(
    described: list[tuple[int, int]], size: int
) -> None:
    counter, sent = FrameCounter(), messages(described)
    controls = [frame for piece in cut(sent, size) for frame in counter.feed(piece)]
    assert counter.frames == len(sent)
    assert counter.bytes == sum(len(server_frame(*frame)) for frame in sent)
    assert controls == [frame for frame in sent if frame[0] == PING]


@pytest.mark.parametrize(
    "frame",
    [b"\x01\x01a", b"\xc1\x01a", b"\x80\x01a", client_frame(TEXT, b"a")],
    ids=["fragment", "compressed", "continuation", "masked"],
)
def test_fragments_compression_and_masks_from_the_server_are_refused(frame: bytes) -> None:
    with pytest.raises(WebsocketError):
        list(FrameReader().feed(frame))


def test_a_client_frame_is_masked_and_unmasks_to_what_was_sent() -> None:
    frame = client_frame(TEXT, b"hello there")
    mask, masked = frame[2:6], frame[6:]
    assert frame[1] == 0x80 | 11
    assert bytes(byte ^ mask[i % 4] for i, byte in enumerate(masked)) == b"hello there"


def test_the_accept_key_is_the_example_of_rfc_6455() -> None:
    assert accept_for("dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


def answered(handshake: Handshake, **changes: str) -> bytes:
    parts = {
        "status": "101 Switching Protocols",
        "key": accept_for(handshake.key),
        "protocol": "autospot.v1",
        **changes,
    }
    head = (
        f"HTTP/1.1 {parts['status']}\r\nUpgrade: websocket\r\n"
        f"Sec-WebSocket-Accept: {parts['key']}\r\nSec-WebSocket-Protocol: {parts['protocol']}\r\n\r\n"
    )
    return head.encode()


def test_a_handshake_gives_what_follows_its_answer() -> None:
    handshake = Handshake.to("127.0.0.1", 8080)
    answer = answered(handshake) + b"frames"
    assert handshake.rest_after(answer[:40]) is None
    assert handshake.rest_after(answer) == b"frames"


@pytest.mark.parametrize("changes", [{"status": "503 Service Unavailable"}, {"key": "wrong"}, {"protocol": "chat"}])
def test_a_refused_handshake_is_an_error(changes: dict[str, str]) -> None:
    handshake = Handshake.to("127.0.0.1", 8080)
    with pytest.raises(WebsocketError):
        handshake.rest_after(answered(handshake, **changes))


def test_a_close_frame_is_told_by_code_and_words() -> None:
    _, payload = next(FrameReader().feed(server_frame(CLOSE, (4200).to_bytes(2, "big") + b"too slow")))
    assert close_reason(payload) == "4200 too slow"
    assert close_reason(b"") == "1005"
