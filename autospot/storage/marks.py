"""`marks`: small facts the programs leave for their next start: the epoch, and how far each projector has come."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from pymongo.errors import PyMongoError

from autospot.storage.mongo import Database, translated


class Marks:
    """Reads and writes the marks. Every method raises `Unavailable` in an outage."""

    def __init__(self, database: Database) -> None:
        self._collection = database.collection("marks")

    async def epoch(self) -> str:
        """The name of this history, made at the first call ever."""
        try:
            document = await self._collection.find_one_and_update(
                {"_id": "epoch"},
                {"$setOnInsert": {"epoch": _new_epoch()}},
                upsert=True,
                return_document=True,
            )
        except PyMongoError as error:
            raise translated(error) from error
        return str(document["epoch"])

    async def new_epoch(self, instead_of: str) -> str:
        """Begins a new history, unless somebody else already replaced `instead_of`. Returns the epoch in force."""
        try:
            await self._collection.update_one({"_id": "epoch", "epoch": instead_of}, {"$set": {"epoch": _new_epoch()}})
        except PyMongoError as error:
            raise translated(error) from error
        return await self.epoch()

    async def checkpoint(self, projector: str) -> int | None:
        """The position up to which `projector`'s documents are true; None if it never ran."""
        try:
            document = await self._collection.find_one({"_id": f"checkpoint/{projector}"})
        except PyMongoError as error:
            raise translated(error) from error
        return None if document is None else int(document["rev"])

    async def oldest_checkpoint(self, kind: str) -> int | None:
        """The least position of all projectors named `kind/…`; None if there is none."""
        try:
            documents = await self._collection.find(
                {"_id": {"$gte": f"checkpoint/{kind}/", "$lt": f"checkpoint/{kind}0"}}
            ).to_list(None)
        except PyMongoError as error:
            raise translated(error) from error
        return min((int(document["rev"]) for document in documents), default=None)

    async def retire(self, kind: str, names: Sequence[str]) -> bool:
        """Once every projector `kind/<name>` of `names` has a checkpoint, forgets those of an earlier division of the
        work. Returns whether it did: until then theirs still say where to replay from."""
        wanted = {f"checkpoint/{kind}/{name}" for name in names}
        try:
            known = {row["_id"] async for row in self._collection.find({"_id": {"$regex": f"^checkpoint/{kind}/"}})}
            if not wanted <= known:
                return False
            await self._collection.delete_many({"_id": {"$in": sorted(known - wanted)}})
        except PyMongoError as error:
            raise translated(error) from error
        return True

    async def set_checkpoint(self, projector: str, rev: int) -> None:
        """Moves `projector` on to `rev`; a checkpoint never goes back."""
        try:
            await self._collection.update_one({"_id": f"checkpoint/{projector}"}, {"$max": {"rev": rev}}, upsert=True)
        except PyMongoError as error:
            raise translated(error) from error


def _new_epoch() -> str:
    return secrets.token_hex(6)
