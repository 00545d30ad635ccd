"""One-time codes that are out: `codes`. Stored as keyed hashes; a guess takes its try before it is looked at."""

from __future__ import annotations

from datetime import datetime

from pymongo import ASCENDING

from autospot.domain.accounts.one_time_code import CODE_LIFETIME, CODE_TRIES, CodePurpose, IssuedCode
from autospot.storage.mongo import Database, Index, Session
from autospot.storage.outages import answering

INDEXES = (Index("codes", [("expires_at", ASCENDING)], {"expireAfterSeconds": 0}),)


class Codes:
    """Reads and writes `codes`. `subject` is what a code opens: a registration, or the keyed hash of an address."""

    def __init__(self, database: Database) -> None:
        self._codes = database.collection("codes")

    async def issue(
        self, purpose: CodePurpose, subject: str, code_hash: bytes, now: datetime, *, session: Session
    ) -> None:
        """Makes a code the one of `subject`; an earlier one is void from here on."""
        row = {
            "_id": _id(purpose, subject),
            "code_hash": code_hash,
            "tries_left": CODE_TRIES,
            "expires_at": now + CODE_LIFETIME,
        }
        await self._codes.replace_one({"_id": row["_id"]}, row, upsert=True, session=session)

    async def take_try(self, purpose: CodePurpose, subject: str, now: datetime) -> IssuedCode | None:
        """Takes one try and returns the code as it was before; None if there is none with a try left.

        The try is gone before anybody compares: a thousand guesses at once still are five.
        """
        usable = {"_id": _id(purpose, subject), "tries_left": {"$gt": 0}, "expires_at": {"$gt": now}}
        with answering():
            row = await self._codes.find_one_and_update(usable, {"$inc": {"tries_left": -1}})
        return None if row is None else IssuedCode(bytes(row["code_hash"]), row["expires_at"], row["tries_left"])

    async def use(self, purpose: CodePurpose, subject: str, code_hash: bytes, *, session: Session) -> bool:
        """Uses the code up; False if it is no longer there: used a moment ago, or replaced by a newer one."""
        result = await self._codes.delete_one({"_id": _id(purpose, subject), "code_hash": code_hash}, session=session)
        return bool(result.deleted_count)


def _id(purpose: CodePurpose, subject: str) -> str:
    return f"{purpose}:{subject}"
