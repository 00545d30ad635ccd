"""A sign-in: the family of refresh tokens that descend from one password, and what each use of one means.

A refresh token is used once and gives its successor. Whoever steals one and uses it leaves its owner (or is left
himself) with a used token, and the next use of that tells of the theft: the whole family ends (RFC 9700 4.14.2). The
same token again within `REPEAT_GRACE` is no theft but a lost answer or a second browser tab: it gets the same successor
once more, so a family never branches.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

ACCESS_LIFETIME = timedelta(minutes=10)
REFRESH_LIFETIME = timedelta(days=30)
"""A sign-in ends when it was not used for this long."""
FAMILY_LIFETIME = timedelta(days=180)
"""A sign-in ends this long after its password was given, used or not."""
REPEAT_GRACE = timedelta(seconds=10)
FAMILIES_PER_ACCOUNT = 20
"""Sign-ins that one account may have at a time. One more ends the oldest."""
RECENT_SIGN_IN = timedelta(minutes=15)
"""How old a sign-in may be for steps that cannot be taken back."""

RevokedBecause = Literal["logout", "reuse", "password_changed", "too_many", "suspended", "closed", "roles_changed"]
RefreshVerdict = Literal["rotate", "repeat", "reuse", "over"]


@dataclass(frozen=True, slots=True)
class Family:
    """One sign-in on one device. `client` is what the device called itself, for its owner to recognise."""

    id: str
    account_id: str
    client: str
    began_at: datetime
    ends_at: datetime
    revoked_at: datetime | None = None
    revoked_because: RevokedBecause | None = None


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """A refresh token as stored: under its hash, never itself."""

    token_hash: bytes
    family_id: str
    expires_at: datetime
    used_at: datetime | None = None


def begin_family(family_id: str, account_id: str, client: str, now: datetime) -> Family:
    """The family that a right password begins."""
    return Family(family_id, account_id, client[:200], began_at=now, ends_at=now + FAMILY_LIFETIME)


def refresh_expiry(family: Family, now: datetime) -> datetime:
    """When a refresh token given out now stops working."""
    return min(now + REFRESH_LIFETIME, family.ends_at)


def judge_refresh(token: RefreshToken, family: Family, now: datetime) -> RefreshVerdict:
    """What presenting `token` now means; `over` where the sign-in has ended."""
    if family.revoked_at is not None or now >= family.ends_at:
        return "over"
    if token.used_at is None:
        return "rotate" if now < token.expires_at else "over"
    return "repeat" if now - token.used_at <= REPEAT_GRACE else "reuse"


def is_recent(family: Family, now: datetime) -> bool:
    """True if the password was given recently enough for a step that cannot be taken back."""
    return now - family.began_at <= RECENT_SIGN_IN
