"""Clients that book, change and cancel over HTTP while everything behind it is killed, and record what became of it.

A call whose outcome is not known is sent again, with the same idempotency key or saying the same, until it is.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import aiohttp

from autospot.domain.instant import rfc3339
from autospot.domain.period import Period
from tests.support.history_checker import Attempt, History, Outcome, Release

STEP = timedelta(minutes=15)
SLOTS = 96
AGAIN_SECONDS = 0.2
PATIENCE_SECONDS = 0.5
OPEN_LIMIT = 6
"""How long a client waits for a call before it makes another one beside it, and how many it has open at most: who was
at work in a process that died keeps its idempotency key for 30 s."""

CALL_SECONDS = 10.0
GIVE_UP_SECONDS = 90.0
LINGERS_SECONDS = 60.0
"""What a try that was cut off may keep: a promise is released 30 s after it was made, by a sweep every 10 s at the
latest. As much again for a machine that is busy."""

REFUSED = {"bay_taken", "illegal_step"}


@dataclass
class Own:
    """A booking as its client knows it."""

    id: str
    bay: str
    period: Period


@dataclass
class Reply:
    """How a call ended. `in_doubt` says that a try of it was cut off."""

    outcome: Outcome
    body: Mapping[str, Any]
    begun: float
    ended: float
    in_doubt: bool


@dataclass
class BookingClient:
    """One driver. `day` is midnight of the day that he books in."""

    number: int
    http: aiohttp.ClientSession
    url: str
    headers: Mapping[str, str]
    lot: str
    bays: int
    day: datetime
    dice: random.Random
    history: History
    own: list[Own] = field(default_factory=list)
    calls: int = 0

    async def run(self, stop: asyncio.Event) -> None:
        """Acts until `stop` is set; calls that are open then are brought to their end."""
        open_calls: set[asyncio.Task[None]] = set()
        while not stop.is_set():
            open_calls.add(asyncio.create_task(self._act()))
            full = len(open_calls) >= OPEN_LIMIT
            timeout = None if full else PATIENCE_SECONDS
            done, open_calls = await asyncio.wait(open_calls, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
            for each in done:
                each.result()
        await asyncio.gather(*open_calls)

    async def _act(self) -> None:
        """One call of some kind. A booking that a call is about is nobody else's meanwhile."""
        choice = self.dice.random()
        if not self.own or choice >= 0.5:
            await self._book()
            return
        booking = self.own.pop(self.dice.randrange(len(self.own)))
        await (self._cancel(booking) if choice < 0.25 else self._move(booking))

    def _place(self) -> tuple[str, Period]:
        start = self.day + STEP * self.dice.randrange(SLOTS)
        return f"B{self.dice.randrange(self.bays):05d}", Period(start, start + STEP * self.dice.randint(1, 12))

    async def _book(self) -> None:
        bay, period = self._place()
        body = {"lot": self.lot, "bay": bay, **_times(period)}
        key, reply = await self._call("POST", "/v1/bookings", body)
        made = str(reply.body["id"]) if reply.outcome == "ok" else None
        self._record(key, bay, period, reply, made)
        if made is not None:
            self.own.append(Own(made, bay, period))

    async def _move(self, booking: Own) -> None:
        bay, period = self._place()
        key, reply = await self._call("PATCH", f"/v1/bookings/{booking.id}", {"bay": bay, **_times(period)})
        self._record(key, bay, period, reply, booking.id, moves=True)
        if reply.outcome == "ok":
            booking.bay, booking.period = bay, period
        self.own.append(booking)

    async def _cancel(self, booking: Own) -> None:
        _key, reply = await self._call("POST", f"/v1/bookings/{booking.id}/cancel", None)
        self.history.releases.append(Release(booking.id, reply.begun, reply.ended, reply.outcome))

    def _record(
        self, key: str, bay: str, period: Period, reply: Reply, booking: str | None, *, moves: bool = False
    ) -> None:
        lingers = LINGERS_SECONDS if reply.in_doubt else 0.0
        self.history.attempts.append(
            Attempt(key, bay, period, reply.begun, reply.ended, reply.outcome, booking, moves, lingers)
        )

    async def _call(self, method: str, path: str, body: Mapping[str, Any] | None) -> tuple[str, Reply]:
        """The key of a call, and how it ended."""
        self.calls += 1
        key = f"client-{self.number:04d}-call-{self.calls:08d}"
        return key, await self._until_known(method, path, body, {**self.headers, "Idempotency-Key": key})

    async def _until_known(
        self, method: str, path: str, body: Mapping[str, Any] | None, headers: Mapping[str, str]
    ) -> Reply:
        begun, in_doubt = time.monotonic(), False
        while time.monotonic() < begun + GIVE_UP_SECONDS:
            try:
                status, content = await self._once(method, path, headers, body)
            except (aiohttp.ClientError, TimeoutError, ConnectionError):
                in_doubt = True
            else:
                if status < 300:
                    return Reply("ok", content, begun, time.monotonic(), in_doubt)
                if content.get("code") in REFUSED:
                    return Reply("refused", content, begun, time.monotonic(), in_doubt)
                assert status in (409, 412, 429, 503), (method, path, status, content)
                in_doubt = in_doubt or status == 503
            await asyncio.sleep(AGAIN_SECONDS * (1 + self.dice.random()))
        return Reply("unknown", {}, begun, time.monotonic(), in_doubt)

    async def _once(
        self, method: str, path: str, headers: Mapping[str, str], body: Mapping[str, Any] | None
    ) -> tuple[int, Mapping[str, Any]]:
        timeout = aiohttp.ClientTimeout(total=CALL_SECONDS)
        async with self.http.request(method, self.url + path, json=body, headers=headers, timeout=timeout) as answer:
            return answer.status, await answer.json(content_type=None)


def _times(period: Period) -> dict[str, str]:
    return {"from": rfc3339(period.start), "until": rfc3339(period.until)}
