"""The audit log, for those who answer for a lot."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from api.call import Call
from api.contract import Output, operation
from api.pages import Page, PageQuery, cursor_after, instant_at
from api.values import Instant
from autospot.domain.access import Action
from autospot.domain.audit import ActorKind, AuditEntry
from autospot.domain.errors import Forbidden
from autospot.domain.ids import Code
from autospot.services.audit import Audit

WORD = r"^[A-Za-z0-9._:-]{1,100}$"


class AuditQuery(PageQuery):
    """Which entries; all that the caller may read where nothing is said."""

    lot: Code | None = None
    subject: str | None = Field(None, pattern=WORD, description="the id of what was changed")
    action: str | None = Field(None, pattern=WORD, examples=["bay.closed"])
    actor: str | None = Field(None, pattern=WORD, description="the account or key that did it")


class ActorView(Output):
    """Who did it."""

    kind: ActorKind
    id: str
    request_id: str | None


class AuditEntryView(Output):
    """One change. `before` and `after` hold the fields that differ; personal ones show only that they changed."""

    id: str
    at: Instant
    actor: ActorView
    action: str
    subject: str
    lot: str | None
    before: dict[str, Any] | None
    after: dict[str, Any] | None


class AuditOperations:
    """Reading the log. Nobody writes to it from outside, and nobody changes it."""

    def __init__(self, audit: Audit) -> None:
        self._audit = audit

    @operation(
        "GET /v1/operator/audit",
        summary="Who did what",
        tag="operator",
        access=Action.READ_AUDIT,
        errors=(Forbidden("this needs another role, or another lot"),),
    )
    async def list_entries(self, call: Call, query: AuditQuery) -> Page[AuditEntryView]:
        """Newest first: an operator's lots, for an admin everything."""
        entries = await self._audit.newest(
            call.principal,
            query.limit + 1,
            lot=query.lot,
            subject=query.subject,
            action=query.action,
            actor_id=query.actor,
            before=instant_at(query.cursor),
        )
        page = entries[: query.limit]
        more = len(entries) > len(page)
        return Page(
            data=[entry_view(entry) for entry in page],
            next_cursor=cursor_after(page[-1].at, page[-1].id) if more else None,
        )


def entry_view(entry: AuditEntry) -> AuditEntryView:
    return AuditEntryView(
        id=entry.id,
        at=entry.at,
        actor=ActorView(kind=entry.actor.kind, id=entry.actor.id, request_id=entry.actor.request_id),
        action=entry.action,
        subject=entry.subject,
        lot=entry.lot,
        before=None if entry.before is None else dict(entry.before),
        after=None if entry.after is None else dict(entry.after),
    )
