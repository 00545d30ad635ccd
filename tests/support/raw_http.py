"""HTTP by hand: bytes out, bytes in, for what no client library would send."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import NamedTuple


class RawAnswer(NamedTuple):
    """One answer as it came."""

    status: int
    headers: dict[str, str]
    body: bytes


class RawConnection:
    """A TCP connection to the server."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def send(self, data: bytes) -> None:
        """Sends `data` as it is; a server that has hung up is no error here."""
        with suppress(ConnectionError):
            self._writer.write(data)
            await self._writer.drain()

    async def answer(self, within_seconds: float = 5.0) -> RawAnswer | None:
        """The next answer; None if the server closes instead."""
        async with asyncio.timeout(within_seconds):
            try:
                head = await self._reader.readuntil(b"\r\n\r\n")
            except (asyncio.IncompleteReadError, ConnectionError):
                return None
            first, *lines = head.decode("latin-1").strip().split("\r\n")
            headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
            body = await self._reader.readexactly(int(headers.get("content-length", "0")))
            return RawAnswer(int(first.split()[1]), headers, body)

    async def rest(self, within_seconds: float = 5.0) -> bytes:
        """Everything until the server closes."""
        async with asyncio.timeout(within_seconds):
            with suppress(ConnectionError):
                return await self._reader.read()
            return b""

    def close(self) -> None:
        """Hangs up."""
        self._writer.close()


@asynccontextmanager
async def raw_connection(port: int) -> AsyncIterator[RawConnection]:
    """Connects to `port` on the loopback."""
    connection = RawConnection(*await asyncio.open_connection("127.0.0.1", port))
    try:
        yield connection
    finally:
        connection.close()


async def raw_answer(port: int, request: bytes) -> RawAnswer | None:
    """What the server answers to `request`."""
    async with raw_connection(port) as connection:
        await connection.send(request)
        return await connection.answer()
