"""The websocket contract, line by line: hello, subscribe, resume, limits, close codes."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import aiohttp
import pytest
from yarl import URL

from hub.protocol import MESSAGE_LIMIT_BYTES, TOO_MANY_CONNECTIONS, Close, close_frame
from hub.websocket import SocketLimits
from tests.support.hub import RunningHub, Servers, Watcher, reading, running_hub, sensors
from tests.support.lots import a_lot
from tests.support.services import eventually

FAR_FUTURE_MS = 4_000_000_000_000

UPGRADE = (
    b"GET /v1/live HTTP/1.1\r\nHost: hub\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)


def masked_text(text: bytes) -> bytes:
    """A short text frame as a client sends it (RFC 6455, section 5.2), masked with zeros."""
    return bytes((0x81, 0x80 | len(text), 0, 0, 0, 0)) + text


async def closed_with(
    url: str, *messages: Any, protocols: tuple[str, ...] = ("autospot.v1",)
) -> tuple[int | None, list[Any]]:
    """Says `messages` (text as it is, the rest as JSON) and reads until the server closes."""
    async with aiohttp.ClientSession() as session, session.ws_connect(f"{url}/v1/live", protocols=protocols) as socket:
        for message in messages:
            if isinstance(message, bytes):
                await socket.send_bytes(message)
            else:
                await socket.send_str(message if isinstance(message, str) else json.dumps(message))
        heard = [json.loads(frame.data) async for frame in socket if frame.type is aiohttp.WSMsgType.TEXT]
        return socket.close_code, heard


async def test_hello_is_answered_with_welcome_then_snapshots(servers: Servers) -> None:
    async with (
        running_hub(servers, [a_lot("w1", kinds=("general", "ev"))]) as hub,
        await Watcher.connect(hub.url, "w1", {"lot": "absent", "id": "x"}) as screen,
    ):
        await eventually(lambda: len(screen.frames) == 3)
        welcome, snapshot, refused = screen.frames
        assert welcome["type"] == "welcome"
        assert {"server", "now", "epoch", "heartbeat", "limits"} <= welcome.keys()
        assert snapshot["type"] == "snapshot"
        assert snapshot["layout"] == 1
        assert snapshot["bays"]["B00000"] == {
            "state": "unknown",
            "occupied": None,
            "since": None,
            "at": None,
            "stale": True,
        }
        assert snapshot["counts"]["general"] == {"unknown": 2}
        assert snapshot["counts"]["total"]["free"] == 0
        assert refused == {
            "type": "error",
            "id": "x",
            "code": "not_found",
            "message": "there is no such lot",
            "retry": False,
            "after": 0,
        }


@pytest.mark.parametrize(
    ("messages", "code"),
    [
        (["no json"], 4000),
        ([{"no": "type"}], 4000),
        ([b"\x00"], 4000),
        ([{"type": "hello", "subscriptions": "all"}], 4000),
        ([{"type": "hello", "subscriptions": [{"lot": {"$ne": None}}]}], 4000),
        ([{"type": "subscribe", "lot": "w2"}], 4001),
        ([{"type": "hello", "token": "forged"}], 4002),
        ([{"type": "hello"}, {"type": "hello"}], 4000),
        ([{"type": "hello"}, *[{"type": "unsubscribe", "lot": "w2"}] * 200], 4104),
    ],
)
async def test_what_breaks_the_contract_is_told_and_closed(servers: Servers, messages: list[Any], code: int) -> None:
    async with running_hub(servers, [a_lot("w2")]) as hub:
        close_code, heard = await closed_with(hub.url, *messages)
        assert close_code == code
        assert heard[-1]["type"] == "bye"
        assert heard[-1]["code"] == code


async def test_another_version_is_refused_and_a_silent_client_too(
    servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.websocket.HELLO_SECONDS", 0.2)
    async with running_hub(servers, [a_lot("w3")]) as hub:
        code, heard = await closed_with(hub.url, protocols=("autospot.v9",))
        assert (code, heard[-1]["code"]) == (4004, 4004)
        code, heard = await closed_with(hub.url)
        assert (code, heard[-1]["code"]) == (4001, 4001)


@pytest.mark.parametrize(("over", "code"), [(0, None), (1, 4000), (1_000, 4000), (3 * MESSAGE_LIMIT_BYTES, 1009)])
async def test_a_message_over_the_limit_ends_the_connection_and_nothing_else(
    servers: Servers, over: int, code: int | None
) -> None:
    async with (
        running_hub(servers, [a_lot("w4")]) as hub,
        await Watcher.connect(hub.url, "w4") as other,
        await Watcher.connect(hub.url, "w4") as talker,
    ):
        await eventually(lambda: talker.of_type("snapshot"))
        envelope = len(json.dumps({"type": "chat", "text": ""}).encode())
        await talker.say(type="chat", text="x" * (MESSAGE_LIMIT_BYTES + over - envelope))
        if code is None:
            await talker.say(type="subscribe", lot="w4", detail="counts")
            await eventually(lambda: len(talker.of_type("snapshot")) == 2)
        else:
            await eventually(lambda: talker.socket.close_code == code)
            assert [bye["code"] for bye in talker.of_type("bye")] == ([] if code == 1009 else [code])
        await eventually(lambda: other.of_type("snapshot"))
        assert not other.socket.closed


@pytest.mark.parametrize("hello", [b"", masked_text(b'{"type":"hello"}')])
async def test_the_server_does_not_hang_up_before_the_client_has_heard_why(servers: Servers, hello: bytes) -> None:
    """It would reset the connection with what it had not read, and the client would see 1006 instead of the code."""
    limits = SocketLimits(per_address=0) if not hello else SocketLimits()
    async with running_hub(servers, limits=limits) as hub:
        reader, writer = await asyncio.open_connection("127.0.0.1", URL(hub.url).port)
        writer.write(UPGRADE + hello)
        if hello:
            writer.write(masked_text(b"no json") * 3)
        close = close_frame(Close(4000, "")) if hello else close_frame(TOO_MANY_CONNECTIONS)
        await asyncio.wait_for(reader.readuntil(close[2:4]), 5)
        writer.write(masked_text(b'{"type":"hello"}') * 10)
        await reader.read(200)  # what is left of the close frame
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.read(1), 0.3)
        writer.write(bytes((0x88, 0x80, 0, 0, 0, 0)))
        assert await asyncio.wait_for(reader.read(), 2) == b""
        writer.close()


async def test_unknown_types_and_fields_are_ignored(servers: Servers) -> None:
    async with (
        running_hub(servers, [a_lot("w5")]) as hub,
        await Watcher.connect(hub.url) as screen,
    ):
        await screen.say(type="dance", step=1)
        await screen.say(type="subscribe", lot="w5", colour="red")
        await eventually(lambda: screen.of_type("snapshot"))


async def test_a_client_resumes_where_it_was(servers: Servers) -> None:
    async with running_hub(servers) as hub, sensors(servers.mqtt_url) as sensor:
        await hub.put(a_lot("w6", bays=50))
        async with await Watcher.connect(hub.url, "w6") as first:
            await sensor.publish("autospot/v1/w6/B00001/reading", reading(True), qos=1)
            await eventually(lambda: first.state("w6", "B00001") == "occupied")
            known = first.lots["w6"]
        await sensor.publish("autospot/v1/w6/B00002/reading", reading(True), qos=1)
        await sensor.publish("autospot/v1/w6/B00002/reading", reading(False), qos=1)
        await eventually(lambda: hub.live.lots["w6"].bays["B00002"].state == "free")
        wish = {"lot": "w6", "epoch": known["epoch"], "rev": known["rev"]}
        async with await Watcher.connect(hub.url, wish) as again:
            await eventually(lambda: again.of_type("delta"))
            delta = again.of_type("delta")[0]
            assert delta["from"] == known["rev"]
            assert list(delta["bays"]) == ["B00002"]
            assert again.of_type("snapshot") == []


async def test_a_client_resumes_also_where_nothing_has_changed_since_the_hub_started(servers: Servers) -> None:
    async with running_hub(servers, [a_lot("w15")]) as hub:
        async with await Watcher.connect(hub.url, "w15") as first:
            await eventually(lambda: first.of_type("snapshot"))
        known = first.lots["w15"]
        wish = {"lot": "w15", "epoch": known["epoch"], "rev": known["rev"]}
        async with await Watcher.connect(hub.url, wish) as again:
            await eventually(lambda: len(again.frames) == 2)
            assert [frame["type"] for frame in again.frames] == ["welcome", "delta"]
            assert again.of_type("delta")[0]["bays"] == {}


@pytest.mark.parametrize(
    "position", [{"epoch": "another", "rev": 1}, {"rev": 1}, {"rev": 9_007_199_254_740_991}, {"rev": -1}]
)
async def test_any_doubt_about_a_position_is_a_snapshot_or_a_refusal(
    servers: Servers, position: dict[str, Any]
) -> None:
    async with running_hub(servers, [a_lot("w7")]) as hub:
        wish = {"lot": "w7", "epoch": hub.live.epoch} | position
        async with await Watcher.connect(hub.url, wish) as screen:
            await eventually(lambda: len(screen.frames) >= 2)
            assert screen.of_type("delta") == []
            assert len(screen.of_type("snapshot")) + len(screen.of_type("error")) == 1


async def test_a_changed_layout_reaches_watchers_as_a_snapshot(servers: Servers) -> None:
    async with (
        running_hub(servers, [a_lot("w8", bays=4)]) as hub,
        sensors(servers.mqtt_url) as sensor,
        await Watcher.connect(hub.url, "w8") as screen,
    ):
        await sensor.publish("autospot/v1/w8/B00001/reading", reading(True), qos=1)
        await eventually(lambda: screen.state("w8", "B00001") == "occupied")
        old = screen.lots["w8"]
        await hub.put(a_lot("w8", bays=3))
        await eventually(lambda: set(screen.lots["w8"]["bays"]) == {"B00000", "B00001", "B00002"})
        assert screen.state("w8", "B00001") == "occupied"
        wish = {"lot": "w8", "epoch": old["epoch"], "rev": old["rev"]}
        async with await Watcher.connect(hub.url, wish) as again:
            await eventually(lambda: again.of_type("snapshot"))  # a delta could not take B00003 away


async def test_who_comes_between_a_new_layout_and_its_telling_takes_it_from_nobody(servers: Servers) -> None:
    async with (
        running_hub(servers, [a_lot("w16", bays=4)]) as hub,
        await Watcher.connect(hub.url, "w16") as old,
        await Watcher.connect(hub.url) as new,
    ):
        await eventually(lambda: old.of_type("snapshot") and new.of_type("welcome"))
        comer = next(screen for screen in all_screens(hub) if not screen.lots)
        hub.live.put_layout(a_lot("w16", bays=3), hub.live.rev + 1)
        hub.hub.fanout.subscribe(comer, hub.live.lots["w16"], "bays", None, None)
        await eventually(lambda: len(old.of_type("snapshot")) == 2)
        assert set(old.lots["w16"]["bays"]) == set(new.lots["w16"]["bays"]) == {"B00000", "B00001", "B00002"}


async def test_a_new_lot_is_served_without_a_restart(servers: Servers) -> None:
    async with running_hub(servers) as hub, sensors(servers.mqtt_url) as sensor:
        await hub.put(a_lot("w9"))
        async with await Watcher.connect(hub.url, "w9") as screen:
            await sensor.publish("autospot/v1/w9/B00000/reading", reading(True), qos=1)
            await eventually(lambda: screen.state("w9", "B00000") == "occupied")


async def test_counts_only_subscribers_get_counts_only(servers: Servers) -> None:
    async with (
        running_hub(servers, [a_lot("w10")]) as hub,
        sensors(servers.mqtt_url) as sensor,
        await Watcher.connect(hub.url, {"lot": "w10", "detail": "counts"}) as sign,
    ):
        await eventually(lambda: sign.of_type("snapshot"))
        await sensor.publish("autospot/v1/w10/B00000/reading", reading(False), qos=1)
        await eventually(lambda: sign.lots["w10"]["counts"]["total"]["free"] == 1)
        assert all(frame["bays"] == {} for frame in sign.frames if "bays" in frame)


async def test_an_address_has_so_many_connections_and_no_more(servers: Servers) -> None:
    limits = SocketLimits(per_address=2)
    async with (
        running_hub(servers, [a_lot("w11")], limits=limits) as hub,
        await Watcher.connect(hub.url),
        await Watcher.connect(hub.url) as second,
    ):
        code, heard = await closed_with(hub.url)
        assert (code, heard[-1]["code"]) == (4102, 4102)
        await second.close()

        async def admitted() -> bool:
            async with await Watcher.connect(hub.url) as third:
                return await eventually(lambda: third.frames[0]["type"] == "welcome" if third.frames else False)

        await eventually(admitted)


async def test_a_user_has_so_many_connections_and_is_closed_when_the_token_ends(servers: Servers) -> None:
    limits = SocketLimits(per_user=1)
    async with running_hub(servers, [a_lot("w12")], limits=limits) as hub:
        good = f"user:u1:s1:{FAR_FUTURE_MS}"
        async with await Watcher.connect(hub.url, token=good) as first:
            await eventually(lambda: first.of_type("welcome"))
            code, _ = await closed_with(hub.url, {"type": "hello", "token": good})
            assert code == 4102
            hub.hub.sockets.tell_user("u1", {"event": "hello"})
            await eventually(lambda: first.of_type("me"))
            await first.say(type="auth", token="user:u1:s1:1000")
            await first.say(type="subscribe", lot="w12")
            await eventually(lambda: first.of_type("snapshot"))
            hub.hub.sockets.look_after(all_screens(hub))
            await eventually(lambda: first.socket.close_code == 4103)
        async with await Watcher.connect(hub.url, token=f"user:u2:family-7:{FAR_FUTURE_MS}") as revoked:
            await eventually(lambda: revoked.of_type("welcome"))
            hub.hub.sockets.close_sessions(["family-7"])
            await eventually(lambda: revoked.socket.close_code == 4002)


def all_screens(hub: RunningHub) -> list[Any]:
    return [screen for slot in hub.hub.sockets._slots for screen in slot]


async def test_beats_tell_positions_and_silence_closes(servers: Servers) -> None:
    async with (
        running_hub(servers, [a_lot("w13")]) as hub,
        await Watcher.connect(hub.url, "w13") as screen,
    ):
        await eventually(lambda: screen.of_type("snapshot"))
        hub.hub.sockets.look_after(all_screens(hub))
        await eventually(lambda: screen.of_type("beat"))
        assert screen.of_type("beat")[0]["lots"] == {"w13": screen.lots["w13"]["rev"]}
        all_screens(hub)[0].heard_ms -= 3_600_000
        hub.hub.sockets.look_after(all_screens(hub))
        await eventually(lambda: screen.socket.close_code == 4202)
        await eventually(lambda: all_screens(hub) == [])


async def test_strange_origins_are_refused_before_the_upgrade(servers: Servers) -> None:
    limits = SocketLimits(origins=frozenset({"https://good.example"}))
    async with (
        running_hub(servers, limits=limits) as hub,
        aiohttp.ClientSession() as session,
    ):
        for origin, allowed in (("https://evil.example", False), ("https://good.example", True), (hub.url, True)):
            if allowed:
                async with session.ws_connect(f"{hub.url}/v1/live", headers={"Origin": origin}):
                    pass
            else:
                with pytest.raises(aiohttp.WSServerHandshakeError):
                    await session.ws_connect(f"{hub.url}/v1/live", headers={"Origin": origin})


async def test_a_stop_tells_everybody_to_come_back(servers: Servers) -> None:
    async with running_hub(servers, [a_lot("w14")]) as hub:
        screen = await Watcher.connect(hub.url, "w14")
        await eventually(lambda: screen.of_type("snapshot"))
    await eventually(lambda: screen.socket.close_code == 4201)
    assert screen.of_type("bye")[0]["code"] == 4201
    await screen.close()
    await asyncio.sleep(0)
