"""MQTT clients for the tests, made from the same addresses the product uses."""

from __future__ import annotations

import asyncio
from urllib.parse import unquote, urlsplit

import aiomqtt

ANSWER_SECONDS = 5.0


def connected(url: str, *, identifier: str | None = None) -> aiomqtt.Client:
    """An MQTT 3.1.1 client for `mqtt://user:password@host:port`, connected inside `async with`.

    With an `identifier` its session persists.
    """
    address = urlsplit(url)
    assert address.hostname
    assert address.port
    return aiomqtt.Client(
        address.hostname,
        address.port,
        username=unquote(address.username) if address.username else None,
        password=unquote(address.password) if address.password else None,
        identifier=identifier,
        clean_session=identifier is None,
        protocol=aiomqtt.ProtocolVersion.V311,
        timeout=ANSWER_SECONDS,
    )


async def heard(client: aiomqtt.Client, *, within_seconds: float = ANSWER_SECONDS) -> aiomqtt.Message:
    """The next message; fails when none comes."""
    async with asyncio.timeout(within_seconds):
        return await anext(aiter(client.messages))
