"""One websocket, as the fan-out sees it: a place to write frames to."""

from __future__ import annotations

import asyncio
from typing import NamedTuple

from hub.protocol import Close, Detail, close_frame, text_frame

ABORT_AFTER_SECONDS = 5.0
"""How long a connection that was told to close may take to read that and close, before it is cut."""


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
        if self.closing is None and not self.transport.is_closing():
            self.transport.write(frame)

    def close(self, close: Close) -> None:
        """Says `bye` and closes; nothing is written after it. It is the client who ends the connection then (RFC 6455,
        section 7.1.1), within `ABORT_AFTER_SECONDS`: a server that ends it while something of the client's is unread
        resets it, and the client never sees why."""
        if self.closing is not None:
            return
        self.write(text_frame(close.bye()) + close_frame(close))
        self.closing = close
        asyncio.get_running_loop().call_later(ABORT_AFTER_SECONDS, self.transport.abort)
