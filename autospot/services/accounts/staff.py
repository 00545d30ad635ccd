"""Who works with AutoSpot, and as what: accounts made by hand, roles, suspension."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping
from datetime import datetime
from typing import Any

from autospot.clock import Clock
from autospot.domain.access import Role
from autospot.domain.accounts.account import LOTS_PER_PERSON, Account, AccountStep, after
from autospot.domain.accounts.password import check_password
from autospot.domain.accounts.sign_in import RevokedBecause
from autospot.domain.audit import Actor
from autospot.domain.errors import InvalidInput, NotFound
from autospot.domain.ids import new_id
from autospot.services.audit import Audit
from autospot.services.passwords import Passwords
from autospot.storage.accounts import Accounts
from autospot.storage.api_keys import ApiKeys
from autospot.storage.mongo import Database, Session
from autospot.storage.tokens import Families


class Staff:
    """Makes and changes the accounts of people who work here. Every change ends that person's sign-ins and API keys:
    what they were told they may do is no longer true."""

    def __init__(
        self,
        database: Database,
        accounts: Accounts,
        families: Families,
        api_keys: ApiKeys,
        passwords: Passwords,
        audit: Audit,
        clock: Clock,
    ) -> None:
        self._database = database
        self._accounts = accounts
        self._families = families
        self._api_keys = api_keys
        self._passwords = passwords
        self._audit = audit
        self._clock = clock

    def all(self) -> AsyncIterator[Account]:
        """Everybody who is more than a driver."""
        return self._accounts.staff()

    async def add(
        self, email: str, password: str, *, name: str, roles: Collection[Role], lots: Collection[str], actor: Actor
    ) -> Account:
        """An account whose address needs no proof, since somebody with access to this machine vouches for it.

        `Conflict` (code `email_taken`), `InvalidInput` (codes `weak_password`, `bad_roles`).
        """
        _check(roles, lots)
        text, now = check_password(password, email=email), self._clock.now()
        account = Account(
            new_id("usr"), email, name, "en", frozenset(roles), frozenset(lots), "active", created_at=now, version=1
        )
        hashed = await self._passwords.hash(text)

        async def work(session: Session) -> None:
            await self._accounts.add(account, hashed, session=session)
            await self._audit.record(session, actor, "account.made", account.id, now, after=_roles(account))

        await self._database.transaction(work)
        return account

    async def grant(self, email: str, *, roles: Collection[Role], lots: Collection[str], actor: Actor) -> Account:
        """Sets the roles and lots of an account. `NotFound`, `InvalidInput` (code `bad_roles`)."""
        _check(roles, lots)
        fields = {"roles": frozenset(roles), "lots": frozenset(lots)}
        return await self._change(email, fields, "account.roles_changed", "roles_changed", actor)

    async def step(self, email: str, step: AccountStep, actor: Actor) -> Account:
        """Suspends or restores an account. `NotFound`, `Conflict` (code `account_state`)."""
        account = await self._required(email)
        fields = {"state": after(account.state, step)}
        return await self._change(email, fields, f"account.{step}", "suspended", actor)

    async def _change(
        self, email: str, fields: Mapping[str, Any], action: str, because: RevokedBecause, actor: Actor
    ) -> Account:
        before, now = await self._required(email), self._clock.now()

        async def work(session: Session) -> Account:
            changed = await self._accounts.change(before.id, None, fields, session=session)
            if changed is None:
                raise _no_such_account()
            await self._end_identities(session, before.id, because, now)
            await self._audit.record(
                session, actor, action, before.id, now, before=_roles(before), after=_roles(changed)
            )
            return changed

        return await self._database.transaction(work)

    async def _end_identities(self, session: Session, account_id: str, because: RevokedBecause, now: datetime) -> None:
        await self._families.revoke_all(account_id, because, now, session=session)
        await self._api_keys.revoke_all(account_id, now, session=session)

    async def _required(self, email: str) -> Account:
        account = await self._accounts.find_by_email(email)
        if account is None:
            raise _no_such_account()
        return account


def _check(roles: Collection[Role], lots: Collection[str]) -> None:
    if not roles:
        raise InvalidInput("an account has at least one role", at="/roles", code="bad_roles")
    if lots and not {Role.ATTENDANT, Role.OPERATOR}.intersection(roles):
        raise InvalidInput("only attendants and operators belong to lots", at="/lots", code="bad_roles")
    if len(lots) > LOTS_PER_PERSON:
        raise InvalidInput(f"one person works for at most {LOTS_PER_PERSON} lots", at="/lots", code="bad_roles")


def _roles(account: Account) -> Mapping[str, Any]:
    return {"roles": sorted(account.roles), "lots": sorted(account.lots), "state": account.state}


def _no_such_account() -> NotFound:
    return NotFound("there is no account with this address")
