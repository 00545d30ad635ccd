"""Who did what: one entry per change, with what was before and after.

An entry never holds an e-mail address, a name, a plate or a secret: accounts and vehicles appear under their ids, so
that erasing a person need not touch a log that nobody may touch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from autospot.domain.access import Principal

ActorKind = Literal["user", "api_key", "command_line", "system"]

PERSONAL_FIELDS = frozenset(
    {"email", "name", "plate", "label", "password", "password_hash", "secret", "phone", "token"}
)
"""Fields whose values never enter an entry: it says only that they changed."""

HIDDEN = "…"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did it. `id` is the account, for a key the key; `request_id` finds the request in the logs."""

    kind: ActorKind
    id: str
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One change. `action` is a stable word such as `bay.blocked`, `subject` the id of what was changed; `lot` where it
    concerns one, which is what lets its operators read the entry."""

    id: str
    at: datetime
    actor: Actor
    action: str
    subject: str
    lot: str | None = None
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None


SYSTEM = Actor("system", "autospot")
"""AutoSpot itself: what fell due, not what somebody asked for."""


def actor_of(principal: Principal, request_id: str | None = None) -> Actor:
    """The actor behind a request."""
    if principal.kind == "api_key":
        return Actor("api_key", principal.session_id or principal.user_id, request_id)
    return Actor("user", principal.user_id, request_id)


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The fields that differ, as they were and as they are; values of `PERSONAL_FIELDS` are hidden."""
    changed = [name for name in sorted({*before, *after}) if before.get(name) != after.get(name)]
    return _shown(before, changed), _shown(after, changed)


def _shown(fields: Mapping[str, Any], names: list[str]) -> dict[str, Any]:
    return {name: HIDDEN if name in PERSONAL_FIELDS else fields[name] for name in names if name in fields}
