"""`lots`: one document per lot, the whole of what its operator describes. Its `version` counts the layout's changes.

Document: the lot as in a lot file, with `_id` its code, `version`, and `changed` (when this version was stored).

`sensors`: one document per sensor that is known by its id alone, `{_id: sensor, lot, bay}`: its key is what keeps a
sensor from watching two bays, in whatever lots and imports. `Bay.registered_sensor` says which sensors those are.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from pydantic import TypeAdapter
from pymongo.errors import BulkWriteError, DuplicateKeyError, PyMongoError

from autospot.domain.change import FeedEntry
from autospot.domain.errors import Conflict, NotFound, Unavailable
from autospot.domain.instant import to_ms
from autospot.domain.lot import Lot
from autospot.storage.feed import Feed
from autospot.storage.mongo import Database, Document, Index, Session, translated

INDEXES: tuple[Index, ...] = (Index("sensors", [("lot", 1)]),)

WRITER = "registry"

FIRST_IMPORTS = 3
"""How often a lot is tried that another import is storing for the first time at the same moment."""

_lot: TypeAdapter[Lot] = TypeAdapter(Lot)


@dataclass(frozen=True, slots=True)
class StoredLot:
    """A lot and the instant at which its present version was stored."""

    lot: Lot
    changed: datetime


@dataclass(frozen=True, slots=True)
class StoredSensor:
    """Which bay a sensor watches."""

    sensor: str
    lot: str
    bay: str


@dataclass(frozen=True, slots=True)
class Saved:
    """What storing a lot came to: the version in force, and the codes of bays it has gained and lost by it."""

    lot: str
    outcome: Literal["added", "changed", "unchanged"]
    version: int
    bays: int
    added_bays: tuple[str, ...] = ()
    removed_bays: tuple[str, ...] = ()


class Lots:
    """Reads lots, and stores them together with the feed entry that tells every running process."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._collection = database.collection("lots")
        self._sensors = database.collection("sensors")
        self._feed = Feed(database)

    async def load(self, code: str) -> StoredLot | None:
        """The lot of that code, None if there is none."""
        try:
            document = await self._collection.find_one({"_id": code})
        except PyMongoError as error:
            raise translated(error) from error
        return None if document is None else _decode(document)

    async def load_all(self) -> AsyncIterator[StoredLot]:
        """Every lot, by code, a batch of documents at a time."""
        try:
            async for document in self._collection.find().sort("_id", 1):
                yield _decode(document)
        except PyMongoError as error:
            raise translated(error) from error

    async def find_sensor(self, sensor: str) -> StoredSensor | None:
        """The bay that the sensor of this id watches, None if no lot names it."""
        try:
            document = await self._sensors.find_one({"_id": sensor})
        except PyMongoError as error:
            raise translated(error) from error
        return None if document is None else StoredSensor(document["_id"], document["lot"], document["bay"])

    async def save(self, lot: Lot, now: datetime) -> int:
        """As `put`; returns the version in force."""
        return (await self.put(lot, now)).version

    async def put(self, lot: Lot, now: datetime) -> Saved:
        """Stores `lot` as its next version and announces it, in one transaction; nothing if it says nothing new.

        `lot.version` is ignored. `Conflict` if one of its sensors watches a bay of another lot.
        """
        for _ in range(FIRST_IMPORTS):
            try:
                return await self._database.transaction(lambda session: self._store(lot, now, session))
            except (DuplicateKeyError, BulkWriteError):
                continue  # somebody else stored this lot, or took one of its sensors, a moment ago: look again
        raise Unavailable(f"lot {lot.lot!r} is being stored by others all the time")

    async def edit(self, session: Session, code: str, edit: Callable[[Lot], Lot], now: datetime) -> tuple[Lot, Lot]:
        """Stores what `edit` makes of a lot, as `put` does, as part of `session`'s transaction. Returns the lot before
        and after; `NotFound` if there is none."""
        document = await self._collection.find_one({"_id": code}, session=session)
        if document is None:
            raise NotFound("there is no such lot")
        before = _decode(document).lot
        after = edit(before)
        await self._store(after, now, session)
        return before, after

    async def _store(self, lot: Lot, now: datetime, session: Session) -> Saved:
        before = await self._collection.find_one({"_id": lot.lot}, session=session)
        content = _lot.dump_python(lot, mode="json", exclude={"version"}, exclude_defaults=True)
        if before is not None and _content(before) == content:
            return Saved(lot.lot, "unchanged", int(before["version"]), len(lot.bays))
        version = 1 if before is None else int(before["version"]) + 1
        document = {"_id": lot.lot, **content, "version": version, "changed": now}
        if before is None:
            await self._collection.insert_one(document, session=session)
        else:
            await self._collection.replace_one({"_id": lot.lot}, document, session=session)
        await self._store_sensors(lot, session)
        await self._feed.append(FeedEntry(WRITER, layouts={lot.lot: version}), to_ms(now), session=session)
        return _saved(lot, version, before)

    async def _store_sensors(self, lot: Lot, session: Session) -> None:
        wanted = {sensor.id: bay.bay for bay in lot.bays if (sensor := bay.registered_sensor) is not None}
        held = {row["_id"]: row["bay"] async for row in self._sensors.find({"lot": lot.lot}, session=session)}
        stale = [sensor for sensor, bay in held.items() if wanted.get(sensor) != bay]
        fresh = [sensor for sensor, bay in wanted.items() if held.get(sensor) != bay]
        taken = await self._sensors.find_one({"_id": {"$in": fresh}, "lot": {"$ne": lot.lot}}, session=session)
        if taken is not None:
            where = f"bay {taken['bay']!r} of lot {taken['lot']!r}"
            raise Conflict(f"sensor {taken['_id']!r} watches {where} already", code="sensor_taken")
        if stale:
            await self._sensors.delete_many({"_id": {"$in": stale}}, session=session)
        if fresh:
            rows = [{"_id": sensor, "lot": lot.lot, "bay": wanted[sensor]} for sensor in fresh]
            await self._sensors.insert_many(rows, ordered=False, session=session)


def _saved(lot: Lot, version: int, before: Document | None) -> Saved:
    codes = [bay.bay for bay in lot.bays]
    old = [] if before is None else [bay["bay"] for bay in before["bays"]]
    known, wanted = set(old), set(codes)
    return Saved(
        lot.lot,
        "added" if before is None else "changed",
        version,
        len(codes),
        tuple(code for code in codes if code not in known),
        tuple(code for code in old if code not in wanted),
    )


def _content(document: Document) -> dict[str, Any]:
    return {key: value for key, value in document.items() if key not in ("_id", "version", "changed")}


def _decode(document: Document) -> StoredLot:
    return StoredLot(_lot.validate_python(_content(document) | {"version": document["version"]}), document["changed"])
