"""Connections against a real broker: nothing published is lost, and wills tell the truth about who is there."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from random import Random

import pytest

from autospot.embedded.programs import BrokerKind
from sensors_sim.broker import Broker, Connection, PublishError
from sensors_sim.encoders import Message
from sensors_sim.publisher import Publisher
from tests.service.sensors_sim.listening import listening, retained
from tests.support.services import BrokerServer, eventually, free_port

GATEWAY = Connection("gw1", "autospot/v1/harbour/gateways/gw1/status")
MakeBroker = Callable[..., BrokerServer]


def a_publisher(url: str, *connections: Connection, window: int = 20, patience_seconds: float = 10) -> Publisher:
    return Publisher(
        Broker.parse(url),
        connections or [GATEWAY],
        Random(1),
        window=window,
        patience_seconds=patience_seconds,
    )


def numbered(n: int) -> Message:
    return Message("autospot/v1/harbour/B001/reading", str(n).encode())


async def test_everything_published_is_delivered_in_order_and_counted(broker_url: str) -> None:
    topic = "autospot/v1/delivery/B001/reading"
    async with listening(broker_url, topic) as heard, a_publisher(broker_url, Connection("c")) as publisher:
        for n in range(2000):
            await publisher.link(Connection("c")).publish(Message(topic, str(n).encode()))
        await publisher.drain()
        assert publisher.counts.published == publisher.counts.acknowledged == 2000
        await eventually(lambda: len(heard) == 2000)
        assert [int(message.payload) for message in heard] == list(range(2000))


async def test_a_link_says_online_while_it_is_up_and_offline_when_it_is_closed(make_broker: MakeBroker) -> None:
    url = make_broker().url
    topic = GATEWAY.status_topic or ""
    async with a_publisher(url):
        assert await retained(url, topic) == "online"
    assert await retained(url, topic) == "offline"


async def test_the_broker_says_offline_for_a_link_that_is_cut_and_it_comes_back_by_itself(
    make_broker: MakeBroker,
) -> None:
    url = make_broker().url
    async with listening(url, "autospot/v1/+/gateways/+/status") as heard, a_publisher(url) as publisher:
        await eventually(lambda: [message.payload for message in heard] == [b"online"])
        publisher.link(GATEWAY).cut(0.3)
        await eventually(lambda: [message.payload for message in heard] == [b"online", b"offline", b"online"])
        assert publisher.counts.connected == 2
        assert await retained(url, GATEWAY.status_topic or "") == "online"


@pytest.mark.parametrize("kind", ["mosquitto", "nats"])
async def test_both_embedded_brokers_deliver_and_publish_the_will(kind: BrokerKind, make_broker: MakeBroker) -> None:
    url = make_broker(kind=kind).url
    async with listening(url, numbered(0).topic, GATEWAY.status_topic or "") as heard, a_publisher(url) as publisher:
        for n in range(100):
            await publisher.link(GATEWAY).publish(numbered(n))
        await publisher.drain()
        publisher.link(GATEWAY).cut(0.1)
        await eventually(lambda: [message.payload for message in heard][-2:] == [b"offline", b"online"])
        numbers = [int(message.payload) for message in heard if message.topic == numbered(0).topic]
        assert numbers == list(range(100))


async def test_what_is_published_while_a_link_is_cut_arrives_once_it_is_back(make_broker: MakeBroker) -> None:
    url = make_broker().url
    async with listening(url, "autospot/v1/+/+/reading") as heard, a_publisher(url) as publisher:
        publisher.link(GATEWAY).cut(0.3)
        for n in range(50):
            await publisher.link(GATEWAY).publish(numbered(n))
        await publisher.drain()
        await eventually(lambda: {int(message.payload) for message in heard} == set(range(50)))


async def test_a_killed_broker_costs_nothing_that_it_had_not_acknowledged(make_broker: MakeBroker) -> None:
    broker = make_broker()
    async with a_publisher(broker.url, window=5) as publisher:
        link = publisher.link(GATEWAY)
        for n in range(50):
            await link.publish(numbered(n))
        await publisher.drain()
        await asyncio.to_thread(broker.pause)
        for n in range(50, 55):
            await link.publish(numbered(n))  # on its way to a broker that will never read it
        assert publisher.counts.acknowledged == 50
        await asyncio.to_thread(broker.kill)
        await asyncio.to_thread(broker.start)
        async with listening(broker.url, "autospot/v1/+/+/reading") as heard:
            for n in range(55, 100):
                await link.publish(numbered(n))
            await publisher.drain()
            await eventually(lambda: {int(message.payload) for message in heard} >= set(range(55, 100)))
        assert publisher.counts.acknowledged == publisher.counts.published == 100
        assert publisher.counts.connected == 2


async def test_the_window_bounds_what_is_unacknowledged(make_broker: MakeBroker) -> None:
    broker = make_broker()
    async with a_publisher(broker.url, window=5) as publisher:
        await asyncio.to_thread(broker.pause)
        publishing = asyncio.create_task(_publish(publisher, 20))
        await eventually(lambda: publisher.counts.published == 5)
        for _ in range(100):  # turns of the event loop in which nothing more may happen
            await asyncio.sleep(0)
        assert (publisher.counts.published, publishing.done()) == (5, False)
        await asyncio.to_thread(broker.resume)
        await publishing
        await publisher.drain()


async def test_a_silent_broker_is_an_error_after_the_stated_patience(make_broker: MakeBroker) -> None:
    broker = make_broker()
    async with a_publisher(broker.url, window=5, patience_seconds=0.2) as publisher:
        await asyncio.to_thread(broker.pause)
        with pytest.raises(PublishError, match=r"gw1: no acknowledgement for 0.2 s.*5 readings"):
            await _publish(publisher, 20)
        await asyncio.to_thread(broker.resume)


async def test_no_broker_is_an_error_that_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sensors_sim.publisher.CONNECT_SECONDS", 0.3)
    port = free_port()
    began = time.monotonic()
    with pytest.raises(PublishError, match=f"no connection to mqtt://127.0.0.1:{port}: .*refused"):
        async with a_publisher(f"mqtt://127.0.0.1:{port}"):
            pytest.fail("connected to nobody")
    assert time.monotonic() - began < 3


async def test_a_wrong_password_is_an_error_that_says_so(
    make_broker: MakeBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sensors_sim.publisher.CONNECT_SECONDS", 0.5)
    broker = make_broker(with_users=True)
    with pytest.raises(PublishError, match=r"[Nn]ot authori[sz]ed|[Bb]ad user name"):
        async with a_publisher(f"mqtt://sensors:wrong@127.0.0.1:{broker.port}"):
            pytest.fail("connected with a wrong password")


async def test_hundreds_of_sensors_can_hold_connections_of_their_own(make_broker: MakeBroker) -> None:
    broker = make_broker()
    sensors = [Connection(f"B{n}", f"autospot/v1/harbour/B{n}/status") for n in range(200)]
    async with listening(broker.url, "autospot/v1/+/+/status") as heard:
        async with a_publisher(broker.url, *sensors):
            await eventually(lambda: [message.payload for message in heard].count(b"online") == 200)
        await eventually(lambda: [message.payload for message in heard].count(b"offline") == 200)


async def _publish(publisher: Publisher, count: int) -> None:
    for n in range(count):
        await publisher.link(GATEWAY).publish(numbered(n))
