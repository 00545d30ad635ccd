"""The servers that all service tests stand on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import psutil
import pymongo
import pytest

from autospot.embedded.broker import NATS_REPEAT_SECONDS
from autospot.storage import replica_set
from tests.support.mqtt import connected, heard
from tests.support.services import BrokerServer, MongodServer, eventually, free_port


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


async def test_making_a_replica_set_again_changes_nothing(mongo_url: str) -> None:
    port = urlsplit(mongo_url).port or 0
    before = replica_set_config(mongo_url)
    await replica_set.initiate("127.0.0.1", port, name="autospot")
    assert replica_set_config(mongo_url) == before


async def test_a_replica_set_where_nobody_answers_is_given_up_at_the_deadline() -> None:
    with pytest.raises(replica_set.NoPrimaryError, match=r"did not become primary in 0.1 s.*Connection refused"):
        await replica_set.initiate("127.0.0.1", free_port(), name="autospot", deadline_seconds=0.1)


def replica_set_config(url: str) -> dict[str, Any]:
    with pymongo.MongoClient[dict[str, Any]](url) as client:
        return dict(client.admin.command("replSetGetConfig")["config"])


def test_the_shared_mongod_takes_transactions(mongo_url: str, mongo_db_name: str) -> None:
    with pymongo.MongoClient[dict[str, int]](mongo_url) as client, client.start_session() as session:
        session.with_transaction(lambda running: client[mongo_db_name]["bays"].insert_one({"_id": 1}, session=running))
        assert client[mongo_db_name]["bays"].count_documents({}) == 1


def test_the_database_of_a_test_starts_empty(mongo_url: str, mongo_db_name: str) -> None:
    with pymongo.MongoClient[dict[str, int]](mongo_url) as client:
        assert client[mongo_db_name].list_collection_names() == []


@pytest.mark.parametrize("kind", ["mosquitto", "nats"])
async def test_a_broker_keeps_what_waits_for_an_absent_hub_over_an_orderly_restart(
    make_broker: Callable[..., BrokerServer], kind: str
) -> None:
    broker = make_broker(kind=kind)
    async with connected(broker.url, identifier="hub") as hub:
        await hub.subscribe("autospot/v1/+/+/reading", qos=1)
    async with connected(broker.url) as sensor:
        await sensor.publish("autospot/v1/harbour/b1/reading", b"occupied", qos=1)
    broker.restart()
    async with connected(broker.url, identifier="hub") as hub:
        # nats-server may have sent it to the hub that was leaving, and then waits with the repeat.
        assert (await heard(hub, within_seconds=NATS_REPEAT_SECONDS + 5)).payload == b"occupied"


async def test_the_shared_broker_carries_a_reading(broker_url: str) -> None:
    async with connected(broker_url) as client:
        await client.subscribe("shared-broker/+", qos=1)
        await client.publish("shared-broker/b1", b"occupied", qos=1)
        message = await heard(client)
    assert message.payload == b"occupied"


async def test_waiting_for_something_that_never_comes_says_what_it_was() -> None:
    with pytest.raises(AssertionError, match=r"not true within 0.05 s: .*1 > 2.*last value was False"):
        await eventually(lambda: 1 > 2, deadline_seconds=0.05)
