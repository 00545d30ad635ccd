"""The hub's side of the broker connection: addresses, the buffered socket, and the seams it needs in paho."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator

import paho.mqtt.client as paho
import pytest

from autospot.domain.errors import InvalidInput
from hub.mqtt import BrokerAddress, BufferedSocket
from hub.packets import Message


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("mqtt://host", BrokerAddress("host", 1883, None, None, tls=False)),
        ("mqtts://host", BrokerAddress("host", 8883, None, None, tls=True)),
        ("mqtt://a%40b:p%3Aq@h:1", BrokerAddress("h", 1, "a@b", "p:q", tls=False)),
    ],
)
def test_a_brokers_address_is_a_url(url: str, address: BrokerAddress) -> None:
    assert BrokerAddress.parse(url) == address


@pytest.mark.parametrize(
    "url",
    [
        "",
        "host:1883",
        "http://host",
        "mqtt://",
        "mqtt://user:secret@",
        "mqtt://user:secret@host:one",
        "mqtt://u:secret@host:65536",
    ],
)
def test_a_wrong_address_is_refused_without_repeating_its_password(url: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        BrokerAddress.parse(url)
    assert "secret" not in refusal.value.message


@pytest.fixture
def pair() -> Iterator[tuple[BufferedSocket, socket.socket]]:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    buffered = BufferedSocket(ours)
    yield buffered, theirs
    buffered.close()
    theirs.close()


def test_paho_reads_what_is_meant_for_it_and_nothing_else(pair: tuple[BufferedSocket, socket.socket]) -> None:
    buffered, broker = pair
    messages: list[Message] = []
    broker.sendall(b"\x90\x03\x00\x01\x01" + b"\x32\x07\x00\x01t\x00\x05hi" + b"\xd0\x00")
    assert buffered.receive(messages)
    assert messages == [Message(b"t", b"hi", 1, 5)]
    assert [buffered.recv(1), buffered.recv(4), buffered.recv(9)] == [b"\x90", b"\x03\x00\x01\x01", b"\xd0\x00"]
    with pytest.raises(BlockingIOError):
        buffered.recv(1)
    assert not buffered.receive(messages)
    broker.close()
    assert buffered.receive(messages)
    assert buffered.recv(1) == b""


def test_a_broker_that_sends_nonsense_is_left(pair: tuple[BufferedSocket, socket.socket]) -> None:
    buffered, broker = pair
    broker.sendall(b"\x30\x00")
    assert buffered.receive([])
    assert buffered.recv(1) == b""


async def test_what_one_turn_sends_leaves_together_and_in_order(pair: tuple[BufferedSocket, socket.socket]) -> None:
    buffered, broker = pair
    buffered.attach(asyncio.get_running_loop())
    buffered.send(b"one ")
    buffered.send(b"two")
    broker.setblocking(False)
    with pytest.raises(BlockingIOError):
        broker.recv(10)
    await asyncio.sleep(0)
    assert broker.recv(10) == b"one two"


async def test_what_the_kernel_does_not_take_is_sent_later_in_order(pair: tuple[BufferedSocket, socket.socket]) -> None:
    buffered, broker = pair
    loop = asyncio.get_running_loop()
    buffered.attach(loop)
    octets = bytes(range(256)) * 8192
    for start in range(0, len(octets), 1000):
        buffered.send(octets[start : start + 1000])
    broker.setblocking(False)
    received = bytearray()
    async with asyncio.timeout(10):
        while len(received) < len(octets):
            received += await loop.sock_recv(broker, 1 << 16)
    assert received == octets


async def test_a_broker_that_reads_nothing_makes_paho_wait(
    pair: tuple[BufferedSocket, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.mqtt.SEND_LIMIT_BYTES", 100)
    buffered, _broker = pair
    buffered.attach(asyncio.get_running_loop())
    buffered.send(b"x" * 101)
    with pytest.raises(BlockingIOError):
        buffered.send(b"y")


def test_paho_still_has_the_seam_the_hub_uses() -> None:
    client = paho.Client(paho.CallbackAPIVersion.VERSION2)
    assert hasattr(client, "_create_socket"), "paho moved _create_socket: see hub.mqtt._Client"
