"""Whatever happens: an old snapshot plus deltas equals a fresh snapshot equals the database."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from autospot.clock import SystemClock
from autospot.domain.bay import Claim, Closure, shown_state
from autospot.domain.change import ClaimChange, FeedEntry
from autospot.domain.instant import rfc3339, to_ms
from autospot.storage.feed import Feed
from autospot.storage.mongo import Database
from tests.support.hub import RunningHub, Servers, Watcher, reading, running_hub, sensors
from tests.support.lots import a_lot
from tests.support.services import eventually

BAYS = [f"B{number:05d}" for number in range(3)]
NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
LATER_MS = to_ms(NOON + timedelta(days=1))


@dataclass(frozen=True)
class Read:
    bay: str
    occupied: bool
    minute: int


@dataclass(frozen=True)
class Arrange:
    bay: str
    claim: Claim | None
    closure: Closure | None


@dataclass(frozen=True)
class Cut:
    """The client loses its connection and resumes."""


@dataclass(frozen=True)
class Restart:
    """The hub stops and another one starts."""


claims = st.none() | st.builds(
    Claim, st.sampled_from(["reserved", "assigned"]), st.just(to_ms(NOON)), st.just(LATER_MS), st.just("bkg_1")
)
closures = st.none() | st.builds(Closure, st.just("cleaning"), st.none() | st.just(LATER_MS))
steps = st.lists(
    st.builds(Read, st.sampled_from(BAYS), st.booleans(), st.integers(0, 30))
    | st.builds(Read, st.sampled_from(BAYS), st.booleans(), st.integers(0, 30))
    | st.builds(Arrange, st.sampled_from(BAYS), claims, closures)
    | st.builds(Cut)
    | st.builds(Restart),
    min_size=3,
    max_size=14,
)


@dataclass(frozen=True)
class Expected:
    """What a bay must show, by a model of its own: the newest reading by event time, the last arrangement."""

    occupied: bool | None = None
    minute: int = -1
    claim: Claim | None = None
    closure: Closure | None = None

    def after(self, step: Read | Arrange) -> Expected:
        if isinstance(step, Arrange):
            return replace(self, claim=step.claim, closure=step.closure)
        if step.minute < self.minute:
            return self
        return replace(self, occupied=step.occupied, minute=step.minute)


class Story:
    """One example, as it goes."""

    def __init__(self, servers: Servers) -> None:
        self._servers = servers
        self._stack = AsyncExitStack()
        self.expected = dict.fromkeys(BAYS, Expected())
        self._known: dict[str, dict[str, Any]] = {}

    async def begin(self) -> None:
        self.hub: RunningHub = await self._stack.enter_async_context(
            running_hub(self._servers, [a_lot("p", len(BAYS))])
        )
        self._sensor = await self._stack.enter_async_context(sensors(self._servers.mqtt_url))
        await self._watch()

    async def _watch(self) -> None:
        position = {key: self._known["p"][key] for key in ("epoch", "rev")} if self._known else {}
        self.screen = await Watcher.connect(self.hub.url, {"lot": "p", **position})
        self.screen.lots.update(self._known)
        await eventually(lambda: len(self.screen.frames) >= 2)

    async def _leave(self) -> None:
        self._known = self.screen.lots
        await self.screen.close()

    async def take(self, step: Any) -> None:
        if isinstance(step, Cut):
            await self._leave()
            await self._watch()
        elif isinstance(step, Restart):
            await self._leave()
            await self._stack.aclose()
            await self.begin()
        elif isinstance(step, Read):
            body = reading(step.occupied, rfc3339(NOON + timedelta(minutes=step.minute)))
            await self._sensor.publish(f"autospot/v1/p/{step.bay}/reading", body, qos=1)
            self.expected[step.bay] = self.expected[step.bay].after(step)
        elif isinstance(step, Arrange):
            change = ClaimChange(step.bay, step.claim, step.closure)
            await Feed(self.hub.database).append(FeedEntry("test", claims={"p": [change]}), SystemClock().now_ms())
            self.expected[step.bay] = self.expected[step.bay].after(step)

    def shown(self) -> dict[str, str]:
        return {bay: shown_state(want.occupied, want.claim, want.closure) for bay, want in self.expected.items()}

    async def check(self) -> None:
        want = self.shown()
        await eventually(
            lambda: {bay: self.screen.state("p", bay) for bay in BAYS} == want, what=f"the screen shows {want}"
        )
        async with await Watcher.connect(self.hub.url, "p") as fresh:
            await eventually(lambda: "p" in fresh.lots)
            await eventually(lambda: fresh.lots["p"]["bays"] == self.screen.lots["p"]["bays"])
        assert self.screen.gaps == 0
        bays = self.screen.lots["p"]["bays"]

        async def stored_equals_shown() -> bool:
            rows = {row["bay"]: row async for row in self.hub.database.collection("bays").find({"lot": "p"})}
            return all(
                ((row := rows.get(bay)) is None and view["at"] is None)
                or (
                    row is not None
                    and row["state"] == view["state"]
                    and row["occupied"] == view["occupied"]
                    and (row["at"] and rfc3339(row["at"])) == view["at"]
                )
                for bay, view in bays.items()
            )

        await eventually(stored_equals_shown, what="the database says what the screen shows")

    async def end(self) -> None:
        await self._leave()
        await self._stack.aclose()
        database = Database(self._servers.mongo_url, self._servers.db_name)
        await database.client.drop_database(self._servers.db_name)
        database.close()


@pytest.mark.slow
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=steps)
def test_old_snapshot_plus_deltas_equals_fresh_snapshot_equals_database(
    mongo_url: str, broker_url: str, steps: list[Any]
) -> None:
    async def play() -> None:
        story = Story(Servers(mongo_url, f"test_{uuid4().hex}", broker_url))
        await story.begin()
        try:
            for step in steps:
                event(type(step).__name__)
                await story.take(step)
            await story.check()
        finally:
            await story.end()

    asyncio.run(play())
