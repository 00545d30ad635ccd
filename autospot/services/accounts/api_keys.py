"""API keys: made by operators for machines, shown once, revoked at once."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from autospot.clock import Clock
from autospot.domain.access import Action, Principal, Scope, lots_within, require
from autospot.domain.accounts.api_key import (
    API_KEY_PREFIX,
    API_KEYS_PER_OWNER,
    ApiKey,
    is_live,
    is_use_worth_noting,
    principal_of_key,
)
from autospot.domain.accounts.sign_in import ACCESS_LIFETIME
from autospot.domain.audit import actor_of
from autospot.domain.errors import Conflict, NotFound, Unauthenticated
from autospot.domain.ids import new_id
from autospot.services.accounts.sign_in import token_hash
from autospot.services.audit import Audit
from autospot.storage.api_keys import ApiKeys
from autospot.storage.mongo import Database, Session

SECRET_BYTES = 32
KEYS_SHOWN = 200
CHECKED_AGAIN_AFTER = ACCESS_LIFETIME
"""A websocket that was opened with a key shows it again as often as one that was opened with a token."""


@dataclass(frozen=True, slots=True)
class MadeKey:
    """A new key with its secret, which is shown now and never again."""

    key: ApiKey
    secret: str


@dataclass(frozen=True, slots=True)
class KeyProof:
    """Whom a key stands for, and until when a connection may rely on it."""

    principal: Principal
    until: datetime


class KeyCabinet:
    """Makes, shows, checks and revokes API keys."""

    def __init__(self, database: Database, keys: ApiKeys, audit: Audit, clock: Clock) -> None:
        self._database = database
        self._keys = keys
        self._audit = audit
        self._clock = clock

    async def make(
        self,
        principal: Principal,
        name: str,
        scopes: Collection[Scope],
        lots: Collection[str],
        lifetime: timedelta,
        request_id: str,
    ) -> MadeKey:
        """A key for `lots`, to each of which the caller must belong: no key may do more than who made it."""
        for lot in lots:
            require(principal, Action.MANAGE_KEYS, lot)
        now, secret = self._clock.now(), API_KEY_PREFIX + secrets.token_urlsafe(SECRET_BYTES)
        key = ApiKey(
            id=new_id("key"),
            name=name,
            owner=principal.user_id,
            scopes=frozenset(scopes),
            lots=frozenset(lots),
            created_at=now,
            expires_at=now + lifetime,
        )

        async def work(session: Session) -> None:
            if await self._keys.count_live(key.owner, now, session=session) >= API_KEYS_PER_OWNER:
                raise Conflict(f"one person has at most {API_KEYS_PER_OWNER} keys", code="too_many_keys")
            await self._keys.add(key, token_hash(secret), session=session)
            await self._record(session, principal, "api_key.made", key, request_id)

        await self._database.transaction(work)
        return MadeKey(key, secret)

    async def shown_to(self, principal: Principal) -> Sequence[ApiKey]:
        """The keys whose lots all belong to the caller's; for an admin every key."""
        require(principal, Action.MANAGE_KEYS)
        return await self._keys.of_lots(lots_within(principal, Action.MANAGE_KEYS), KEYS_SHOWN)

    async def revoke(self, principal: Principal, key_id: str, request_id: str) -> None:
        """Ends a key at once, everywhere. `NotFound` if it is not among those shown to the caller."""
        require(principal, Action.MANAGE_KEYS)
        lots, now = lots_within(principal, Action.MANAGE_KEYS), self._clock.now()

        async def work(session: Session) -> None:
            key = await self._keys.find(key_id, lots, session=session)
            if key is None:
                raise NotFound("there is no such key")
            if await self._keys.revoke(key_id, now, session=session):
                await self._record(session, principal, "api_key.revoked", key, request_id)

        await self._database.transaction(work)

    async def authenticate(self, secret: str) -> KeyProof:
        """Who a request with this secret is from; `Unauthenticated` if it opens nothing."""
        now = self._clock.now()
        key = await self._keys.find_by_secret(token_hash(secret))
        if key is None or not is_live(key, now):
            raise Unauthenticated("this key opens nothing", code="bad_token")
        if is_use_worth_noting(key, now):
            await self._keys.used(key.id, now)
        return KeyProof(principal_of_key(key), until=min(key.expires_at, now + CHECKED_AGAIN_AFTER))

    async def _record(self, session: Session, principal: Principal, action: str, key: ApiKey, request_id: str) -> None:
        """One entry per lot, so that every operator concerned can read it."""
        actor, now, after = actor_of(principal, request_id), self._clock.now(), {"scopes": sorted(key.scopes)}
        for lot in sorted(key.lots):
            await self._audit.record(session, actor, action, key.id, now, lot=lot, after=after)
