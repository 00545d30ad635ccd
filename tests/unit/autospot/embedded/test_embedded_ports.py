from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from autospot.embedded.errors import EmbeddedError
from autospot.embedded.ports import LOOPBACK, free_port, is_free, require_free


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server((LOOPBACK, 0)) as server:
        yield server.getsockname()[1]


def test_a_port_with_a_listener_is_not_free(taken_port: int) -> None:
    assert not is_free(taken_port)


def test_a_free_port_is_never_one_that_an_outgoing_connection_could_be_given() -> None:
    lowest, highest = (int(n) for n in Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split())
    assert not any(lowest <= free_port() <= highest for _ in range(200))


def test_a_port_asked_for_and_taken_is_named(taken_port: int) -> None:
    with pytest.raises(EmbeddedError, match=f"port {taken_port} on 127.0.0.1 is in use") as refusal:
        require_free(None, taken_port)
    assert refusal.value.code == "port_busy"


def test_two_parts_may_not_ask_for_one_port() -> None:
    port = free_port()
    with pytest.raises(EmbeddedError, match="asked for twice"):
        require_free(port, port)


def test_any_port_and_a_free_port_are_fine() -> None:
    require_free(None, None)
    require_free(free_port(), None)
