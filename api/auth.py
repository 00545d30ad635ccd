"""Access tokens: signed, short-lived, and strict. The one module that knows JWT (RFC 7519, RFC 8725).

A token says who its bearer is, so that nothing need be read to serve a request. What it cannot say, that its sign-in
has ended since, is asked of `Revocations`, in memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final, Literal

import jwt
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from autospot.clock import Clock
from autospot.domain.access import Principal, Role
from autospot.domain.accounts.account import Account
from autospot.domain.accounts.api_key import API_KEY_PREFIX
from autospot.domain.accounts.sign_in import ACCESS_LIFETIME, Family
from autospot.domain.errors import Unauthenticated
from autospot.domain.ids import new_id
from autospot.domain.instant import EPOCH
from autospot.services.accounts.api_keys import KeyCabinet
from autospot.services.keys import Purpose, SecretKeys
from autospot.services.revocations import Revocations

ALGORITHM: Final = "HS256"
ISSUER: Final = "autospot"
AUDIENCE: Final = "autospot-api"
TOKEN_LIMIT: Final = 8 * 1024
CLOCK_SKEW: Final = timedelta(seconds=30)
"""How far ahead the clock of the process that signed may be."""
TOKENS_KEPT: Final = 4_096
"""Tokens whose signature was found right and is not worked out again, the last ones heard: 150 us each, a tenth of a
booking. Whether they have expired or their sign-in has ended is asked each time."""
HEADERS_KEPT: Final = 64
"""Headers whose key was found: ours differ by their key alone."""


class Claims(BaseModel):
    """Everything a token says, all of it required and nothing else allowed. Times are seconds since 1970."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    iss: Literal["autospot"]
    aud: Literal["autospot-api"]
    typ: Literal["access"]
    sub: str = Field(pattern=r"^usr_[0-9a-f]{32}$")
    fam: str = Field(pattern=r"^fam_[0-9a-f]{32}$")
    jti: str = Field(pattern=r"^tok_[0-9a-f]{32}$")
    iat: int = Field(ge=0, lt=2**40)
    exp: int = Field(ge=0, lt=2**40)
    roles: list[str]
    lots: list[str]


@dataclass(frozen=True, slots=True)
class Proof:
    """Who a token or key proves to be calling, and when that must be proven again."""

    principal: Principal
    expires_at: datetime


class AccessTokens:
    """Signs and reads access tokens.

    Guarantees of `read`: one algorithm, whatever the header says; the key is one of ours, by a header that holds
    nothing but `alg`, `typ` and a known `kid`; every claim is there, of its type, and for this API; a token holds ten
    minutes and no token claims more.
    """

    def __init__(self, keys: SecretKeys, clock: Clock, *, lifetime: timedelta = ACCESS_LIFETIME) -> None:
        self._keys = keys.all(Purpose.ACCESS_TOKEN)
        self._current_id = keys.current_id
        self._clock = clock
        self._claims = lru_cache(TOKENS_KEPT)(self._verified)
        self._key_of = lru_cache(HEADERS_KEPT)(self._key_for)
        self.lifetime_seconds = int(lifetime.total_seconds())

    def issue(self, account: Account, family: Family) -> str:
        """A token for the bearer of `family`."""
        now = _seconds(self._clock.now())
        claims = Claims(
            iss=ISSUER,
            aud=AUDIENCE,
            typ="access",
            sub=account.id,
            fam=family.id,
            jti=new_id("tok"),
            iat=now,
            exp=now + self.lifetime_seconds,
            roles=sorted(account.roles),
            lots=sorted(account.lots),
        )
        return jwt.encode(
            claims.model_dump(), self._keys[self._current_id], ALGORITHM, headers={"kid": self._current_id}
        )

    def read(self, token: str) -> Proof:
        """Who bears `token`. `Unauthenticated`: code `token_expired` for one that was good, else `bad_token`."""
        claims = self._claims(token)
        now, skew = _seconds(self._clock.now()), int(CLOCK_SKEW.total_seconds())
        if claims.iat > now + skew or claims.exp - claims.iat > self.lifetime_seconds:
            raise bad_token()
        if claims.exp <= now:
            raise Unauthenticated("this token has expired: refresh it", code="token_expired")
        try:
            roles = frozenset(Role(role) for role in claims.roles)
        except ValueError:
            raise bad_token() from None
        principal = Principal(claims.sub, roles, frozenset(claims.lots), session_id=claims.fam)
        return Proof(principal, EPOCH + timedelta(seconds=claims.exp))

    def _verified(self, token: str) -> Claims:
        if len(token) > TOKEN_LIMIT:
            raise bad_token()
        try:
            key = self._key_of(token.partition(".")[0])
            # Times, issuer and audience are checked above and by `Claims`, by our clock and more strictly than a
            # library could: nothing but the signature is left to it.
            return Claims.model_validate_json(_signatures.decode(token, key, algorithms=[ALGORITHM]))
        except (jwt.InvalidTokenError, ValidationError, ValueError):
            raise bad_token() from None

    def _key_for(self, header_segment: str) -> bytes:
        header = jwt.get_unverified_header(f"{header_segment}..")
        kid = header.get("kid")
        if header != {"alg": ALGORITHM, "typ": "JWT", "kid": kid} or not isinstance(kid, str) or kid not in self._keys:
            raise bad_token()
        return self._keys[kid]


_signatures: Final = jwt.PyJWS()


class Bearers:
    """Who bears a token or an API key: what `api.app` and the websocket ask."""

    def __init__(self, tokens: AccessTokens, revocations: Revocations, api_keys: KeyCabinet) -> None:
        self._tokens = tokens
        self._revocations = revocations
        self._api_keys = api_keys

    async def principal(self, token: str) -> Principal:
        """The principal; `Unauthenticated` if the token proves none, or its sign-in has ended."""
        return (await self.proof(token)).principal

    async def proof(self, token: str) -> Proof:
        """The same with the end of its validity, for connections that outlive a request."""
        if token.startswith(API_KEY_PREFIX):
            key = await self._api_keys.authenticate(token)
            return Proof(key.principal, key.until)
        proof = self._tokens.read(token)
        if self._revocations.is_revoked(proof.principal.session_id):
            raise Unauthenticated("this sign-in has ended: sign in again", code="sign_in_over")
        return proof


def bad_token() -> Unauthenticated:
    """The one answer to everything that is no token of ours."""
    return Unauthenticated("this token does not hold", code="bad_token")


def _seconds(instant: datetime) -> int:
    return (instant - EPOCH) // timedelta(seconds=1)
