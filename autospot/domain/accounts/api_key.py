"""API keys: what a machine shows instead of a person's token."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from autospot.domain.access import Principal, Scope

API_KEY_PREFIX = "aspk_"
"""Makes a key found in a log or a repository recognisable, for people and for secret scanners."""
API_KEY_LIFETIME = timedelta(days=365)
API_KEYS_PER_OWNER = 50
API_KEY_NAME_LENGTH = 60
USE_NOTED_EVERY = timedelta(minutes=1)
"""How exact `last_used_at` is: a busy key costs one write in this time."""


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key: for which lots, with which scopes. `owner` is who made it. Its secret is not here nor anywhere."""

    id: str
    name: str
    owner: str
    scopes: frozenset[Scope]
    lots: frozenset[str]
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None


def is_live(key: ApiKey, now: datetime) -> bool:
    """True if the key opens anything at `now`."""
    return key.revoked_at is None and now < key.expires_at


def is_use_worth_noting(key: ApiKey, now: datetime) -> bool:
    return key.last_used_at is None or now - key.last_used_at >= USE_NOTED_EVERY


def principal_of_key(key: ApiKey) -> Principal:
    """Who a request with this key is from."""
    return Principal(user_id=key.owner, lots=key.lots, scopes=key.scopes, session_id=key.id, kind="api_key")
