"""One's own profile: looking at it, changing it, changing the password."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from autospot.clock import Clock
from autospot.domain.access import Principal
from autospot.domain.accounts.account import Account
from autospot.domain.accounts.password import check_password, normalised_password
from autospot.domain.audit import actor_of
from autospot.domain.errors import InvalidInput, NotFound, PreconditionFailed
from autospot.services.accounts.password_change import NewPasswords
from autospot.services.accounts.sign_in import SignIn
from autospot.services.audit import Audit
from autospot.services.passwords import Passwords
from autospot.storage.accounts import Accounts
from autospot.storage.mongo import Database, Session


class Profiles:
    """What a person may see and change of himself."""

    def __init__(
        self,
        database: Database,
        accounts: Accounts,
        passwords: Passwords,
        sign_in: SignIn,
        new_passwords: NewPasswords,
        audit: Audit,
        clock: Clock,
    ) -> None:
        self._database = database
        self._accounts = accounts
        self._passwords = passwords
        self._sign_in = sign_in
        self._new_passwords = new_passwords
        self._audit = audit
        self._clock = clock

    async def get(self, principal: Principal) -> Account:
        """The caller's own account; `NotFound` if it was closed."""
        account = await self._accounts.find(principal.user_id)
        if account is None or account.state == "closed":
            raise NotFound("there is no such account")
        return account

    async def change(
        self,
        principal: Principal,
        fields: Mapping[str, str],
        *,
        versions: Collection[int] | None,
        request_id: str,
    ) -> Account:
        """Sets `name` and `language` as given. `PreconditionFailed` unless it has one of `versions` (None: any)."""
        now = self._clock.now()

        async def work(session: Session) -> Account:
            before = await self._own(principal, versions, session)
            if not fields:
                return before
            after = await self._accounts.change(before.id, before.version, fields, session=session)
            if after is None:
                raise changed_meanwhile()
            old = {name: getattr(before, name) for name in fields}
            actor = actor_of(principal, request_id)
            await self._audit.record(session, actor, "account.changed", before.id, now, before=old, after=fields)
            return after

        return await self._database.transaction(work)

    async def change_password(
        self,
        principal: Principal,
        current: str,
        new: str,
        *,
        versions: Collection[int] | None,
        place: str,
        request_id: str,
    ) -> Account:
        """Sets a new password and signs out every other device. `InvalidInput` (code `wrong_password`) if `current` is
        not the present one; tries count like those of a sign-in."""
        account, now = await self.get(principal), self._clock.now()
        text = check_password(new, email=account.email, at="/new_password")
        await self._sign_in.count_try(account.email, place, now)
        known = await self._accounts.credentials(account.id)
        if known is None or not await self._passwords.verify(known.password_hash, normalised_password(current)):
            raise InvalidInput("this is not your present password", at="/current_password", code="wrong_password")
        hashed = await self._passwords.hash(text)

        async def work(session: Session) -> Account:
            own = await self._own(principal, versions, session)
            actor, family = actor_of(principal, request_id), principal.session_id
            return await self._new_passwords.store(session, own, hashed, actor, now, keep_family=family)

        return await self._database.transaction(work)

    async def _own(self, principal: Principal, versions: Collection[int] | None, session: Session) -> Account:
        account = await self._accounts.find(principal.user_id, session=session)
        if account is None or account.state == "closed":
            raise NotFound("there is no such account")
        if versions is not None and account.version not in versions:
            raise changed_meanwhile()
        return account


def changed_meanwhile() -> PreconditionFailed:
    return PreconditionFailed("it was changed since you read it: read it again, then decide")
