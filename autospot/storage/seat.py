"""A seat in a transaction that several use cases share, and what can be asked for from it."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeVar

from motor.motor_asyncio import AsyncIOMotorClientSession

if TYPE_CHECKING:
    from autospot.storage.collection import Collection

Document = dict[str, Any]
Sort = Sequence[tuple[str, int]]
A = TypeVar("A")
B = TypeVar("B")


@dataclass(frozen=True, slots=True)
class Write:
    """One document to be added, changed or removed: the one with this `_id`. `statement` is what stands in the list of
    the command `kind`: the document itself, or `{q, u, …}`."""

    collection: Collection
    kind: Literal["insert", "update", "delete"]
    document_id: Any
    statement: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Find:
    """Documents to be read. `limit` 0: all of them."""

    collection: Collection
    wanted: Mapping[str, Any]
    fields: Mapping[str, Any] | None = None
    sort: Sort = ()
    limit: int = 0


class Driver(Protocol):
    """Whoever performs what is asked for from all seats."""

    def write(self, seat: Seat, write: Write) -> None:
        """Has `write` performed before anything is read, and before the end."""

    async def find(self, find: Find) -> list[Document]:
        """The rows, once everybody who shares the transaction has said what they need next."""

    def parts(self) -> None:
        """From now on one use case asks as two."""

    def meets(self) -> None:
        """One of the two is done; the other one goes on."""


class Seat(AsyncIOMotorClientSession):
    """Stands where a session stands, for a use case that does not have its transaction alone.

    Nothing but `Collection` can do anything with it: it holds no session of the driver's.
    """

    def __init__(self, ride: Driver) -> None:  # the base class would ask for a client
        self._ride = ride

    def write(self, write: Write) -> None:
        """Notes a write. Whoever asks goes on as if it had found its document; where it does not, he never was."""
        self._ride.write(self, write)

    async def find(self, find: Find) -> list[Document]:
        """The rows, with all that was written here before."""
        return await self._ride.find(find)

    async def both(self, first: Coroutine[Any, Any, A], second: Coroutine[Any, Any, B]) -> tuple[A, B]:
        """See `together`."""
        other, under_way = asyncio.ensure_future(second), 2

        def arrives() -> None:
            nonlocal under_way
            under_way -= 1
            if under_way:
                self._ride.meets()

        other.add_done_callback(lambda _: arrives())
        self._ride.parts()
        try:
            one = await first
            arrives()
            return one, await other
        finally:
            if not other.cancel() and not other.cancelled():
                other.exception()  # the first one's is told


async def together(
    session: AsyncIOMotorClientSession, first: Coroutine[Any, Any, A], second: Coroutine[Any, Any, B]
) -> tuple[A, B]:
    """Does two things of which neither needs the other, in one transaction: from a seat at once, so that what both
    read is read in one round; in a session of one's own one after the other, as its driver wants it."""
    if isinstance(session, Seat):
        return await session.both(first, second)
    try:
        return await first, await second
    finally:
        second.close()  # where the first one failed
