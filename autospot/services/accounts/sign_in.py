"""Signing in, staying signed in, signing out."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime, timedelta

from autospot.clock import Clock
from autospot.domain.accounts.account import Account, require_active
from autospot.domain.accounts.password import normalised_password
from autospot.domain.accounts.sign_in import (
    FAMILIES_PER_ACCOUNT,
    Family,
    RefreshToken,
    begin_family,
    judge_refresh,
    refresh_expiry,
)
from autospot.domain.errors import Unauthenticated
from autospot.domain.ids import new_id
from autospot.services.accounts.addresses import address_subject
from autospot.services.keys import Purpose, SecretKeys
from autospot.services.passwords import Passwords
from autospot.storage.accounts import Accounts
from autospot.storage.attempts import Attempts
from autospot.storage.tokens import Families, RefreshTokens

REFRESH_BYTES = 32
TRIES_FROM_ONE_PLACE, PLACE_WINDOW = 5, timedelta(minutes=15)
"""Passwords that one network may try for one account."""
TRIES_FROM_ANYWHERE, ANYWHERE_WINDOW = 50, timedelta(hours=1)
"""Passwords that the whole world may try for one account. Wide, because it also keeps its owner out."""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who is signed in, and the token that keeps it so. `refresh_token` is shown once and stored nowhere."""

    account: Account
    family: Family
    refresh_token: str


class SignIn:
    """Opens, continues and ends sign-ins."""

    def __init__(
        self,
        accounts: Accounts,
        families: Families,
        tokens: RefreshTokens,
        attempts: Attempts,
        passwords: Passwords,
        keys: SecretKeys,
        clock: Clock,
    ) -> None:
        self._accounts = accounts
        self._families = families
        self._tokens = tokens
        self._attempts = attempts
        self._passwords = passwords
        self._keys = keys
        self._clock = clock

    async def with_password(self, email: str, password: str, *, client: str, place: str) -> SignedIn:
        """Signs in. `place` is the network that the request came from.

        `Unauthenticated` (code `wrong_credentials`), the same and after the same work whether the address is unknown or
        the password wrong; `LimitReached` after too many tries; `Forbidden` if the account is suspended.
        """
        now = self._clock.now()
        await self.count_try(email, place, now)
        known = await self._accounts.credentials_by_email(email)
        text = normalised_password(password)
        if not await self._passwords.verify(known.password_hash if known else None, text) or known is None:
            raise wrong_credentials()
        require_active(known.account)
        await self._attempts.forget(self._place_key(email, place))
        if self._passwords.is_outdated(known.password_hash):
            await self._accounts.replace_hash(known.account.id, known.password_hash, await self._passwords.hash(text))
        return await self.begin(known.account, client)

    async def begin(self, account: Account, client: str) -> SignedIn:
        """Begins a family for somebody whose identity was just proven."""
        now = self._clock.now()
        await self._make_room(account.id, now)
        family = begin_family(new_id("fam"), account.id, client, now)
        await self._families.add(family)
        token = secrets.token_urlsafe(REFRESH_BYTES)
        await self._tokens.add(RefreshToken(token_hash(token), family.id, refresh_expiry(family, now)))
        return SignedIn(account, family, token)

    async def refresh(self, token: str) -> SignedIn:
        """Trades a refresh token for its successor.

        `Unauthenticated` if the sign-in is over (code `sign_in_over`), or was just ended because the token had been
        used before (code `refresh_reused`).
        """
        now = self._clock.now()
        stored = await self._tokens.find(token_hash(token))
        family = await self._families.find(stored.family_id) if stored else None
        if stored is None or family is None:
            raise sign_in_over()
        verdict = judge_refresh(stored, family, now)
        if verdict == "reuse":
            await self._families.revoke(family.id, "reuse", now)
            raise Unauthenticated("this refresh token was used before: sign in again", code="refresh_reused")
        account = await self._accounts.find(family.account_id)
        if verdict == "over" or account is None or account.state != "active":
            raise sign_in_over()
        return await self._rotated(token, account, family, now)

    async def sign_out(self, token: str, *, everywhere: bool) -> None:
        """Ends the sign-in that `token` belongs to, or all of its account. A token that means nothing ends nothing."""
        stored = await self._tokens.find(token_hash(token))
        family = await self._families.find(stored.family_id) if stored else None
        if family is None:
            return
        now = self._clock.now()
        if everywhere:
            await self._families.revoke_all(family.account_id, "logout", now)
        else:
            await self._families.revoke(family.id, "logout", now)

    async def count_try(self, email: str, place: str, now: datetime) -> None:
        """Counts a password about to be tried; `LimitReached` if that is too many."""
        subject = address_subject(self._keys, email)
        await self._attempts.take(self._place_key(email, place), now, most=TRIES_FROM_ONE_PLACE, window=PLACE_WINDOW)
        await self._attempts.take(f"sign-in:{subject}", now, most=TRIES_FROM_ANYWHERE, window=ANYWHERE_WINDOW)

    def _place_key(self, email: str, place: str) -> str:
        return f"sign-in:{address_subject(self._keys, email)}:{place}"

    async def _make_room(self, account_id: str, now: datetime) -> None:
        live = await self._families.live(account_id, now)
        for oldest in live[: max(0, len(live) - FAMILIES_PER_ACCOUNT + 1)]:
            await self._families.revoke(oldest.id, "too_many", now)

    async def _rotated(self, token: str, account: Account, family: Family, now: datetime) -> SignedIn:
        successor = self._successor(token)
        # The successor first: dying before the second step leaves the presented token unused, and a repeat works.
        await self._tokens.add(RefreshToken(token_hash(successor), family.id, refresh_expiry(family, now)))
        await self._tokens.mark_used(token_hash(token), now)
        return SignedIn(account, family, successor)

    def _successor(self, token: str) -> str:
        # A function of the token, so that repeats within the grace get the same one and a family never branches: thief
        # and owner end up with one token between them, and whoever is second is found out. Only who has the secret key
        # can compute it; to everybody else it is 256 random bits.
        derived = hmac.digest(self._keys.current(Purpose.REFRESH_TOKEN), token.encode(), hashlib.sha256)
        return urlsafe_b64encode(derived).rstrip(b"=").decode()


def token_hash(token: str) -> bytes:
    """How a token is stored. Plain SHA-256: 256 random bits need no slow hash and no salt."""
    return hashlib.sha256(token.encode()).digest()


def wrong_credentials() -> Unauthenticated:
    return Unauthenticated("the address or the password is wrong", code="wrong_credentials")


def sign_in_over() -> Unauthenticated:
    return Unauthenticated("this sign-in has ended: sign in again", code="sign_in_over")
