"""`lots`: one document per lot, the whole of what its operator describes. Its `version` counts the layout's changes.

Document: the lot as in a lot file, with `_id` its code, `version`, and `changed` (when this version was stored).
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter
from pymongo.errors import PyMongoError

from autospot.domain.change import FeedEntry
from autospot.domain.instant import to_ms
from autospot.domain.lot import Lot
from autospot.storage.feed import Feed
from autospot.storage.mongo import Database, Document, Index, Session, translated

INDEXES: tuple[Index, ...] = (Index("lots", [("bays.sensor.id", 1)], {"sparse": True}),)

WRITER = "registry"

_lot: TypeAdapter[Lot] = TypeAdapter(Lot)


@dataclass(frozen=True, slots=True)
class StoredLot:
    """A lot and the instant at which its present version was stored."""

    lot: Lot
    changed: datetime


class Lots:
    """Reads lots, and stores them together with the feed entry that tells every running process."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._collection = database.collection("lots")
        self._feed = Feed(database)

    async def load(self, code: str) -> StoredLot | None:
        """The lot of that code, None if there is none."""
        try:
            document = await self._collection.find_one({"_id": code})
        except PyMongoError as error:
            raise translated(error) from error
        return None if document is None else _decode(document)

    async def load_all(self) -> AsyncIterator[StoredLot]:
        """Every lot, by code."""
        try:
            async for document in self._collection.find().sort("_id", 1):
                yield _decode(document)
        except PyMongoError as error:
            raise translated(error) from error

    async def save(self, lot: Lot, now: datetime) -> int:
        """Stores `lot` as its next version and announces it, in one transaction. Returns the version in force: the
        old one where nothing changed."""

        async def store(session: Session) -> int:
            before = await self._collection.find_one({"_id": lot.lot}, session=session)
            content = _lot.dump_python(lot, mode="json", exclude={"version"}, exclude_defaults=True)
            if before is not None and _content(before) == content:
                return int(before["version"])
            version = 1 if before is None else int(before["version"]) + 1
            document = {**content, "version": version, "changed": now}
            await self._collection.replace_one({"_id": lot.lot}, document, upsert=True, session=session)
            await self._feed.append(FeedEntry(WRITER, layouts={lot.lot: version}), to_ms(now), session=session)
            return version

        return await self._database.transaction(store)


def _content(document: Document) -> dict[str, Any]:
    return {key: value for key, value in document.items() if key not in ("_id", "version", "changed")}


def _decode(document: Document) -> StoredLot:
    return StoredLot(_lot.validate_python(_content(document) | {"version": document["version"]}), document["changed"])
