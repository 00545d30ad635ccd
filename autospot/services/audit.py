"""Writing the audit log: an entry in the very transaction of the change that it tells of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from autospot.domain.access import Action, Principal, lots_within, require
from autospot.domain.audit import Actor, AuditEntry, differences
from autospot.domain.ids import new_id
from autospot.storage.audit import AuditLog, AuditQuery
from autospot.storage.mongo import Session


class Audit:
    """Records who did what, and shows it to those who may see it."""

    def __init__(self, log: AuditLog) -> None:
        self._log = log

    async def record(
        self,
        session: Session,
        actor: Actor,
        action: str,
        subject: str,
        now: datetime,
        *,
        lot: str | None = None,
        before: Mapping[str, Any] | None = None,
        after: Mapping[str, Any] | None = None,
    ) -> None:
        """Adds an entry that shows only the fields that differ, and no personal ones (`domain/audit.py`)."""
        old, new = differences(before or {}, after or {})
        entry = AuditEntry(
            id=new_id("aud"),
            at=now,
            actor=actor,
            action=action,
            subject=subject,
            lot=lot,
            before=old if before is not None else None,
            after=new if after is not None else None,
        )
        await self._log.append(entry, session=session)

    async def newest(
        self,
        principal: Principal,
        most: int,
        *,
        lot: str | None = None,
        subject: str | None = None,
        action: str | None = None,
        actor_id: str | None = None,
        before: tuple[datetime, str] | None = None,
    ) -> Sequence[AuditEntry]:
        """Entries that `principal` may read, newest first: those of his lots, for an admin all."""
        require(principal, Action.READ_AUDIT, lot)
        lots = lots_within(principal, Action.READ_AUDIT) if lot is None else {lot}
        return await self._log.newest(AuditQuery(lots, subject, action, actor_id, before), most)
