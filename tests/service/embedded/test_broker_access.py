"""Who may say and hear what: the users of the embedded brokers, and the production files on a real mosquitto."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import aiomqtt
import pytest

from autospot.embedded import access, broker
from autospot.embedded.log import PartLog
from autospot.embedded.ports import free_port
from autospot.embedded.process import Part, Plan
from autospot.embedded.programs import find_broker
from tests.support.mqtt import connected, heard
from tests.support.services import BrokerServer

REPOSITORY = Path(__file__).parents[3]

READING = "autospot/v1/harbour/B001/reading"
STATUS = "autospot/v1/harbour/B001/status"
GATEWAY_STATUS = "autospot/v1/harbour/gateways/roof/status"
CHIRPSTACK = "application/7/device/0102030405060708/event/up"
THINGS_STACK = "v3/parking@ttn/devices/b001/up"
SUMMARY = "autospot/v1/harbour/summary"
LAMP = "autospot/v1/harbour/B001/lamp"
TOPICS = {READING, STATUS, GATEWAY_STATUS, CHIRPSTACK, THINGS_STACK, SUMMARY, LAMP}
NOTHING: set[str] = set()

EMBEDDED_SAYS = {
    "hub": {SUMMARY, LAMP},
    "sensors": {READING, STATUS, GATEWAY_STATUS, CHIRPSTACK, THINGS_STACK},
    "display": NOTHING,
}
EMBEDDED_HEARS = {"hub": TOPICS, "sensors": NOTHING, "display": {SUMMARY}}

PRODUCTION_SAYS = {
    "hub": {SUMMARY, LAMP},
    "display": NOTHING,
    "chirpstack": {CHIRPSTACK},
    "thethingsstack": {THINGS_STACK},
    "harbour/B001": {READING, STATUS},
    "harbour/B002": NOTHING,
    "station/B001": NOTHING,
    "B001": NOTHING,
    "harbour/gateways/roof": {GATEWAY_STATUS},
}
PRODUCTION_HEARS = {
    "hub": TOPICS,
    "display": {SUMMARY},
    "chirpstack": NOTHING,
    "thethingsstack": NOTHING,
    "harbour/B001": {LAMP},
    "harbour/B002": NOTHING,
    "harbour/gateways/roof": NOTHING,
}

UrlFor = Callable[[str], str]
MakeBroker = Callable[..., BrokerServer]


async def test_each_user_of_the_embedded_mosquitto_says_what_is_its_to_say(make_broker: MakeBroker) -> None:
    server = make_broker(kind="mosquitto", with_users=True)
    assert await said_by(EMBEDDED_SAYS, server.url_for) == EMBEDDED_SAYS


async def test_each_user_of_the_embedded_mosquitto_hears_what_is_for_it(make_broker: MakeBroker) -> None:
    server = make_broker(kind="mosquitto", with_users=True)
    assert await heard_by(EMBEDDED_HEARS, server.url_for, EMBEDDED_SAYS) == EMBEDDED_HEARS


async def test_each_user_of_production_says_what_is_its_to_say(tmp_path: Path) -> None:
    async with production_broker(tmp_path, PRODUCTION_SAYS) as url_for:
        assert await said_by(PRODUCTION_SAYS, url_for) == PRODUCTION_SAYS


async def test_each_user_of_production_hears_what_is_for_it(tmp_path: Path) -> None:
    async with production_broker(tmp_path, PRODUCTION_SAYS) as url_for:
        assert await heard_by(PRODUCTION_HEARS, url_for, PRODUCTION_SAYS) == PRODUCTION_HEARS


async def test_a_device_that_is_named_like_a_wildcard_has_no_rights(tmp_path: Path) -> None:
    async with production_broker(tmp_path, ["hub", "harbour/+"]) as url_for:
        assert await said_by(["harbour/+"], url_for) == {"harbour/+": NOTHING}


@pytest.mark.parametrize("kind", ["mosquitto", "nats"])
@pytest.mark.parametrize(
    "address", ["mqtt://127.0.0.1:{}", "mqtt://hub:wrong@127.0.0.1:{}", "mqtt://no:one@127.0.0.1:{}"]
)
async def test_a_stranger_is_turned_away(make_broker: MakeBroker, kind: str, address: str) -> None:
    server = make_broker(kind=kind, with_users=True)
    with pytest.raises(aiomqtt.MqttError):
        async with connected(address.format(server.port)):
            pass


async def test_the_embedded_nats_gives_a_display_the_summary_and_no_reading(make_broker: MakeBroker) -> None:
    server = make_broker(kind="nats", with_users=True)
    async with connected(server.url_for("display")) as display, connected(server.url_for("hub")) as hub:
        assert await granted(display, "autospot/v1/+/summary")
        assert not await granted(display, READING)
        assert not await granted(display, "#")
        await hub.publish(SUMMARY, b"12 free", qos=1, retain=True)
        assert (await heard(display)).payload == b"12 free"


async def test_the_embedded_nats_lets_the_field_write_no_summary(make_broker: MakeBroker) -> None:
    server = make_broker(kind="nats", with_users=True)
    async with connected(server.url_for("display")) as display, connected(server.url_for("hub")) as hub:
        await display.subscribe("autospot/v1/+/summary", qos=1)
        async with connected(server.url_for("sensors")) as sensors:
            await sensors.publish(SUMMARY, b"forged", qos=0)
        await hub.publish(SUMMARY, b"true", qos=1)
        assert (await heard(display)).payload == b"true"


def test_the_embedded_broker_has_the_limits_of_production(tmp_path: Path) -> None:
    mosquitto = find_broker("mosquitto")
    broker.plan(mosquitto, tmp_path, None).command(1883)
    embedded, production = settings(tmp_path / "mosquitto.conf"), settings(REPOSITORY / "mosquitto.conf")
    shared = [
        "message_size_limit",
        "max_inflight_messages",
        "max_queued_messages",
        "max_queued_bytes",
        "persistence",
        "autosave_interval",
        "set_tcp_nodelay",
        "connection_messages",
    ]
    assert {name: embedded[name] for name in shared} == {name: production[name] for name in shared}


async def said_by(users: Iterable[str], url_for: UrlFor) -> dict[str, set[str]]:
    """What reaches the hub when each user tries every topic."""
    async with connected(url_for("hub")) as hub:
        await hub.subscribe("#", qos=1)
        for user in users:
            async with connected(url_for(user)) as client:
                for topic in TOPICS:
                    await client.publish(topic, user.encode(), qos=1)
        messages = await all_heard(hub)
    return {user: {topic for topic, payload in messages if payload == user.encode()} for user in users}


async def heard_by(users: Iterable[str], url_for: UrlFor, speakers: Mapping[str, set[str]]) -> dict[str, set[str]]:
    """What reaches each user that asks for everything while each topic is said by one who may."""
    found = {}
    for user in users:
        async with connected(url_for(user)) as listener:
            await listener.subscribe("#", qos=1)
            for speaker, topics in speakers.items():
                async with connected(url_for(speaker)) as client:
                    for topic in topics:
                        await client.publish(topic, b"", qos=1)
            found[user] = {topic for topic, _ in await all_heard(listener)}
    return found


async def all_heard(client: aiomqtt.Client) -> list[tuple[str, bytes]]:
    """All that mosquitto has for the client by now: it answers this subscription after them, on the same connection."""
    await client.subscribe("the/end", qos=1)
    messages = [await heard(client) for _ in range(len(client.messages))]
    return [(message.topic.value, bytes(message.payload)) for message in messages]


async def granted(client: aiomqtt.Client, topics: str) -> bool:
    codes = await client.subscribe(topics, qos=1)
    return not any(code.is_failure if hasattr(code, "is_failure") else code >= 0x80 for code in codes)


@asynccontextmanager
async def production_broker(folder: Path, users: Iterable[str]) -> AsyncIterator[UrlFor]:
    """A mosquitto with the repository's own files; only port, folders and the process' user are those of the test."""
    passwords = {user: f"password of {len(user)}" for user in users}
    (folder / "passwords").write_text(access.mosquitto_passwords(passwords))
    (folder / "mosquitto.acl").write_text((REPOSITORY / "deploy" / "mosquitto.acl").read_text())
    written = (REPOSITORY / "mosquitto.conf").read_text()
    for production, here in {
        "listener 1883": "listener {port} 127.0.0.1",
        "/mosquitto/config/": f"{folder}/",
        "/mosquitto/data/": f"{folder}/",
    }.items():
        assert production in written
        written = written.replace(production, here)

    def command(port: int) -> list[str]:
        text = written.replace("{port}", str(port)) + ("user root\n" if os.geteuid() == 0 else "")
        (folder / "mosquitto.conf").write_text(text)
        return [str(find_broker("mosquitto").path), "-c", str(folder / "mosquitto.conf")]

    async def ready(port: int) -> None:
        await broker.ready(port, passwords=passwords)

    plan = Plan("mosquitto", command, ready, ready_seconds=10, stop_seconds=5)
    part = await Part.start(plan, free_port(), PartLog(folder / "log"))
    try:
        yield lambda user: broker.url(part.port, user, passwords)
    finally:
        await part.stop(seconds=plan.stop_seconds)


def settings(file: Path) -> dict[str, str]:
    lines = (line.strip() for line in file.read_text().splitlines())
    return dict(line.split(maxsplit=1) for line in lines if line and not line.startswith("#"))
