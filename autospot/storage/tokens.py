"""Sign-ins and what keeps them alive: `families` and `refresh_tokens`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pymongo import ASCENDING
from pymongo.errors import DuplicateKeyError

from autospot.domain.accounts.sign_in import Family, RefreshToken, RevokedBecause
from autospot.storage.mongo import Database, Document, Index, Session
from autospot.storage.outages import answering

INDEXES = (
    Index("families", [("account_id", ASCENDING), ("began_at", ASCENDING)]),
    Index("families", [("revoked_at", ASCENDING)], {"partialFilterExpression": {"revoked_at": {"$exists": True}}}),
    Index("families", [("ends_at", ASCENDING)], {"expireAfterSeconds": 24 * 3600}),
    Index("refresh_tokens", [("expires_at", ASCENDING)], {"expireAfterSeconds": 0}),
)


class Families:
    """Reads and writes `families`."""

    def __init__(self, database: Database) -> None:
        self._families = database.collection("families")

    async def add(self, family: Family, *, session: Session | None = None) -> None:
        row = {
            "_id": family.id,
            "account_id": family.account_id,
            "client": family.client,
            "began_at": family.began_at,
            "ends_at": family.ends_at,
        }
        with answering(session):
            await self._families.insert_one(row, session=session)

    async def find(self, family_id: str) -> Family | None:
        with answering():
            row = await self._families.find_one({"_id": family_id})
        return None if row is None else _family(row)

    async def live(self, account_id: str, now: datetime) -> Sequence[Family]:
        """The account's sign-ins that have not ended, oldest first."""
        wanted = {"account_id": account_id, "revoked_at": {"$exists": False}, "ends_at": {"$gt": now}}
        with answering():
            return [_family(row) async for row in self._families.find(wanted).sort("began_at", ASCENDING)]

    async def revoke(
        self, family_id: str, because: RevokedBecause, now: datetime, *, session: Session | None = None
    ) -> None:
        """Ends one sign-in; nothing if it has ended. Every process hears of it (`storage/signals.py`)."""
        await self._revoke({"_id": family_id}, because, now, session)

    async def revoke_all(
        self,
        account_id: str,
        because: RevokedBecause,
        now: datetime,
        *,
        but: str | None = None,
        session: Session | None = None,
    ) -> None:
        """Ends every sign-in of an account except `but`."""
        await self._revoke({"account_id": account_id, "_id": {"$ne": but}}, because, now, session)

    async def revoked_since(self, since: datetime) -> Mapping[str, datetime]:
        """When each of the sign-ins that were ended since then was ended."""
        with answering():
            cursor = self._families.find({"revoked_at": {"$gte": since}}, {"revoked_at": 1})
            return {row["_id"]: row["revoked_at"] async for row in cursor}

    async def erase(self, account_id: str, *, session: Session) -> None:
        """Forgets what the devices of an account called themselves; the bare ends stay, to keep tokens out."""
        await self._families.update_many({"account_id": account_id}, {"$set": {"client": ""}}, session=session)

    async def _revoke(
        self, wanted: Mapping[str, Any], because: RevokedBecause, now: datetime, session: Session | None
    ) -> None:
        with answering(session):
            await self._families.update_many(
                {**wanted, "revoked_at": {"$exists": False}},
                {"$set": {"revoked_at": now, "revoked_because": because}},
                session=session,
            )


class RefreshTokens:
    """Reads and writes `refresh_tokens`, whose ids are hashes of tokens."""

    def __init__(self, database: Database) -> None:
        self._tokens = database.collection("refresh_tokens")

    async def add(self, token: RefreshToken) -> None:
        """Stores a token; nothing if it is there: a successor is made again when its predecessor is repeated."""
        row = {"_id": token.token_hash, "family_id": token.family_id, "expires_at": token.expires_at}
        try:
            with answering():
                await self._tokens.insert_one(row)
        except DuplicateKeyError:
            return

    async def find(self, token_hash: bytes) -> RefreshToken | None:
        with answering():
            row = await self._tokens.find_one({"_id": token_hash})
        if row is None:
            return None
        return RefreshToken(bytes(row["_id"]), row["family_id"], row["expires_at"], row.get("used_at"))

    async def mark_used(self, token_hash: bytes, now: datetime) -> None:
        """Notes the first use; later ones change nothing."""
        with answering():
            await self._tokens.update_one(
                {"_id": token_hash, "used_at": {"$exists": False}}, {"$set": {"used_at": now}}
            )


def _family(row: Document) -> Family:
    return Family(
        id=row["_id"],
        account_id=row["account_id"],
        client=row["client"],
        began_at=row["began_at"],
        ends_at=row["ends_at"],
        revoked_at=row.get("revoked_at"),
        revoked_because=row.get("revoked_because"),
    )
