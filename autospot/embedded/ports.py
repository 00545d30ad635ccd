"""Loopback TCP ports for the embedded parts."""

from __future__ import annotations

import asyncio
import random
import socket
from pathlib import Path

from autospot.embedded.errors import EmbeddedError

LOOPBACK = "127.0.0.1"
LOWEST_FREE_PORT = 20_000
EPHEMERAL_FIRST_PORT = 32_768  # Linux' default where the kernel does not tell
FREE_PORT_ATTEMPTS = 200
POLL_SECONDS = 0.02


def is_free(port: int) -> bool:
    """Whether a server could listen on the loopback port now (a closed server's lingering connections do not count)."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def free_port() -> int:
    """A loopback port on which nobody listens, outside the range the kernel uses for outgoing connections.

    Asking the kernel for port 0 gives one from that range: while its server is down, a client that keeps knocking can
    be given the very port as its own end, connects to itself, and the server cannot come back.

    The port is not reserved: a caller that loses it to somebody else asks again.
    """
    for _ in range(FREE_PORT_ATTEMPTS):
        port = random.randrange(LOWEST_FREE_PORT, _first_ephemeral_port())
        if is_free(port):
            return port
    raise EmbeddedError("port_busy", f"no free loopback port was found in {FREE_PORT_ATTEMPTS} attempts")


def require_free(*asked: int | None) -> None:
    """Raise EmbeddedError `port_busy` for the first of `asked` that is taken or asked for twice; None is any port."""
    seen: set[int] = set()
    for port in asked:
        if port is None:
            continue
        if port in seen:
            raise EmbeddedError("port_busy", f"port {port} is asked for twice")
        if not is_free(port):
            raise EmbeddedError("port_busy", f"port {port} on {LOOPBACK} is in use by another program")
        seen.add(port)


async def until_listening(port: int) -> None:
    """Return when somebody listens on the loopback port; the caller has the deadline."""
    while not await _takes_connections(port):  # noqa: ASYNC110 another program's state has no event
        await asyncio.sleep(POLL_SECONDS)


async def _takes_connections(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection(LOOPBACK, port)
    except OSError:
        return False
    writer.close()
    return True


def _first_ephemeral_port() -> int:
    try:
        first = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return EPHEMERAL_FIRST_PORT
    # A machine may be set up with ephemeral ports from 1024: then there is no outside, and any port must do.
    return first if first > LOWEST_FREE_PORT + FREE_PORT_ATTEMPTS else 65_536
