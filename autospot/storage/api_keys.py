"""`api_keys`: keys for machines, stored under the hash of their secret."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from pymongo import ASCENDING

from autospot.domain.access import Scope
from autospot.domain.accounts.api_key import ApiKey
from autospot.storage.mongo import Database, Document, Index, Session
from autospot.storage.outages import answering

INDEXES = (
    Index("api_keys", [("secret_hash", ASCENDING)], {"unique": True}),
    Index("api_keys", [("lots", ASCENDING)]),
)


class ApiKeys:
    """Reads and writes `api_keys`."""

    def __init__(self, database: Database) -> None:
        self._keys = database.collection("api_keys")

    async def add(self, key: ApiKey, secret_hash: bytes, *, session: Session) -> None:
        row = {
            "_id": key.id,
            "secret_hash": secret_hash,
            "name": key.name,
            "owner": key.owner,
            "scopes": sorted(key.scopes),
            "lots": sorted(key.lots),
            "created_at": key.created_at,
            "expires_at": key.expires_at,
        }
        await self._keys.insert_one(row, session=session)

    async def find_by_secret(self, secret_hash: bytes) -> ApiKey | None:
        with answering():
            row = await self._keys.find_one({"secret_hash": secret_hash})
        return None if row is None else _key(row)

    async def of_lots(self, lots: Collection[str] | None, most: int) -> Sequence[ApiKey]:
        """Keys whose lots are all among `lots` (None: every key), oldest first."""
        wanted = {} if lots is None else {"lots": {"$not": {"$elemMatch": {"$nin": list(lots)}}}}
        with answering():
            cursor = self._keys.find(wanted).sort("created_at", ASCENDING).limit(most)
            return [_key(row) async for row in cursor]

    async def find(self, key_id: str, lots: Collection[str] | None, *, session: Session | None = None) -> ApiKey | None:
        """The key, if all its lots are among `lots` (None: any)."""
        wanted: Document = {"_id": key_id}
        if lots is not None:
            wanted["lots"] = {"$not": {"$elemMatch": {"$nin": list(lots)}}}
        with answering(session):
            row = await self._keys.find_one(wanted, session=session)
        return None if row is None else _key(row)

    async def revoke(self, key_id: str, now: datetime, *, session: Session) -> bool:
        """Ends a key; False if it was ended before."""
        result = await self._keys.update_one(
            {"_id": key_id, "revoked_at": {"$exists": False}}, {"$set": {"revoked_at": now}}, session=session
        )
        return bool(result.modified_count)

    async def revoke_all(self, owner: str, now: datetime, *, session: Session) -> None:
        """Ends every key that this person made."""
        await self._keys.update_many(
            {"owner": owner, "revoked_at": {"$exists": False}}, {"$set": {"revoked_at": now}}, session=session
        )

    async def count_live(self, owner: str, now: datetime, *, session: Session) -> int:
        return await self._keys.count_documents(
            {"owner": owner, "revoked_at": {"$exists": False}, "expires_at": {"$gt": now}}, session=session
        )

    async def used(self, key_id: str, now: datetime) -> None:
        with answering():
            await self._keys.update_one({"_id": key_id}, {"$set": {"last_used_at": now}})


def _key(row: Document) -> ApiKey:
    return ApiKey(
        id=row["_id"],
        name=row["name"],
        owner=row["owner"],
        scopes=frozenset(Scope(scope) for scope in row["scopes"]),
        lots=frozenset(row["lots"]),
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        last_used_at=row.get("last_used_at"),
        revoked_at=row.get("revoked_at"),
    )
