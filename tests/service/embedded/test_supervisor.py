"""A mongod and a broker under supervision: starting, restarting, and what stands in the way of it."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path
from typing import Any

import psutil
import pymongo
import pytest

from autospot.embedded import EmbeddedError, parts, programs, supervisor
from autospot.embedded.folder import used_alone
from autospot.embedded.ports import free_port
from autospot.embedded.process import Plan
from tests.support.mqtt import connected, heard

READING = b'{"occupied": true}'


async def test_where_there_is_no_mosquitto_nats_carries_a_reading_to_the_hub(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(programs, "SYSTEM_FOLDERS", ())
    async with (
        parts(tmp_path / "a folder", cache_gb=0.25) as running,
        connected(running.mqtt_url) as hub,
        connected(running.mqtt_url_for("sensors")) as sensor,
    ):
        await hub.subscribe("autospot/v1/+/+/reading", qos=1)
        await sensor.publish("autospot/v1/harbour/b1/reading", READING, qos=1)
        message = await heard(hub)
    assert running.broker.name == "nats-server"
    assert (message.topic.value, message.payload, message.qos) == ("autospot/v1/harbour/b1/reading", READING, 1)


async def test_the_same_folder_brings_data_passwords_and_waiting_readings_back_on_other_ports(tmp_path: Path) -> None:
    async with parts(tmp_path, cache_gb=0.25) as running:
        first_ports, sensors = (running.mongod.port, running.broker.port), running.mqtt_url_for("sensors")
        await asyncio.to_thread(remember_a_bay, running.mongo_url)
        async with connected(running.mqtt_url, identifier="hub") as hub:
            await hub.subscribe("autospot/v1/+/+/reading", qos=1)
        async with connected(sensors) as sensor:
            await sensor.publish("autospot/v1/harbour/b1/reading", READING, qos=1)
    async with parts(tmp_path, mongo_port=free_port(), mqtt_port=free_port(), cache_gb=0.25) as running:
        assert not {running.mongod.port, running.broker.port} & set(first_ports)
        assert password(running.mqtt_url_for("sensors")) == password(sensors)
        assert await asyncio.to_thread(remembered_bays, running.mongo_url) == 1
        async with connected(running.mqtt_url, identifier="hub") as hub:
            assert (await heard(hub)).payload == READING


@pytest.mark.parametrize("asked", ["mongo_port", "mqtt_port"])
async def test_a_busy_port_is_named_before_anything_is_started(tmp_path: Path, asked: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        error = await refused(tmp_path, **{asked: port})
    assert (error.code, error.message) == ("port_busy", f"port {port} on 127.0.0.1 is in use by another program")
    assert not (tmp_path / "logs").exists()


async def test_a_folder_below_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert (await refused(tmp_path / "file" / "data")).code == "folder_unusable"


async def test_a_folder_of_another_mongod_is_refused(tmp_path: Path) -> None:
    (tmp_path / "version.json").write_text('{"layout": 1, "mongod": "4.2"}')
    assert (await refused(tmp_path)).code == "folder_version"


async def test_a_mongod_that_cannot_start_says_why(tmp_path: Path) -> None:
    (tmp_path / "mongod").mkdir()
    (tmp_path / "mongod" / "storage.bson").write_text("not what mongod wrote")
    error = await refused(tmp_path)
    assert error.code == "part_failed"
    assert "mongod" in error.message
    assert "before it was ready" in error.message
    assert any("storage engine metadata file" in line for line in error.log_tail)


async def test_a_broker_that_cannot_start_takes_mongod_down_again(tmp_path: Path) -> None:
    (tmp_path / "mosquitto" / "mosquitto.conf").mkdir(parents=True)
    before = children()
    error = await refused(tmp_path, broker_kind="mosquitto")
    assert error.code == "folder_unusable"
    assert "mosquitto.conf" in error.message
    assert children() == before


async def test_an_anonymous_start_over_a_killed_run_listens_where_it_was_asked_to_and_on_loopback_only(
    tmp_path: Path,
) -> None:
    (tmp_path / "endpoints.json").write_text("{}")
    (tmp_path / "autospot.lock").write_text("999999999\n")
    mongo_port, mqtt_port = free_port(), free_port()
    async with parts(
        tmp_path, mongo_port=mongo_port, mqtt_port=mqtt_port, anonymous_broker=True, cache_gb=0.25
    ) as running:
        assert not (tmp_path / "endpoints.json").exists()
        assert running.mqtt_url == running.mqtt_url_for("sensors") == f"mqtt://127.0.0.1:{mqtt_port}"
        for part, port in ((running.mongod, mongo_port), (running.broker, mqtt_port)):
            assert listening_on(part.pid) == {("127.0.0.1", port)}
            assert holds_open(part.pid, tmp_path / "autospot.lock"), "the folder is not free while the part lives"


async def test_a_port_lost_to_a_quicker_program_is_replaced_by_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost, good = free_port(), free_port()
    offered = iter([lost, good])
    monkeypatch.setattr("autospot.embedded.ports.free_port", lambda: next(offered))
    async with used_alone(tmp_path) as folder, supervisor._running(busy_on(lost), None, folder) as part:
        assert part.port == good


async def test_a_port_that_was_asked_for_is_not_replaced_when_it_is_lost(tmp_path: Path) -> None:
    asked = free_port()
    with pytest.raises(EmbeddedError, match="Address already in use"):
        async with used_alone(tmp_path) as folder, supervisor._running(busy_on(asked), asked, folder):
            pass


def busy_on(port: int) -> Plan:
    """A program that finds this one port taken, and is ready at once on any other."""

    def command(tried: int) -> list[str]:
        return ["/bin/sh", "-c", "echo 'Address already in use'; exit 1" if tried == port else "exec sleep 60"]

    async def ready(tried: int) -> None:
        if tried == port:
            await asyncio.Event().wait()

    return Plan("part", command, ready, ready_seconds=5, stop_seconds=1)


async def refused(folder: Path, **options: Any) -> EmbeddedError:
    with pytest.raises(EmbeddedError) as refusal:
        async with parts(folder, cache_gb=0.25, **options):
            pass
    return refusal.value


def remember_a_bay(url: str) -> None:
    with pymongo.MongoClient[dict[str, Any]](url, w="majority") as client:
        client["autospot"]["bays"].insert_one({"_id": "harbour/b1"})


def remembered_bays(url: str) -> int:
    with pymongo.MongoClient[dict[str, Any]](url) as client:
        return client["autospot"]["bays"].count_documents({})


def password(url: str) -> str:
    return url.rpartition("@")[0].rpartition(":")[2]


def listening_on(pid: int) -> set[tuple[str, int]]:
    sockets = psutil.Process(pid).net_connections(kind="inet")
    return {(socket.laddr.ip, socket.laddr.port) for socket in sockets if socket.status == psutil.CONN_LISTEN}


def holds_open(pid: int, file: Path) -> bool:
    return str(file) in {opened.path for opened in psutil.Process(pid).open_files()}


def children() -> set[int]:
    return {child.pid for child in psutil.Process().children()}
