"""Telling the merchant: signed by Standard Webhooks, tried again until a 2xx answer comes."""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
from datetime import UTC, datetime
from typing import Any, Final

import aiohttp
from standardwebhooks import Webhook

TRIES: Final = 8
FIRST_PAUSE_SECONDS: Final = 0.5
ANSWER_SECONDS: Final = 10.0
WAITING_LIMIT: Final = 10_000

log = logging.getLogger(__name__)


class Webhooks:
    """Delivers events to one address.

    Guarantees: an event keeps its id over all tries; a try that is not answered 2xx is made again with doubled pauses,
    `TRIES` times in all. Bounded: of more than `WAITING_LIMIT` undelivered events the newest are lost, and logged.
    """

    def __init__(self, url: str, secret: str) -> None:
        self._url = url
        self._webhook = Webhook(secret)
        self._tasks: set[asyncio.Task[None]] = set()
        self._client: aiohttp.ClientSession | None = None

    def event(self, name: str, intent: dict[str, Any]) -> dict[str, Any]:
        """A new event about an intent."""
        return {"id": f"evt_{secrets.token_hex(12)}", "type": name, "data": {"payment_intent": intent}}

    def deliver(self, *events: dict[str, Any]) -> None:
        """Sends events, one after the other, without waiting for them."""
        if len(self._tasks) >= WAITING_LIMIT:
            log.error("too many webhooks wait: %d are lost", len(events))
            return
        task = asyncio.create_task(self._deliver_in_order(events))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def settle(self) -> None:
        """Returns when nothing waits to be delivered."""
        while self._tasks:
            await asyncio.wait(set(self._tasks))

    async def close(self) -> None:
        """Gives up what waits."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(set(self._tasks))
        if self._client is not None:
            await self._client.close()

    async def _deliver_in_order(self, events: tuple[dict[str, Any], ...]) -> None:
        for event in events:
            await self._deliver_one(event)

    async def _deliver_one(self, event: dict[str, Any]) -> None:
        pause_seconds = FIRST_PAUSE_SECONDS
        for _ in range(TRIES):
            if await self._try(event):
                return
            await asyncio.sleep(pause_seconds)
            pause_seconds *= 2
        log.error("nobody took the event %s", event["id"])

    async def _try(self, event: dict[str, Any]) -> bool:
        body, now = json.dumps(event), datetime.now(UTC)
        headers = {
            "Content-Type": "application/json",
            "webhook-id": event["id"],
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": self._webhook.sign(event["id"], now, body),
        }
        if self._client is None:
            self._client = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=ANSWER_SECONDS))
        try:
            async with self._client.post(self._url, data=body, headers=headers) as response:
                return 200 <= response.status < 300
        except (aiohttp.ClientError, TimeoutError):
            return False
