"""A subscriber that keeps everything it hears, and the fixtures' small words."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import aiomqtt

from tests.support.mqtt import connected


class Heard(NamedTuple):
    topic: str
    payload: bytes
    retained: bool

    @property
    def fields(self) -> Any:
        return json.loads(self.payload)


@asynccontextmanager
async def listening(url: str, *topics: str) -> AsyncIterator[list[Heard]]:
    """Everything published on `topics` (all without any), as it comes, QoS 1."""
    heard: list[Heard] = []
    async with connected(url) as client:
        for topic in topics or ("#",):
            await client.subscribe(topic, qos=1)
        keeping = asyncio.create_task(_keep(client, heard))
        try:
            yield heard
        finally:
            keeping.cancel()


async def _keep(client: aiomqtt.Client, heard: list[Heard]) -> None:
    async for message in client.messages:
        assert isinstance(message.payload, bytes)
        heard.append(Heard(message.topic.value, message.payload, message.retain))


async def retained(url: str, topic: str) -> str:
    """The word kept on `topic`, empty if there is none."""
    async with connected(url) as client:
        await client.subscribe(topic, qos=1)
        try:
            async with asyncio.timeout(0.5):
                message = await anext(aiter(client.messages))
        except TimeoutError:
            return ""
        assert isinstance(message.payload, bytes)
        return message.payload.decode()
