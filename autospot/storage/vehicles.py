"""`vehicles`: plates as their owners entered them, sealed; matched by keyed hash.

Sealing and hashing are not done here: a row holds a sealed text and a hash, and this module opens neither.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pymongo import ASCENDING, ReturnDocument
from pymongo.errors import DuplicateKeyError

from autospot.domain.errors import Conflict
from autospot.storage.mongo import Database, Document, Index, Session
from autospot.storage.outages import answering

INDEXES = (
    Index(
        "vehicles",
        [("owner", ASCENDING), ("plate_hash", ASCENDING)],
        {"unique": True, "partialFilterExpression": {"listed": True}},
    ),
    Index("vehicles", [("plate_hash", ASCENDING)]),
    Index("vehicles", [("key_id", ASCENDING)]),
)


@dataclass(frozen=True, slots=True)
class SealedVehicle:
    """A vehicle as stored. `key_id` names the secret that sealed and hashed its plate."""

    id: str
    owner: str
    sealed_plate: str
    plate_hash: bytes
    key_id: str
    label: str
    added_at: datetime
    version: int
    last_parked_at: datetime | None = None


class Vehicles:
    """Reads and writes `vehicles`. Everything asked for with an owner is looked up by `{_id, owner}` in one query."""

    def __init__(self, database: Database) -> None:
        self._vehicles = database.collection("vehicles")

    async def add(self, vehicle: SealedVehicle, *, session: Session) -> None:
        """Stores a vehicle; `Conflict` (code `plate_taken`) if its owner has that plate already."""
        row = {
            "_id": vehicle.id,
            "owner": vehicle.owner,
            "sealed_plate": vehicle.sealed_plate,
            "plate_hash": vehicle.plate_hash,
            "key_id": vehicle.key_id,
            "label": vehicle.label,
            "added_at": vehicle.added_at,
            "version": vehicle.version,
            "listed": True,
        }
        try:
            await self._vehicles.insert_one(row, session=session)
        except DuplicateKeyError:
            raise plate_taken() from None

    async def find(self, vehicle_id: str, owner: str, *, session: Session | None = None) -> SealedVehicle | None:
        with answering(session):
            row = await self._vehicles.find_one({"_id": vehicle_id, "owner": owner, "listed": True}, session=session)
        return None if row is None else _vehicle(row)

    async def of_owner(self, owner: str, *, session: Session | None = None) -> Sequence[SealedVehicle]:
        """The owner's vehicles, oldest first: at most `VEHICLES_PER_ACCOUNT`."""
        with answering(session):
            cursor = self._vehicles.find({"owner": owner, "listed": True}, session=session).sort("added_at", ASCENDING)
            return [_vehicle(row) async for row in cursor]

    async def with_plate(self, hashes: Collection[bytes]) -> Sequence[SealedVehicle]:
        """Everybody's vehicles with one of these plate hashes: what a camera at the gate asks."""
        with answering():
            cursor = self._vehicles.find({"plate_hash": {"$in": list(hashes)}, "listed": True})
            return [_vehicle(row) async for row in cursor]

    async def change(
        self, vehicle_id: str, owner: str, version: int | None, fields: Mapping[str, Any], *, session: Session
    ) -> SealedVehicle | None:
        """Sets `fields`; None if the owner has no such vehicle of this version (None: of any)."""
        wanted: Document = {"_id": vehicle_id, "owner": owner, "listed": True}
        if version is not None:
            wanted["version"] = version
        try:
            row = await self._vehicles.find_one_and_update(
                wanted,
                {"$set": dict(fields), "$inc": {"version": 1}},
                return_document=ReturnDocument.AFTER,
                session=session,
            )
        except DuplicateKeyError:
            raise plate_taken() from None
        return None if row is None else _vehicle(row)

    async def parked(self, vehicle_id: str, until: datetime, *, session: Session | None = None) -> None:
        """Notes the end of a session: the plate is remembered for a while from then on."""
        with answering(session):
            await self._vehicles.update_one({"_id": vehicle_id}, {"$max": {"last_parked_at": until}}, session=session)

    async def unlist(self, vehicle_id: str, owner: str, *, session: Session) -> SealedVehicle | None:
        """Takes a vehicle off its owner's list; its plate stays until `erase`. None if the owner has no such one."""
        row = await self._vehicles.find_one_and_update(
            {"_id": vehicle_id, "owner": owner, "listed": True},
            {"$set": {"listed": False, "label": ""}},
            session=session,
        )
        return None if row is None else _vehicle(row)

    async def unlisted(self, vehicle_id: str, *, session: Session) -> SealedVehicle | None:
        """A vehicle that its owner has removed and that is not erased yet."""
        row = await self._vehicles.find_one({"_id": vehicle_id, "listed": False}, session=session)
        return None if row is None else _vehicle(row)

    async def erase(self, vehicle_id: str, *, session: Session) -> None:
        await self._vehicles.delete_one({"_id": vehicle_id, "listed": False}, session=session)

    async def sealed_by_others(self, key_id: str) -> AsyncIterator[SealedVehicle]:
        """Every vehicle that was sealed with another key than `key_id`."""
        with answering():
            async for row in self._vehicles.find({"key_id": {"$ne": key_id}}):
                yield _vehicle(row)

    async def reseal(self, old: SealedVehicle, new: SealedVehicle) -> None:
        """Replaces the sealed text and the hash, unless the vehicle changed meanwhile."""
        with answering():
            await self._vehicles.update_one(
                {"_id": old.id, "sealed_plate": old.sealed_plate},
                {"$set": {"sealed_plate": new.sealed_plate, "plate_hash": new.plate_hash, "key_id": new.key_id}},
            )


def plate_taken() -> Conflict:
    return Conflict("this plate is on your list already", code="plate_taken")


def _vehicle(row: Document) -> SealedVehicle:
    return SealedVehicle(
        id=row["_id"],
        owner=row["owner"],
        sealed_plate=row["sealed_plate"],
        plate_hash=bytes(row["plate_hash"]),
        key_id=row["key_id"],
        label=row["label"],
        added_at=row["added_at"],
        version=row["version"],
        last_parked_at=row.get("last_parked_at"),
    )
