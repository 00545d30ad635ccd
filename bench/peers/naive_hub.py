"""The hub as a tutorial would write it in Python: for each message one update and one send per screen."""

from __future__ import annotations

import asyncio
import json
import os
from collections import defaultdict
from typing import Any

import aiomqtt
from aiohttp import WSMsgType, web
from motor.motor_asyncio import AsyncIOMotorClient


def view(bay: dict[str, Any]) -> dict[str, Any]:
    """A bay as screens want it."""
    state = "occupied" if bay["occupied"] else "free"
    return {"state": state, "occupied": bay["occupied"], "since": bay["at"], "at": bay["at"]}


class NaiveHub:
    """State lives in the database; every message and every hello goes there."""

    def __init__(self, bays: Any) -> None:
        self.bays = bays
        self.rooms: dict[str, set[web.WebSocketResponse]] = defaultdict(set)
        self.subscribed = False

    async def readyz(self, _: web.Request) -> web.Response:
        """200 once readings are subscribed to."""
        return web.Response(status=200 if self.subscribed else 503)

    async def live(self, request: web.Request) -> web.WebSocketResponse:
        """One screen: hello, welcome, snapshot, then whatever comes."""
        socket = web.WebSocketResponse(protocols=("autospot.v1",), compress=False)
        await socket.prepare(request)
        lot = (await socket.receive_json())["subscriptions"][0]["lot"]
        await socket.send_json({"type": "welcome"})
        shown = {bay["bay"]: view(bay) async for bay in self.bays.find({"lot": lot})}
        await socket.send_json({"type": "snapshot", "lot": lot, "bays": shown})
        self.rooms[lot].add(socket)
        async for message in socket:
            if message.type is WSMsgType.ERROR:
                break
        self.rooms[lot].discard(socket)
        return socket

    async def listen(self, port: int) -> None:
        """Take readings one after the other."""
        async with aiomqtt.Client("127.0.0.1", port, identifier="hub", clean_session=False) as broker:
            await broker.subscribe("autospot/v1/+/+/reading", qos=1)
            self.subscribed = True
            async for message in broker.messages:
                await self.take(str(message.topic), bytes(message.payload))

    async def take(self, topic: str, payload: bytes) -> None:
        """Store one reading, then tell everybody who watches its lot."""
        _, _, lot, bay, _ = topic.split("/")
        reading = json.loads(payload)
        fields = {"lot": lot, "bay": bay, "occupied": reading["occupied"], "at": reading["at"], "seq": reading["seq"]}
        await self.bays.update_one({"_id": f"{lot}/{bay}"}, {"$set": fields}, upsert=True)
        text = json.dumps({"type": "delta", "lot": lot, "bays": {bay: view(fields)}})
        for socket in list(self.rooms[lot]):
            await socket.send_str(text)


async def main(kind: type[NaiveHub]) -> None:
    """Run until ended."""
    client: Any = AsyncIOMotorClient(os.environ["BENCH_MONGO_URL"])
    hub = kind(client[os.environ["BENCH_MONGO_DB"]].bays)
    await hub.bays.create_index("lot")
    app = web.Application()
    app.router.add_get("/v1/live", hub.live)
    app.router.add_get("/readyz", hub.readyz)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", int(os.environ["BENCH_HTTP_PORT"])).start()
    await hub.listen(int(os.environ["BENCH_MQTT_PORT"]))


if __name__ == "__main__":
    asyncio.run(main(NaiveHub))
