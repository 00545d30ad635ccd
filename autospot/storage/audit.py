"""`audit`: append-only. This module has no way to change or remove an entry, and nothing else writes the collection."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pymongo import ASCENDING, DESCENDING

from autospot.domain.audit import Actor, AuditEntry
from autospot.storage.mongo import Database, Document, Index, Session
from autospot.storage.outages import answering

INDEXES = (
    Index("audit", [("at", DESCENDING), ("_id", DESCENDING)]),
    Index("audit", [("lot", ASCENDING), ("at", DESCENDING), ("_id", DESCENDING)]),
    Index("audit", [("subject", ASCENDING), ("at", DESCENDING), ("_id", DESCENDING)]),
)


@dataclass(frozen=True, slots=True)
class AuditQuery:
    """Which entries. `lots` None: all, those of no lot included. `before`: only what comes after that place, newest
    first, given as the time and id of the last entry seen."""

    lots: Collection[str] | None
    subject: str | None = None
    action: str | None = None
    actor_id: str | None = None
    before: tuple[datetime, str] | None = None


class AuditLog:
    """Writes and reads `audit`."""

    def __init__(self, database: Database) -> None:
        self._audit = database.collection("audit")

    async def append(self, entry: AuditEntry, *, session: Session) -> None:
        """Adds an entry in the transaction of the change that it tells of: neither is there without the other."""
        await self._audit.insert_one(_row(entry), session=session)

    async def newest(self, query: AuditQuery, most: int) -> Sequence[AuditEntry]:
        """Entries that fit, newest first, at most `most`."""
        with answering():
            cursor = self._audit.find(_filter(query)).sort([("at", DESCENDING), ("_id", DESCENDING)]).limit(most)
            return [_entry(row) async for row in cursor]


def _filter(query: AuditQuery) -> Document:
    wanted: dict[str, Any] = {
        name: value
        for name, value in (
            ("lot", None if query.lots is None else {"$in": list(query.lots)}),
            ("subject", query.subject),
            ("action", query.action),
            ("actor.id", query.actor_id),
        )
        if value is not None
    }
    if query.before is not None:
        at, entry_id = query.before
        wanted["$or"] = [{"at": {"$lt": at}}, {"at": at, "_id": {"$lt": entry_id}}]
    return wanted


def _row(entry: AuditEntry) -> Document:
    return {
        "_id": entry.id,
        "at": entry.at,
        "actor": {"kind": entry.actor.kind, "id": entry.actor.id, "request_id": entry.actor.request_id},
        "action": entry.action,
        "subject": entry.subject,
        "lot": entry.lot,
        "before": entry.before,
        "after": entry.after,
    }


def _entry(row: Document) -> AuditEntry:
    actor = row["actor"]
    return AuditEntry(
        id=row["_id"],
        at=row["at"],
        actor=Actor(actor["kind"], actor["id"], actor["request_id"]),
        action=row["action"],
        subject=row["subject"],
        lot=row["lot"],
        before=row["before"],
        after=row["after"],
    )
