"""What other processes did that this one should hear of soon: rows that fall due, sign-ins that ended, notices.

One change stream over the database serves them all, and only ever hurries things along: due rows are found by their
time, revocations and notices are read again after every interruption (`Resync`). The server filters on the collection's
name before anything else, so the traffic of the live path costs it little.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pymongo.errors import PyMongoError

from autospot.domain.notice import ToldNotice
from autospot.storage.mongo import Database, translated
from autospot.storage.notices import told_notice

STREAM_WAIT_MS = 500
"""How long the server holds the stream's question open when nothing happens; also how soon a stop is noticed."""

SOON = timedelta(seconds=90)
"""Rows that fall due later are not told of: whoever waits for rows looks again sooner than that. Each booking writes
one, days ahead as a rule."""


@dataclass(frozen=True, slots=True)
class Resync:
    """The stream begins (again): what happened before is not told by it."""


@dataclass(frozen=True, slots=True)
class RowPut:
    """A row of the due-queue was written that falls due at `at`, within `SOON`."""

    at: datetime


@dataclass(frozen=True, slots=True)
class SessionRevoked:
    """A family of tokens or an API key ended: `session_id` as in `Principal`."""

    session_id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class NoticeKept:
    """A driver was told something."""

    told: ToldNotice


Signal = Resync | RowPut | SessionRevoked | NoticeKept

_ROW_AT = {"$ifNull": ["$fullDocument.at", "$updateDescription.updatedFields.at"]}
_DUE = {
    "ns.coll": "due",
    "operationType": {"$in": ["insert", "replace", "update"]},
    "updateDescription.updatedFields.claim": {"$exists": False},  # a claim is no news
    "$expr": {"$lte": [_ROW_AT, {"$add": ["$wallTime", int(SOON.total_seconds() * 1000)]}]},
}
_REVOKED = {
    "ns.coll": {"$in": ["families", "api_keys"]},
    "updateDescription.updatedFields.revoked_at": {"$exists": True},
}
_NOTICES = {"ns.coll": "notices", "operationType": "insert", "fullDocument.to": "driver"}
_PIPELINE = [{"$match": {"$or": [_DUE, _REVOKED, _NOTICES]}}]


async def follow_signals(database: Database) -> AsyncIterator[Signal | None]:
    """Signals from now on, `Resync` first; None at least every `STREAM_WAIT_MS` while nothing happens.

    Raises `Unavailable` when the database cannot be reached: begin again.
    """
    try:
        async with database.collection("due").database.watch(_PIPELINE, max_await_time_ms=STREAM_WAIT_MS) as stream:
            first = await stream.try_next()  # opens the stream: only what comes after is told
            yield Resync()
            if first is not None:
                yield _signal(first)
            while stream.alive:
                event = await stream.try_next()
                yield None if event is None else _signal(event)
    except PyMongoError as error:
        raise translated(error) from error


def _signal(event: Mapping[str, Any]) -> Signal | None:
    if event["ns"]["coll"] == "notices":
        return NoticeKept(told_notice(event["fullDocument"]))
    fields = event.get("fullDocument") or event.get("updateDescription", {}).get("updatedFields", {})
    if event["ns"]["coll"] == "due":
        return RowPut(fields["at"]) if "at" in fields else None
    return SessionRevoked(event["documentKey"]["_id"], fields["revoked_at"])
