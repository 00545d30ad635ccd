"""Turn a fresh mongod into a replica set of one, which transactions and change streams need."""

import asyncio
import time
from typing import Any

from motor.motor_asyncio import AsyncIOMotorClient
from pymongo.errors import OperationFailure, PyMongoError

SERVER_ANSWER_MS = 2_000
POLL_SECONDS = 0.02

NOT_YET_INITIALISED = 94


class NoPrimaryError(TimeoutError):
    """The server did not become primary before the deadline; the text says what it answered last."""


async def initiate(host: str, port: int, *, name: str, deadline_seconds: float = 30.0) -> None:
    """Make the mongod at ``host:port`` the only member and primary of replica set ``name``.

    Idempotent: a set that is already initiated is left alone, except that a member known under another address (the
    folder was used with another port before) is moved to this one, keeping all data.

    A client of its own, closed before returning: a client that was connected before the set existed opens change
    streams without a session, and the server refuses them (50736).

    Raises NoPrimaryError after ``deadline_seconds``.
    """
    answer_ms = min(SERVER_ANSWER_MS, int(deadline_seconds * 1_000))
    client: AsyncIOMotorClient[dict[str, Any]] = AsyncIOMotorClient(
        host, port, directConnection=True, serverSelectionTimeoutMS=answer_ms, connectTimeoutMS=answer_ms
    )
    until = time.monotonic() + deadline_seconds
    last_answer = "nothing"
    try:
        while time.monotonic() < until:
            try:
                if await _is_primary(client):
                    return
                await _configure(client, f"{host}:{port}", name)
                last_answer = "it is not primary yet"
            except PyMongoError as error:
                last_answer = str(error)
            await asyncio.sleep(POLL_SECONDS)
    finally:
        client.close()
    raise NoPrimaryError(f"mongod at {host}:{port} did not become primary in {deadline_seconds:g} s: {last_answer}")


async def _is_primary(client: AsyncIOMotorClient[dict[str, Any]]) -> bool:
    hello = await client.admin.command("hello")
    return bool(hello["isWritablePrimary"])


async def _configure(client: AsyncIOMotorClient[dict[str, Any]], address: str, name: str) -> None:
    """Initiate the set, or move its only member to ``address``; nothing when it is already as it should be."""
    try:
        config = (await client.admin.command("replSetGetConfig"))["config"]
    except OperationFailure as error:
        if error.code != NOT_YET_INITIALISED:
            raise
        await client.admin.command("replSetInitiate", {"_id": name, "members": [{"_id": 0, "host": address}]})
        return
    if [member["host"] for member in config["members"]] == [address]:
        return
    config["members"] = [{**config["members"][0], "host": address}]
    config["version"] += 1
    # Forced, because a member that does not find itself in its own configuration cannot be primary and agree to one.
    await client.admin.command("replSetReconfig", config, force=True)
