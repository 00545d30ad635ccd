"""A worker of the due-queue that notes what it did, and the kinds of rows that tests put."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from autospot.clock import Clock
from autospot.domain.due import Backoff, Due
from autospot.services.clockwork import Clockwork, DueKind, Schedule
from autospot.services.signals import Signals
from autospot.storage.due import DueRows
from autospot.storage.mongo import Database, Session


@dataclass(frozen=True)
class Deed:
    number: int


DEED = DueKind("deed", Deed, backoff=Backoff(attempts=3, first_seconds=10.0), lease=timedelta(seconds=30))
OTHER = DueKind("other", Deed)


@dataclass
class Worker:
    """One process's clockwork with a record of what it did."""

    database: Database
    clock: Clock
    clockwork: Clockwork = field(init=False)
    rows: DueRows = field(init=False)
    schedule: Schedule = field(init=False)
    did: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rows = DueRows(self.database)
        self.clockwork = Clockwork(self.database, self.rows, self.clock, roll=lambda: 1.0)
        self.schedule = Schedule(self.rows)

    async def insert(self, session: Session, deed: Deed, now: datetime) -> None:
        self.did.append(deed.number)
        await self.database.collection("deeds").insert_one({"number": deed.number, "at": now}, session=session)

    async def note(self, deed: Deed, due: Due) -> None:
        self.did.append(deed.number)

    async def put(self, *numbers: int, at: datetime | None = None, kind: DueKind[Deed] = DEED) -> None:
        for number in numbers:
            await self.schedule.put(kind, str(number), at or self.clock.now(), Deed(number))

    async def deeds(self) -> Counter[int]:
        return Counter([row["number"] async for row in self.database.collection("deeds").find()])

    async def waiting(self) -> int:
        return await self.database.collection("due").count_documents({"state": "waiting"})


@asynccontextmanager
async def running(worker: Worker) -> AsyncIterator[None]:
    """The worker's clockwork and its signals, as a program runs them."""
    signals = Signals(worker.database)
    signals.on_row(worker.clockwork.hurry)
    signals.on_resync(worker.clockwork.hurry)
    tasks = [asyncio.create_task(worker.clockwork.run()), asyncio.create_task(signals.run())]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task


def fewer_than(worker: Worker, number: int) -> Callable[[], Awaitable[bool]]:
    async def fewer() -> bool:
        return await worker.waiting() < max(1, number)

    return fewer
