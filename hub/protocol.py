"""The websocket's words (realtime contract, section 3): what clients may say, close codes, and frames."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

import msgspec
import orjson

SUBPROTOCOL = "autospot.v1"
MESSAGE_LIMIT_BYTES = 16 * 1024
SUBSCRIPTIONS_LIMIT = 64
HELLO_SECONDS = 10.0
BEAT_SECONDS = 15
SAFE_INTEGER = (1 << 53) - 1

Detail = Literal["bays", "counts"]


class Subscribe(msgspec.Struct, tag="subscribe", tag_field="type", frozen=True):
    """Watch a lot; with `epoch` and `rev`, go on from there. In every message `null` means "not given"."""

    lot: str
    id: str | int | None = None
    detail: Detail | None = None
    epoch: str | None = None
    rev: int | None = None


class Wish(msgspec.Struct, frozen=True):
    """A subscription inside `hello`."""

    lot: str
    id: str | int | None = None
    detail: Detail | None = None
    epoch: str | None = None
    rev: int | None = None


class Hello(msgspec.Struct, tag="hello", tag_field="type", frozen=True):
    """The first message."""

    token: str | None = None
    client: str | None = None
    subscriptions: list[Wish] | None = None


class Unsubscribe(msgspec.Struct, tag="unsubscribe", tag_field="type", frozen=True):
    """No longer watch a lot."""

    lot: str
    id: str | int | None = None


class Auth(msgspec.Struct, tag="auth", tag_field="type", frozen=True):
    """A fresh token before the old one expires."""

    token: str
    id: str | int | None = None


ClientMessage = Hello | Subscribe | Unsubscribe | Auth


class Unknown(NamedTuple):
    """A message of a type this version does not know: ignored, as the contract asks of both sides."""

    type: str


class BadMessage(Exception):
    """Not a message of this protocol. Its text may be told to the client."""


class _Type(msgspec.Struct):
    type: str


_decode_message = msgspec.json.Decoder(ClientMessage).decode
_decode_type = msgspec.json.Decoder(_Type).decode
_KNOWN: frozenset[str] = frozenset({"hello", "subscribe", "unsubscribe", "auth"})


def parse(text: str) -> ClientMessage | Unknown:
    """The client's message. `BadMessage` if it is not JSON of the right shape."""
    try:
        kind = _decode_type(text).type
        return _decode_message(text) if kind in _KNOWN else Unknown(kind)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise BadMessage(str(error)[:200]) from None


CLOSE_NAMES = {
    4000: "bad_message",
    4001: "no_hello",
    4002: "bad_token",
    4003: "forbidden",
    4004: "unsupported_version",
    4100: "overloaded",
    4102: "too_many_connections",
    4103: "token_expired",
    4104: "too_many_messages",
    4200: "too_slow",
    4201: "restart",
    4202: "no_pong",
}


class Close(NamedTuple):
    """Why the server ends a connection. The code's range says what to do: 4000-4099 do not come back unchanged,
    4100-4199 come back later, 4200-4299 come back now and resume. `after_seconds` is when at the earliest."""

    code: int
    message: str
    after_seconds: float = 0

    @property
    def name(self) -> str:
        """The stable word for `code`."""
        return CLOSE_NAMES[self.code]

    def bye(self) -> bytes:
        """The `bye` message that goes before the close."""
        return orjson.dumps(
            {"type": "bye", "code": self.code, "name": self.name, "message": self.message, "after": self.after_seconds}
        )


TOO_LARGE = Close(4000, f"a message has at most {MESSAGE_LIMIT_BYTES} bytes")
NO_HELLO = Close(4001, "say hello within 10 s")
UNSUPPORTED_VERSION = Close(4004, f"this server speaks {SUBPROTOCOL}")
OVERLOADED = Close(4100, "this server is full", 5)
TOO_MANY_CONNECTIONS = Close(4102, "too many connections from here", 5)
TOKEN_EXPIRED = Close(4103, "the token has expired")
TOO_MANY_MESSAGES = Close(4104, "too many messages", 1)
TOO_SLOW = Close(4200, "you read too slowly: come back and resume")
RESTART = Close(4201, "the server restarts")
NO_PONG = Close(4202, "no answer to a ping")


def error_message(code: str, message: str, *, about: str | int | None, retry: bool, after_seconds: float = 0) -> bytes:
    """An `error` about the message whose id is `about`; the connection goes on."""
    return orjson.dumps(
        {"type": "error", "id": about, "code": code, "message": message, "retry": retry, "after": after_seconds}
    )


# Server frames (RFC 6455, section 5.2): final, unmasked. Made here and not by the websocket library because one frame
# serves every socket of a lot: what remains per socket is one write.


def _frame(opcode: int, payload: bytes) -> bytes:
    size = len(payload)
    if size < 126:
        return bytes((0x80 | opcode, size)) + payload
    if size < 1 << 16:
        return struct.pack("!BBH", 0x80 | opcode, 126, size) + payload
    return struct.pack("!BBQ", 0x80 | opcode, 127, size) + payload


def text_frame(payload: bytes) -> bytes:
    """A text frame."""
    return _frame(0x1, payload)


def close_frame(close: Close) -> bytes:
    """A close frame with its code and reason."""
    return _frame(0x8, close.code.to_bytes(2, "big") + close.message.encode())


PING_FRAME = _frame(0x9, b"")


def message(kind: str, fields: Mapping[str, Any]) -> bytes:
    """A server message as JSON."""
    return orjson.dumps({"type": kind, **fields})
