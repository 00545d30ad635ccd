"""The servers that all service tests stand on."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

import aiomqtt
import psutil
import pymongo
import pytest

from tests.support.services import BrokerServer, MongodServer, eventually


def test_a_mongod_keeps_what_it_acknowledged_over_a_kill(make_mongod: Callable[..., MongodServer]) -> None:
    mongod = make_mongod()
    with pymongo.MongoClient[dict[str, int]](mongod.url, w="majority", journal=True) as client:
        client["lots"]["bays"].insert_one({"_id": 1})
    address, killed = mongod.url, mongod.pid
    mongod.kill()
    assert not psutil.pid_exists(killed)
    mongod.restart()
    assert mongod.url == address
    with pymongo.MongoClient[dict[str, int]](mongod.url) as client:
        assert client["lots"]["bays"].count_documents({}) == 1


def test_the_shared_mongod_takes_transactions(mongo_url: str, mongo_db_name: str) -> None:
    with pymongo.MongoClient[dict[str, int]](mongo_url) as client, client.start_session() as session:
        session.with_transaction(lambda running: client[mongo_db_name]["bays"].insert_one({"_id": 1}, session=running))
        assert client[mongo_db_name]["bays"].count_documents({}) == 1


def test_the_database_of_a_test_starts_empty(mongo_url: str, mongo_db_name: str) -> None:
    with pymongo.MongoClient[dict[str, int]](mongo_url) as client:
        assert client[mongo_db_name].list_collection_names() == []


@pytest.mark.parametrize("kind", ["mosquitto", "nats"])
async def test_a_broker_keeps_a_retained_message_over_an_orderly_restart(
    make_broker: Callable[..., BrokerServer], kind: str
) -> None:
    broker = make_broker(kind=kind)
    async with connected(broker) as client:
        await client.publish("autospot/v1/harbour/summary", b"12 free", qos=1, retain=True)
    broker.restart()
    async with connected(broker) as client:
        await client.subscribe("autospot/v1/+/summary", qos=1)
        message = await anext(aiter(client.messages))
    assert (message.payload, message.retain) == (b"12 free", True)


async def test_the_shared_broker_carries_a_reading(broker_url: str) -> None:
    address = urlsplit(broker_url)
    assert address.hostname
    assert address.port
    async with aiomqtt.Client(address.hostname, address.port, protocol=aiomqtt.ProtocolVersion.V311) as client:
        await client.subscribe("shared-broker/+", qos=1)
        await client.publish("shared-broker/b1", b"occupied", qos=1)
        message = await anext(aiter(client.messages))
    assert message.payload == b"occupied"


async def test_waiting_for_something_that_never_comes_says_what_it_was() -> None:
    with pytest.raises(AssertionError, match=r"not true within 0.05 s: .*1 > 2.*last value was False"):
        await eventually(lambda: 1 > 2, deadline_seconds=0.05)


def connected(broker: BrokerServer, user: str = "hub") -> aiomqtt.Client:
    return aiomqtt.Client(
        "127.0.0.1",
        broker.port,
        username=user if broker.passwords else None,
        password=broker.passwords[user] if broker.passwords else None,
        protocol=aiomqtt.ProtocolVersion.V311,
        timeout=5,
    )
