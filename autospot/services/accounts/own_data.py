"""One's own data: all of it in one document, or erased (GDPR articles 15, 17 and 20).

Other services know more of a person than this one. Each contributes through `export_section`, `objection` and
`erasure`, registered where the program is wired.

Erased: address, name, language, password, vehicles (their plates at the latest 30 days after they last parked), what
the devices called themselves, API keys. Kept, because law asks for it: invoices, transfers and the bookings they are
about, and the audit log. They hold the account's id, which from then on leads to nobody.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from autospot.clock import Clock
from autospot.domain.access import Principal
from autospot.domain.accounts.account import Account
from autospot.domain.accounts.sign_in import is_recent
from autospot.domain.audit import actor_of
from autospot.domain.errors import Conflict, Forbidden
from autospot.domain.instant import rfc3339
from autospot.domain.mail import Mail
from autospot.services.accounts.profile import Profiles
from autospot.services.accounts.vehicles import Garage
from autospot.services.audit import Audit
from autospot.services.postman import Postman
from autospot.storage.accounts import Accounts
from autospot.storage.api_keys import ApiKeys
from autospot.storage.mongo import Database, Session
from autospot.storage.tokens import Families

Section = Callable[[str], Awaitable[Sequence[Mapping[str, Any]]]]
"""The rows that a service holds of an account, as JSON."""
Objection = Callable[[str], Awaitable[str | None]]
"""Why an account cannot be closed yet, in words for its owner; None if it can."""
Erasure = Callable[[Session, str, datetime], Awaitable[None]]
"""What a service erases of an account, within the transaction that closes it."""


class OwnData:
    """Exports and erases what AutoSpot knows of a person."""

    def __init__(
        self,
        database: Database,
        accounts: Accounts,
        families: Families,
        api_keys: ApiKeys,
        profiles: Profiles,
        garage: Garage,
        postman: Postman,
        audit: Audit,
        clock: Clock,
    ) -> None:
        self._database = database
        self._accounts = accounts
        self._families = families
        self._api_keys = api_keys
        self._profiles = profiles
        self._garage = garage
        self._postman = postman
        self._audit = audit
        self._clock = clock
        self._sections: dict[str, Section] = {"vehicles": self._vehicles, "sign_ins": self._sign_ins}
        self._objections: list[Objection] = []
        self._erasures: list[Erasure] = []

    def export_section(self, name: str, section: Section) -> None:
        """Adds a part to every export."""
        self._sections[name] = section

    def objection(self, objection: Objection) -> None:
        """Adds a reason that may keep an account open, such as money in its wallet."""
        self._objections.append(objection)

    def erasure(self, erasure: Erasure) -> None:
        """Adds a step to every erasure."""
        self._erasures.append(erasure)

    async def export(self, principal: Principal) -> Mapping[str, Any]:
        """Everything known of the caller, as JSON values."""
        account = await self._profiles.get(principal)
        sections = {name: list(await section(account.id)) for name, section in sorted(self._sections.items())}
        return {"exported_at": rfc3339(self._clock.now()), "account": _account(account), **sections}

    async def erase(self, principal: Principal, request_id: str) -> None:
        """Closes the caller's account for good and erases what may be erased.

        `Forbidden` (code `sign_in_again`) unless the password was given in the last 15 minutes, so that a token left
        somewhere cannot do it; `Conflict` (code `account_in_use`) with the reason while something is open.
        """
        now = self._clock.now()
        account = await self._profiles.get(principal)
        await self._require_recent(principal, now)
        for objection in self._objections:
            if reason := await objection(account.id):
                raise Conflict(reason, code="account_in_use")

        async def work(session: Session) -> None:
            if not await self._accounts.erase(account.id, now, session=session):
                return
            await self._families.revoke_all(account.id, "closed", now, session=session)
            await self._families.erase(account.id, session=session)
            await self._api_keys.revoke_all(account.id, now, session=session)
            await self._garage.remove_all_within(session, account.id, now)
            for erasure in self._erasures:
                await erasure(session, account.id, now)
            await self._audit.record(session, actor_of(principal, request_id), "account.closed", account.id, now)
            mail = Mail("account_closed", account.email, {"at": f"{now:%Y-%m-%d %H:%M} UTC"})
            await self._postman.post(mail, f"closed:{account.id}", now, session=session)

        await self._database.transaction(work)

    async def _require_recent(self, principal: Principal, now: datetime) -> None:
        family = await self._families.find(principal.session_id) if principal.session_id else None
        if family is None or not is_recent(family, now):
            raise Forbidden("this needs your password: sign in again, then repeat it", code="sign_in_again")

    async def _vehicles(self, account_id: str) -> Sequence[Mapping[str, Any]]:
        return [
            {
                "id": vehicle.id,
                "country": vehicle.plate.country,
                "plate": vehicle.plate.shown,
                "label": vehicle.label,
                "added_at": rfc3339(vehicle.added_at),
            }
            for vehicle in await self._garage.of_owner(account_id)
        ]

    async def _sign_ins(self, account_id: str) -> Sequence[Mapping[str, Any]]:
        return [
            {"client": family.client, "began_at": rfc3339(family.began_at), "ends_at": rfc3339(family.ends_at)}
            for family in await self._families.live(account_id, self._clock.now())
        ]


def _account(account: Account) -> Mapping[str, Any]:
    return {
        "id": account.id,
        "email": account.email,
        "name": account.name,
        "language": account.language,
        "roles": sorted(account.roles),
        "lots": sorted(account.lots),
        "created_at": rfc3339(account.created_at),
    }
