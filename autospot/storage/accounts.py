"""`accounts` and `registrations`: who there is, and who has asked to be."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pymongo import ASCENDING, ReturnDocument
from pymongo.errors import DuplicateKeyError

from autospot.domain.access import Role
from autospot.domain.accounts.account import Account, AccountState, Credentials, email_key
from autospot.domain.errors import Conflict
from autospot.storage.mongo import Database, Document, Index, Session
from autospot.storage.outages import answering

REGISTRATION_LIFETIME = timedelta(hours=1)

INDEXES = (
    # A closed account has no address any more: hence partial.
    Index(
        "accounts",
        [("email_key", ASCENDING)],
        {"unique": True, "partialFilterExpression": {"email_key": {"$exists": True}}},
    ),
    Index("accounts", [("roles", ASCENDING)]),
    Index("registrations", [("forget_at", ASCENDING)], {"expireAfterSeconds": 0}),
)


@dataclass(frozen=True, slots=True)
class Registration:
    """Somebody who says that an address is his: no account until the code sent there comes back with this id."""

    id: str
    email: str
    name: str
    language: str
    password_hash: str
    at: datetime


class Accounts:
    """Reads and writes `accounts`."""

    def __init__(self, database: Database) -> None:
        self._accounts = database.collection("accounts")

    async def add(self, account: Account, password_hash: str, *, session: Session) -> None:
        """Stores a new account; `Conflict` (code `email_taken`) if its address has one already."""
        try:
            await self._accounts.insert_one(_row(account, password_hash), session=session)
        except DuplicateKeyError:
            raise Conflict("this address has an account", code="email_taken") from None

    async def find(self, account_id: str, *, session: Session | None = None) -> Account | None:
        """The account with this id, closed ones included."""
        with answering(session):
            row = await self._accounts.find_one({"_id": account_id}, session=session)
        return None if row is None else _account(row)

    async def find_by_email(self, email: str, *, session: Session | None = None) -> Account | None:
        """The account with this address."""
        with answering(session):
            row = await self._accounts.find_one({"email_key": email_key(email)}, session=session)
        return None if row is None else _account(row)

    async def credentials_by_email(self, email: str) -> Credentials | None:
        """What sign-in needs to know of this address."""
        with answering():
            row = await self._accounts.find_one({"email_key": email_key(email)})
        return None if row is None else Credentials(_account(row), row["password_hash"])

    async def credentials(self, account_id: str) -> Credentials | None:
        """The same for a person who is signed in."""
        with answering():
            row = await self._accounts.find_one({"_id": account_id, "password_hash": {"$exists": True}})
        return None if row is None else Credentials(_account(row), row["password_hash"])

    async def change(
        self, account_id: str, version: int | None, fields: Mapping[str, Any], *, session: Session
    ) -> Account | None:
        """Sets `fields` and returns the account after it; None if there is none of this id and (unless None) version.

        `password_hash` is a field like any other here.
        """
        wanted: Document = {"_id": account_id, "state": {"$ne": "closed"}}
        if version is not None:
            wanted["version"] = version
        row = await self._accounts.find_one_and_update(
            wanted,
            {"$set": _stored(fields), "$inc": {"version": 1}},
            return_document=ReturnDocument.AFTER,
            session=session,
        )
        return None if row is None else _account(row)

    async def replace_hash(self, account_id: str, old_hash: str, new_hash: str) -> None:
        """Stores the same password hashed at today's cost, unless it was changed meanwhile."""
        with answering():
            await self._accounts.update_one(
                {"_id": account_id, "password_hash": old_hash}, {"$set": {"password_hash": new_hash}}
            )

    async def erase(self, account_id: str, now: datetime, *, session: Session) -> bool:
        """Closes the account and keeps nothing but its id and its dates. False if it was closed before."""
        result = await self._accounts.update_one(
            {"_id": account_id, "state": {"$ne": "closed"}},
            {
                "$set": {"state": "closed", "closed_at": now, "roles": [], "lots": []},
                "$unset": {"email": "", "email_key": "", "name": "", "language": "", "password_hash": ""},
                "$inc": {"version": 1},
            },
            session=session,
        )
        return bool(result.modified_count)

    async def staff(self) -> AsyncIterator[Account]:
        """Everybody who is more than a driver, by address."""
        roles = [role.value for role in Role if role is not Role.DRIVER]
        with answering():
            async for row in self._accounts.find({"roles": {"$in": roles}}).sort("email_key", ASCENDING):
                yield _account(row)


class Registrations:
    """Reads and writes `registrations`."""

    def __init__(self, database: Database) -> None:
        self._registrations = database.collection("registrations")

    async def add(self, registration: Registration, *, session: Session) -> None:
        row = {
            "_id": registration.id,
            "email": registration.email,
            "name": registration.name,
            "language": registration.language,
            "password_hash": registration.password_hash,
            "at": registration.at,
            "forget_at": registration.at + REGISTRATION_LIFETIME,
        }
        await self._registrations.insert_one(row, session=session)

    async def find(self, registration_id: str, *, session: Session | None = None) -> Registration | None:
        with answering(session):
            row = await self._registrations.find_one({"_id": registration_id}, session=session)
        if row is None:
            return None
        return Registration(row["_id"], row["email"], row["name"], row["language"], row["password_hash"], row["at"])

    async def remove(self, registration_id: str, *, session: Session) -> None:
        await self._registrations.delete_one({"_id": registration_id}, session=session)


def _row(account: Account, password_hash: str) -> Document:
    return {
        "_id": account.id,
        "email": account.email,
        "email_key": email_key(account.email),
        "name": account.name,
        "language": account.language,
        "roles": sorted(account.roles),
        "lots": sorted(account.lots),
        "state": account.state,
        "created_at": account.created_at,
        "version": account.version,
        "password_hash": password_hash,
    }


def _stored(fields: Mapping[str, Any]) -> Document:
    return {name: sorted(value) if isinstance(value, frozenset) else value for name, value in fields.items()}


def _account(row: Document) -> Account:
    state: AccountState = row["state"]
    return Account(
        id=row["_id"],
        email=row.get("email", ""),
        name=row.get("name", ""),
        language=row.get("language", "en"),
        roles=frozenset(Role(role) for role in row["roles"]),
        lots=frozenset(row["lots"]),
        state=state,
        created_at=row["created_at"],
        version=row["version"],
    )
