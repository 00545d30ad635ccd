"""Answers that are complete when they begin: header and body leave in one gathering write, without being copied.

aiohttp joins header and body into one new string for each answer on Python 3.11: the same snapshot of 45 KB, copied for
each of a thousand readers, is a fifth of what serving it costs. Header values come from this program or were checked by
it; none holds a line break.
"""

from __future__ import annotations

from collections.abc import Mapping
from email.utils import formatdate
from functools import lru_cache
from http.client import responses
from time import time

from aiohttp import HttpVersion11, web
from aiohttp.abc import AbstractStreamWriter

SERVER = "AutoSpot"
"""Said so that aiohttp does not tell what it is made of."""

SAFE_HEADERS: Mapping[str, str] = {"Server": SERVER, "X-Content-Type-Options": "nosniff"}
"""Every answer carries these."""


class Head:
    """Status and those headers that are the same for every reader of one answer, in bytes once and for all."""

    __slots__ = ("headers", "lines", "status")

    def __init__(self, status: int, headers: Mapping[str, str]) -> None:
        self.status = status
        self.headers = {**headers, **SAFE_HEADERS}
        lines = "".join([f"{name}: {value}\r\n" for name, value in self.headers.items()])
        self.lines = f"HTTP/1.1 {status} {responses.get(status, '')}\r\n{lines}".encode()


class WholeResponse(web.StreamResponse):
    """A response whose body is there. More headers may be added to `headers` until it is sent. On connections that
    close after it, for HEAD and for HTTP/1.0 aiohttp itself sends it."""

    def __init__(self, body: bytes, head: Head) -> None:
        super().__init__(status=head.status)
        self._whole = body
        self._head = head

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        transport = request.transport
        if (
            transport is None
            or transport.is_closing()
            or not request.keep_alive
            or self._keep_alive is False
            or request.version != HttpVersion11
            or request.method == "HEAD"
        ):
            self._headers.update(self._head.headers)
            self.content_length = len(self._whole)
            return await super().prepare(request)
        own = "".join([f"{name}: {value}\r\n" for name, value in self._headers.items()])
        end = f"{own}Date: {http_date(int(time()))}\r\nContent-Length: {len(self._whole)}\r\n\r\n"
        transport.writelines((self._head.lines, end.encode(), self._whole))
        self._keep_alive = True
        self._eof_sent = True  # `write_eof` has nothing left to do
        if request.protocol.writing_paused:
            await request.writer.drain()
        return None

    async def write_eof(self, data: bytes = b"") -> None:
        if not self._eof_sent:
            await super().write_eof(b"" if self._must_be_empty_body else self._whole + data)


@lru_cache(maxsize=4)
def http_date(second: int) -> str:
    """The instant as HTTP writes it (RFC 9110, section 5.6.7)."""
    return formatdate(second, usegmt=True)
