"""What a new password means, however it came: stored, other sign-ins ended, noted, and its owner told."""

from __future__ import annotations

from datetime import datetime

from autospot.domain.accounts.account import Account
from autospot.domain.audit import Actor
from autospot.domain.errors import NotFound
from autospot.domain.mail import Mail
from autospot.services.audit import Audit
from autospot.services.postman import Postman
from autospot.storage.accounts import Accounts
from autospot.storage.mongo import Session
from autospot.storage.tokens import Families


class NewPasswords:
    """Stores passwords that were checked, hashed and permitted by who calls."""

    def __init__(self, accounts: Accounts, families: Families, postman: Postman, audit: Audit) -> None:
        self._accounts = accounts
        self._families = families
        self._postman = postman
        self._audit = audit

    async def store(
        self,
        session: Session,
        account: Account,
        password_hash: str,
        actor: Actor,
        now: datetime,
        *,
        keep_family: str | None,
    ) -> Account:
        """Sets the password within a transaction and returns the account after it. `keep_family` stays signed in."""
        changed = await self._accounts.change(account.id, None, {"password_hash": password_hash}, session=session)
        if changed is None:
            raise NotFound("there is no such account")
        await self._families.revoke_all(account.id, "password_changed", now, but=keep_family, session=session)
        await self._audit.record(session, actor, "account.password_changed", account.id, now)
        but = " except the one you changed it on" if keep_family else ""
        mail = Mail("password_changed", account.email, {"at": f"{now:%Y-%m-%d %H:%M} UTC", "but": but})
        await self._postman.post(mail, f"password:{account.id}:{changed.version}", now, session=session)
        return changed
