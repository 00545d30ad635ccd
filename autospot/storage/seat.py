"""A seat in a transaction that several use cases share, and what can be asked for from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from motor.motor_asyncio import AsyncIOMotorClientSession
from pymongo import DeleteOne, InsertOne, ReplaceOne, UpdateOne

if TYPE_CHECKING:
    from autospot.storage.collection import Collection

Document = dict[str, Any]
Sort = Sequence[tuple[str, int]]
Operation = InsertOne[Document] | UpdateOne | ReplaceOne[Document] | DeleteOne


@dataclass(frozen=True, slots=True)
class Write:
    """One document to be added, changed or removed: the one with this `_id`."""

    collection: Collection
    document_id: Any
    operation: Operation


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
