"""Client side of the websocket protocol (RFC 6455), without input or output, for sockets by the thousand."""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

SUBPROTOCOL: Final = "autospot.v1"
TEXT: Final = 0x1
CLOSE: Final = 0x8
PING: Final = 0x9
PONG: Final = 0xA
HANDSHAKE_BYTES_MAX: Final = 16_384
_ACCEPT_GUID: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_CONTROL_PAYLOAD_MAX: Final = 125


class WebsocketError(Exception):
    """The server broke RFC 6455, or used a part of it that `/v1/live` does not."""


@dataclass(frozen=True, slots=True)
class Handshake:
    """One opening handshake (section 4): what to send, and how to judge the answer."""

    key: str
    request: bytes

    @classmethod
    def to(cls, host: str, port: int, path: str = "/v1/live") -> Handshake:
        """A handshake with a fresh key that asks for the subprotocol `autospot.v1`."""
        key = base64.b64encode(secrets.token_bytes(16)).decode()
        lines = (
            f"GET {path} HTTP/1.1",
            f"Host: {host}:{port}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            f"Sec-WebSocket-Key: {key}",
            "Sec-WebSocket-Version: 13",
            f"Sec-WebSocket-Protocol: {SUBPROTOCOL}",
        )
        return cls(key, ("\r\n".join(lines) + "\r\n\r\n").encode())

    def rest_after(self, received: bytes) -> bytes | None:
        """What follows the answer's head; None while the head is incomplete. Raises WebsocketError on a refusal."""
        end = received.find(b"\r\n\r\n")
        if end < 0:
            if len(received) > HANDSHAKE_BYTES_MAX:
                raise WebsocketError("endless answer to the handshake")
            return None
        status, *lines = received[:end].decode("latin-1").split("\r\n")
        headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        if " 101 " not in f"{status} " or headers.get("sec-websocket-accept") != accept_for(self.key):
            raise WebsocketError(f"the handshake was refused: {status}")
        if headers.get("sec-websocket-protocol") != SUBPROTOCOL:
            raise WebsocketError(f"the server did not choose {SUBPROTOCOL}")
        return received[end + 4 :]


def accept_for(key: str) -> str:
    """Section 4.2.2, step 5.4."""
    digest = hashlib.sha1(key.encode() + _ACCEPT_GUID, usedforsecurity=False).digest()
    return base64.b64encode(digest).decode()


def _head(opcode: int, length: int, mask_bit: int) -> bytes:
    if length < 126:
        return bytes((0x80 | opcode, mask_bit | length))
    if length < 65_536:
        return bytes((0x80 | opcode, mask_bit | 126)) + length.to_bytes(2, "big")
    return bytes((0x80 | opcode, mask_bit | 127)) + length.to_bytes(8, "big")


def server_frame(opcode: int, payload: bytes) -> bytes:
    """A whole message in one frame, as a server sends it: not masked."""
    return _head(opcode, len(payload), 0) + payload


def client_frame(opcode: int, payload: bytes) -> bytes:
    """A whole message in one frame, masked as section 5.3 demands of clients."""
    mask = secrets.token_bytes(4)
    key = (mask * (len(payload) // 4 + 1))[: len(payload)]
    masked = (int.from_bytes(payload, "big") ^ int.from_bytes(key, "big")).to_bytes(len(payload), "big")
    return _head(opcode, len(payload), 0x80) + mask + masked


def _frame_at(stream: bytes, start: int) -> tuple[int, int]:
    """Where the payload of the frame at `start` begins and ends; (0, 0) while its head is incomplete."""
    available = len(stream) - start
    if available < 2:
        return 0, 0
    length = stream[start + 1]
    if length > 127:
        raise WebsocketError("masked frame from the server")
    if length < 126:
        return start + 2, start + 2 + length
    extended = 2 if length == 126 else 8
    if available < 2 + extended:
        return 0, 0
    payload = start + 2 + extended
    return payload, payload + int.from_bytes(stream[start + 2 : payload], "big")


class FrameReader:
    """Cuts a stream into whole frames with their payloads. Holds at most one partial frame."""

    def __init__(self) -> None:
        self._rest = b""

    @property
    def rest(self) -> bytes:
        """The frame that is still incomplete."""
        return self._rest

    def feed(self, received: bytes) -> Iterator[tuple[int, bytes]]:
        """Yield (opcode, payload) of each complete frame. Raises WebsocketError for fragments and masked frames."""
        stream, start = self._rest + received if self._rest else received, 0
        self._rest = b""
        while True:
            payload, end = _frame_at(stream, start)
            if not payload or end > len(stream):
                self._rest = stream[start:]
                return
            if stream[start] & 0xF0 != 0x80 or not stream[start] & 0x0F:
                raise WebsocketError(
                    f"neither a whole nor a plain frame from the server: {stream[start : start + 32]!r}"
                )
            yield stream[start] & 0x0F, stream[payload:end]
            start = end


class FrameCounter:
    """Counts frames without looking into them; only control frames are handed out. Holds at most one frame head."""

    def __init__(self) -> None:
        self.frames = 0
        self.bytes = 0
        self._rest = b""
        self._skip = 0

    def feed(self, received: bytes) -> list[tuple[int, bytes]]:
        """Count what came; the (opcode, payload) of the control frames in it."""
        self.bytes += len(received)
        if self._skip >= len(received):
            self._skip -= len(received)
            return []
        stream, start = (self._rest + received if self._rest else received), self._skip
        controls: list[tuple[int, bytes]] = []
        while True:
            payload, end = _frame_at(stream, start)
            control = start < len(stream) and stream[start] & 0x8
            if not payload or (control and end > len(stream)):
                self._rest, self._skip = stream[start:], 0
                return controls
            self.frames += 1
            if control:
                controls.append((stream[start] & 0x0F, stream[payload:end]))
            start = end
            if start >= len(stream):
                self._rest, self._skip = b"", start - len(stream)
                return controls


def close_reason(payload: bytes) -> str:
    """Section 5.5.1: code and text of a close frame, for people."""
    code = int.from_bytes(payload[:2], "big") if len(payload) >= 2 else 1005
    return f"{code} {payload[2:_CONTROL_PAYLOAD_MAX].decode(errors='replace')}".strip()
