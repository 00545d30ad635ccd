"""An account: one person, known by an e-mail address, with what he or she may do.

An account exists from the moment its address is proven; before that there is only a registration (see
`registration.py`), so nobody can occupy somebody else's address.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from autospot.domain.access import Role
from autospot.domain.errors import Conflict, Forbidden

AccountState = Literal["active", "suspended", "closed"]
AccountStep = Literal["suspend", "restore", "close"]

TRANSITIONS: Mapping[tuple[AccountState, AccountStep], AccountState] = {
    ("active", "suspend"): "suspended",
    ("suspended", "restore"): "active",
    ("active", "close"): "closed",
    ("suspended", "close"): "closed",
}
"""Everything that can happen to an account. `closed` is final: its person is gone, only the id remains."""

NAME_LENGTH = 100
LOTS_PER_PERSON = 40
"""They travel in every access token, which must fit a request header. Who runs more is an admin."""
LANGUAGE_PATTERN = r"^[a-z]{2}(-[A-Z]{2})?$"
"""An ISO 639-1 language with an optional ISO 3166-1 region: `de`, `pt-BR`."""


@dataclass(frozen=True, slots=True)
class Account:
    """A person. `lots` are the lots that he or she works for; drivers have none. `version` counts the changes."""

    id: str
    email: str
    name: str
    language: str
    roles: frozenset[Role]
    lots: frozenset[str]
    state: AccountState
    created_at: datetime
    version: int


@dataclass(frozen=True, slots=True)
class Credentials:
    """What sign-in compares. Kept apart from `Account`, so that a password hash is only where it is needed."""

    account: Account
    password_hash: str


def email_key(email: str) -> str:
    """The form under which an address is unique: people do not tell `Ann@x.org` from `ann@x.org`, nor does any mail
    system in use (RFC 5321 2.4 would allow the local part to)."""
    return email.strip().casefold()


def after(state: AccountState, step: AccountStep) -> AccountState:
    """The state after `step`; `Conflict` where the table has no such step."""
    try:
        return TRANSITIONS[state, step]
    except KeyError:
        raise Conflict(f"a {state} account cannot take the step {step!r}", code="account_state") from None


def require_active(account: Account) -> None:
    """`Forbidden` unless the account may be used. Told only to somebody who has proven the password."""
    if account.state != "active":
        raise Forbidden("this account is suspended", code="account_suspended")
