"""Who may do what: one table of actions, pure.

Roles belong to people, scopes to API keys; both are held against the same line of the table. Owning a thing (a booking,
a vehicle, a wallet) is not decided here: such things are loaded by `{_id, owner}` in one query, so somebody else's
does not exist.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, NamedTuple

from autospot.domain.errors import Forbidden


class Role(StrEnum):
    """What a person is to AutoSpot. One person may hold several."""

    DRIVER = "driver"
    ATTENDANT = "attendant"
    OPERATOR = "operator"
    ADMIN = "admin"


class Scope(StrEnum):
    """What an API key may be used for."""

    LOT_READ = "lot:read"
    LOT_ATTEND = "lot:attend"
    LOT_EDIT = "lot:edit"
    REPORT_READ = "report:read"
    AUDIT_READ = "audit:read"


class Action(StrEnum):
    """Everything that needs a permission, named by what it does."""

    ACCOUNT = "account"
    """One's own profile, sessions, notices and data."""
    DRIVE = "drive"
    """Book, park and pay, as oneself."""
    SEE_LOT = "see_lot"
    """Sensors, alarms, bookings and rejected messages of a lot."""
    ATTEND_LOT = "attend_lot"
    """Block and release bays, acknowledge alarms."""
    EDIT_LOT = "edit_lot"
    """Plan, terms, tariff, signs, sensors."""
    READ_REPORTS = "read_reports"
    READ_AUDIT = "read_audit"
    REFUND = "refund"
    """Give a driver money back."""
    MANAGE_KEYS = "manage_keys"
    """Make and revoke API keys of a lot."""
    CREATE_LOT = "create_lot"
    MANAGE_PEOPLE = "manage_people"
    """Give and take roles and lots."""


class Rule(NamedTuple):
    """Who may: people with one of `roles`, keys with `scope` (None: no key may). `per_lot`: only for lots they belong
    to; an admin belongs to all."""

    roles: frozenset[Role]
    per_lot: bool = False
    scope: Scope | None = None


_EVERYBODY = frozenset(Role)
_DRIVERS = frozenset({Role.DRIVER})
_STAFF = frozenset({Role.ATTENDANT, Role.OPERATOR, Role.ADMIN})
_OPERATORS = frozenset({Role.OPERATOR, Role.ADMIN})
_ADMINS = frozenset({Role.ADMIN})

RULES: dict[Action, Rule] = {
    Action.ACCOUNT: Rule(_EVERYBODY),
    Action.DRIVE: Rule(_DRIVERS),
    Action.SEE_LOT: Rule(_STAFF, per_lot=True, scope=Scope.LOT_READ),
    Action.ATTEND_LOT: Rule(_STAFF, per_lot=True, scope=Scope.LOT_ATTEND),
    Action.EDIT_LOT: Rule(_OPERATORS, per_lot=True, scope=Scope.LOT_EDIT),
    Action.READ_REPORTS: Rule(_OPERATORS, per_lot=True, scope=Scope.REPORT_READ),
    Action.READ_AUDIT: Rule(_OPERATORS, per_lot=True, scope=Scope.AUDIT_READ),
    Action.REFUND: Rule(_OPERATORS, per_lot=True),
    Action.MANAGE_KEYS: Rule(_OPERATORS, per_lot=True),
    Action.CREATE_LOT: Rule(_ADMINS),
    Action.MANAGE_PEOPLE: Rule(_ADMINS),
}


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is calling, as proven by a token or an API key.

    `user_id` is the person, for a key the one it belongs to. `lots` are the lots the person works for or the key was
    made for. `session_id` names the family of refresh tokens, or the key itself: revoking it ends this identity.
    """

    user_id: str
    roles: frozenset[Role] = frozenset()
    lots: frozenset[str] = frozenset()
    scopes: frozenset[Scope] = frozenset()
    session_id: str | None = None
    kind: Literal["user", "api_key"] = "user"


def _holds(principal: Principal, rule: Rule) -> bool:
    if principal.kind == "api_key":
        return rule.scope is not None and rule.scope in principal.scopes
    return not rule.roles.isdisjoint(principal.roles)


def lots_within(principal: Principal, action: Action) -> frozenset[str] | None:
    """The lots for which `principal` may do a per-lot `action`; None means all. The filter of every listing that
    crosses lots."""
    if not _holds(principal, RULES[action]):
        return frozenset()
    if principal.kind == "user" and Role.ADMIN in principal.roles:
        return None
    return principal.lots


def may(principal: Principal, action: Action, lot: str | None = None) -> bool:
    """True if `principal` may do `action`, in `lot` where the action is bound to one.

    A per-lot action without a lot is a listing: allowed to everybody who may do it in some lot, and then filtered by
    `lots_within`.
    """
    rule = RULES[action]
    if not rule.per_lot:
        return _holds(principal, rule)
    lots = lots_within(principal, action)
    if lots is None:
        return True
    return bool(lots) if lot is None else lot in lots


def require(principal: Principal, action: Action, lot: str | None = None) -> None:
    """`Forbidden` unless `may`. The words do not tell whether the lot exists."""
    if not may(principal, action, lot):
        raise Forbidden("this needs another role, or another lot")
