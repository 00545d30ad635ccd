"""A collection whose calls also take a seat in a shared transaction where they take a session.

From a seat, writes are noted and answered at once as if they had found their document: they are performed together, and
where one does not find it the shared transaction is undone, and its use case learns the truth in one of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from bson import ObjectId
from motor.motor_asyncio import AsyncIOMotorCollection
from pymongo import ReturnDocument
from pymongo.collection import Collection as DriverCollection
from pymongo.results import BulkWriteResult, DeleteResult, InsertManyResult, InsertOneResult, UpdateResult

from autospot.storage.seat import Document, Find, Seat, Sort, Write

if TYPE_CHECKING:
    MotorCollection = AsyncIOMotorCollection[Document]
else:
    MotorCollection = AsyncIOMotorCollection


T = TypeVar("T")


class Collection(MotorCollection):
    """Motor's collection. The calls below know seats; others, and options that stand here nowhere, fail with one, and
    their use case is tried again in a transaction of its own.
    """

    async def visit(self, work: Callable[[DriverCollection[Document]], T]) -> T:
        """What `work` returns, which asks the driver's own collection, without a session, in one visit of one thread.
        Motor makes one for each call, and several for a cursor: 400 us more for a question with few rows."""
        return await asyncio.to_thread(work, self.delegate)

    if not TYPE_CHECKING:  # the types are Motor's

        async def insert_one(self, document, *args, session=None, **options):
            """As in PyMongo."""
            if isinstance(session, Seat) and not (args or options):
                _insert(self, session, document)
                return InsertOneResult(document.get("_id"), acknowledged=True)
            return await super().insert_one(document, *args, session=session, **options)

        async def insert_many(self, documents, *args, session=None, **options):
            """As in PyMongo."""
            if isinstance(session, Seat) and not (args or options):
                for document in documents:
                    _insert(self, session, document)
                return InsertManyResult([each.get("_id") for each in documents], acknowledged=True)
            return await super().insert_many(documents, *args, session=session, **options)

        async def update_one(self, filter, update, upsert=False, *args, session=None, **options):  # noqa: A002
            """As in PyMongo, but that from a seat an upsert does not tell which of the two it was."""
            if isinstance(session, Seat) and not (args or options):
                _change(self, session, filter, update, upsert)
                return UpdateResult({"n": 1, "nModified": 1}, acknowledged=True)
            return await super().update_one(filter, update, upsert, *args, session=session, **options)

        async def replace_one(self, filter, replacement, upsert=False, *args, session=None, **options):  # noqa: A002
            """As `update_one`."""
            if isinstance(session, Seat) and not (args or options):
                _change(self, session, filter, replacement, upsert)
                return UpdateResult({"n": 1, "nModified": 1}, acknowledged=True)
            return await super().replace_one(filter, replacement, upsert, *args, session=session, **options)

        async def delete_one(self, filter, *args, session=None, **options):  # noqa: A002
            """As in PyMongo."""
            if isinstance(session, Seat) and not (args or options):
                session.write(Write(self, "delete", filter.get("_id"), {"q": filter, "limit": 1}))
                return DeleteResult({"n": 1}, acknowledged=True)
            return await super().delete_one(filter, *args, session=session, **options)

        async def bulk_write(self, requests, *args, session=None, **options):
            """As in PyMongo, of updates."""
            if isinstance(session, Seat) and not (args or options):
                for each in requests:
                    _change(self, session, each._filter, each._doc, each._upsert)  # noqa: SLF001 - no other names
                counts = {"nInserted": 0, "nMatched": len(requests), "nModified": len(requests), "nUpserted": 0}
                return BulkWriteResult({**counts, "nRemoved": 0, "upserted": []}, acknowledged=True)
            return await super().bulk_write(requests, *args, session=session, **options)

        async def find_one_and_update(self, filter, update, *args, session=None, **options):  # noqa: A002
            """As in PyMongo; from a seat, what the document becomes."""
            if isinstance(session, Seat) and not args and _gives_what_it_becomes(options):
                _change(self, session, filter, update, options.get("upsert", False))
                return (await session.find(Find(self, {"_id": filter["_id"]})))[0]
            return await super().find_one_and_update(filter, update, *args, session=session, **options)

        async def find_one(self, filter=None, projection=None, *args, session=None, **options):  # noqa: A002
            """As in PyMongo."""
            if isinstance(session, Seat) and not args and options.keys() <= {"sort"}:
                rows = await session.find(Find(self, filter or {}, projection, tuple(options.get("sort", ())), 1))
                return rows[0] if rows else None
            return await super().find_one(filter, projection, *args, session=session, **options)

        def find(self, filter=None, projection=None, *args, session=None, **options):  # noqa: A002
            """As in PyMongo; from a seat, a cursor that can be sorted, limited and read to its end."""
            if isinstance(session, Seat) and not (args or options):
                return SeatCursor(session, Find(self, filter or {}, projection))
            return super().find(filter, projection, *args, session=session, **options)


def _insert(collection: Collection, seat: Seat, document: Document) -> None:
    if "_id" not in document:
        document["_id"] = ObjectId()  # as the driver does
    seat.write(Write(collection, "insert", document["_id"], document))


def _change(
    collection: Collection,
    seat: Seat,
    wanted: Mapping[str, Any],
    change: Mapping[str, Any] | Sequence[Mapping[str, Any]],
    upsert: bool | None,
) -> None:
    statement = {"q": wanted, "u": change, "multi": False, "upsert": bool(upsert)}
    seat.write(Write(collection, "update", wanted.get("_id"), statement))


def _gives_what_it_becomes(options: dict[str, Any]) -> bool:
    return options.keys() <= {"upsert", "return_document"} and options.get("return_document") is ReturnDocument.AFTER


class SeatCursor:
    """What a `find` from a seat returns: as much of a cursor as storage uses."""

    def __init__(self, seat: Seat, find: Find) -> None:
        self._seat = seat
        self._find = find

    def sort(self, keys: str | Sort, direction: int = 1) -> SeatCursor:
        """As in PyMongo."""
        sort = ((keys, direction),) if isinstance(keys, str) else tuple(keys)
        return SeatCursor(self._seat, replace(self._find, sort=sort))

    def limit(self, most: int) -> SeatCursor:
        """As in PyMongo."""
        return SeatCursor(self._seat, replace(self._find, limit=most))

    async def to_list(self, length: int | None = None) -> list[Document]:
        """As in PyMongo."""
        rows = await self._seat.find(self._find)
        return rows if length is None else rows[:length]

    async def __aiter__(self) -> AsyncIterator[Document]:
        for row in await self.to_list():
            yield row
