"""Transactions that several use cases share: group commit, without any of them knowing.

Each use case is written as if it had its transaction alone. It is given a `Seat` in place of a session; whenever every
one of those who share the transaction waits for the database, what they ask for is performed together (`rounds`), and
at the end there is one commit. A booking has about a dozen calls; so have sixteen that share.

Whatever is refused, conflicts, or cannot be told apart undoes the shared transaction, and its halves are tried again,
down to single ones with a transaction of their own: a refusal is only ever decided there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextvars import Context, copy_context
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from motor.motor_asyncio import AsyncIOMotorClientSession
from pymongo.errors import PyMongoError

from autospot.domain.errors import Unavailable
from autospot.storage.batches import Batches
from autospot.storage.rounds import Divided, perform
from autospot.storage.seat import Document, Find, Seat, Write

RIDERS_LIMIT: Final = 32
"""Use cases in one transaction."""

RIDE_SECONDS: Final = 2.0
"""How long the slowest may take to say what is needed next, before the transaction is given up for single ones."""

T = TypeVar("T")
Session = AsyncIOMotorClientSession
Work = Callable[[Session], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Rider:
    """A use case that wants a transaction, in the context it was asked for in."""

    work: Work
    context: Context = field(default_factory=copy_context)


class SharedTransactions:
    """Runs use cases in transactions, those that wait at the same moment in one.

    Guarantees: a use case is done whole or not at all, and durable when its answer is given, as with a transaction of
    its own; two that write one document never share a transaction; what refuses one does not refuse another. One
    shared transaction is under way at a time, of at most `RIDERS_LIMIT`; what waits meanwhile is bounded by `Batches`.

    A use case must not wait for another one inside its transaction: they could be in the same.
    """

    def __init__(self, transaction: Callable[[Work], Awaitable[Any]]) -> None:
        self._transaction = transaction
        self._riders: Batches[Rider, Any] = Batches(self._ride, most=RIDERS_LIMIT)

    async def run(self, work: Callable[[Session], Awaitable[T]]) -> T:
        """What `work` returned. Raises what it raises, and what a transaction of its own would."""
        answer: T = await self._riders.ask(Rider(work))  # who gives up waiting is served all the same
        return answer

    async def _ride(self, riders: Sequence[Rider]) -> list[Any]:
        if len(riders) == 1:
            return [await self._alone(riders[0])]
        try:
            answers: list[Any] = await self._transaction(lambda session: _Ride(session).run(riders))
        except Unavailable as outage:  # of the database: it is everybody's
            return [outage] * len(riders)
        except (Divided, PyMongoError, TimeoutError):
            half = len(riders) // 2
            return [*await self._ride(riders[:half]), *await self._ride(riders[half:])]
        return answers

    async def _alone(self, rider: Rider) -> Any:
        try:
            return await asyncio.create_task(_awaited(self._transaction(rider.work)), context=rider.context)
        except Exception as error:  # noqa: BLE001 - an answer like any other to whoever asked
            return error


async def _awaited(work: Awaitable[T]) -> T:
    return await work


class _Ride:
    """One attempt at a shared transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._writes: list[Write] = []
        self._finds: list[tuple[Find, asyncio.Future[list[Document]]]] = []
        self._writers: dict[tuple[str, Any], Seat] = {}
        self._busy = 0
        self._refused = False
        self._is_over = False
        self._turn = asyncio.Event()

    async def run(self, riders: Sequence[Rider]) -> list[Any]:
        """What each of them returned, committed. `Divided` if any of them cannot go on together with the others."""
        self._busy = len(riders)
        tasks = [asyncio.create_task(self._drive(rider.work), context=rider.context) for rider in riders]
        try:
            while await self._goes_on():
                await self._perform_round()
            return [task.result() for task in tasks]
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def write(self, seat: Seat, write: Write) -> None:
        """See `Driver`. Two who write one document are `Divided`: each would have to see what the other did."""
        if write.document_id is None:
            raise Divided
        if self._writers.setdefault((write.collection.name, write.document_id), seat) is not seat:
            raise Divided
        self._writes.append(write)

    async def find(self, find: Find) -> list[Document]:
        """See `Driver`."""
        rows: asyncio.Future[list[Document]] = asyncio.get_running_loop().create_future()
        self._finds.append((find, rows))
        self._is_waiting()
        return await rows

    def parts(self) -> None:
        """See `Driver`."""
        self._busy += 1

    def meets(self) -> None:
        """See `Driver`."""
        self._is_waiting()

    async def _drive(self, work: Work) -> Any:
        try:
            return await work(Seat(self))
        except Exception:
            self._refused = True
            raise
        finally:
            self._is_waiting()

    def _is_waiting(self) -> None:
        self._busy -= 1
        if self._busy == 0 or self._refused:
            self._turn.set()

    async def _goes_on(self) -> bool:
        """False once everybody is done and all of it is committed."""
        if self._is_over:
            return False
        async with asyncio.timeout(RIDE_SECONDS):
            await self._turn.wait()
        self._turn.clear()
        if self._refused:
            raise Divided
        return True

    async def _perform_round(self) -> None:
        writes, self._writes = self._writes, []
        finds, self._finds = self._finds, []
        found = await asyncio.to_thread(perform, self._session.delegate, writes, [find for find, _ in finds])
        self._is_over = not finds
        self._busy = len(finds)
        for (_, waits), rows in zip(finds, found, strict=True):
            if not waits.done():  # else whoever asked was refused meanwhile: nobody goes on from here
                waits.set_result(rows)
