"""One websocket, as the fan-out sees it: a place to write frames to."""

from __future__ import annotations

import asyncio
from typing import NamedTuple

from hub.protocol import Close, Detail, close_frame, text_frame

ABORT_AFTER_SECONDS = 5.0
"""How long a closed connection may take to send what is left before it is cut."""


class Visitor(NamedTuple):
    """Who is signed in on a socket: the user, the family of tokens, and when the token expires."""

    user_id: str
    session_id: str | None
    expires_ms: int


class Screen:
    """A connected client. `lots` maps the lots it watches to the detail; `heard_ms` is when it last said anything."""

    __slots__ = ("address", "closing", "heard_ms", "lots", "slot", "transport", "visitor")

    def __init__(self, transport: asyncio.WriteTransport, address: str, slot: int, now_ms: int) -> None:
        self.transport = transport
        self.address = address
        self.slot = slot
        self.heard_ms = now_ms
        self.lots: dict[str, Detail] = {}
        self.visitor: Visitor | None = None
        self.closing: Close | None = None

    def write(self, frame: bytes) -> None:
        """Hands a whole frame to the kernel, or to the transport's buffer."""
        if not self.transport.is_closing():
            self.transport.write(frame)

    def close(self, close: Close, after_seconds: float = 0) -> None:
        """Says `bye`, closes, and cuts the connection if it does not drain."""
        if self.closing is not None:
            return
        self.closing = close
        self.write(text_frame(close.bye(after_seconds)) + close_frame(close))
        self.transport.close()
        asyncio.get_running_loop().call_later(ABORT_AFTER_SECONDS, self.transport.abort)
