"""The feed: the append-only log of everything that changes what bays show, and the stream that follows it.

A document is one commit. Its `stamp` is filled in by the server at the insert (an empty top-level timestamp is replaced
by the server's logical clock), which gives a durable order to replay by when the change stream's history is lost; the
position everybody speaks of is the cluster time of the commit itself, which only the change stream tells.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast

from bson import ObjectId
from bson.timestamp import Timestamp
from pymongo import ASCENDING, DESCENDING
from pymongo.errors import DuplicateKeyError, OperationFailure, PyMongoError

from autospot.domain.bay import Claim, Closure
from autospot.domain.change import ClaimChange, Commit, FeedEntry
from autospot.domain.instant import from_ms, to_ms
from autospot.storage.feed_columns import columns_of, rows_of
from autospot.storage.mongo import Database, Document, Index, Session, rev_of, timestamp_of, translated

FEED_RETENTION = timedelta(days=7)
"""How long the log is kept. Everything older is in the projections; the projector's checkpoint is minutes behind at
worst, and `/readyz` complains long before it is days."""

INDEXES = (
    Index("feed", [("at", ASCENDING)], {"expireAfterSeconds": int(FEED_RETENTION.total_seconds())}),
    Index("feed", [("stamp", ASCENDING)]),
)

STREAM_WAIT_MS = 500
"""How long the server holds the stream's question open when nothing happens; also how soon a stop is noticed."""

STREAM_BATCH = 8
"""Entries the server sends at a time. The driver decodes an answer in one go, and nothing else of this process runs
meanwhile: a stream that lags by a second in a storm would stop it for 20 to 40 ms."""

_HISTORY_LOST = frozenset({280, 286})
"""ChangeStreamFatalError, ChangeStreamHistoryLost: the oplog no longer reaches back to the asked position."""

_TIMESTAMP = b"\x82"


class HistoryLost(Exception):
    """The stream cannot be continued from the asked position: rebuild from the projections and begin a new epoch."""


@dataclass(frozen=True, slots=True)
class CaughtUp:
    """The stream has delivered everything up to the position `rev`, and has nothing more for now.

    Not by itself the present: a server that has much to look through for a stream answers before it is through.
    """

    rev: int


class Feed:
    """Appends to the log and follows it.

    Guarantees: an appended entry is durable when `append` returns; the same `entry_id` is appended once however often
    it is tried; `follow` yields every entry after a position once and in the one order that all processes share.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._collection = database.collection("feed")

    @staticmethod
    def new_entry_id() -> ObjectId:
        """The identity of an append, made before the first try so that a repeated try is recognised."""
        return ObjectId()

    async def append(
        self, entry: FeedEntry, now_ms: int, *, entry_id: ObjectId | None = None, session: Session | None = None
    ) -> None:
        """Writes `entry` durably, inside `session`'s transaction if one is given. `Unavailable` in an outage."""
        document = _encode(entry, now_ms)
        if entry_id is not None:
            document["_id"] = entry_id
        try:
            await self._collection.insert_one(document, session=session)
        except DuplicateKeyError:
            return  # an earlier try had succeeded and its answer was lost
        except PyMongoError as error:
            if session is not None:
                raise  # the transaction decides whether to try again
            raise translated(error) from error

    async def position(self) -> int:
        """The present position: entries appended from now on come after it, and every earlier one is visible to
        `follow` (a majority write is acknowledged only after all before it)."""
        try:
            return await self._database.position()
        except PyMongoError as error:
            raise translated(error) from error

    async def first_position(self) -> int | None:
        """The position from which the log can be replayed whole, None while it is empty."""
        try:
            document = await self._collection.find_one(sort=[("stamp", ASCENDING)], projection={"stamp": 1})
        except PyMongoError as error:
            raise translated(error) from error
        return None if document is None else rev_of(document["stamp"])

    async def follow(self, after_rev: int) -> AsyncIterator[Commit | CaughtUp]:
        """Every commit from `after_rev` on (that one included: applying twice is harmless), then the live ones.

        Yields `CaughtUp` at least every `STREAM_WAIT_MS` while idle. Raises `HistoryLost`, or `Unavailable` when the
        database cannot be reached: ask again with the last position seen.
        """
        try:
            async with self._collection.watch(
                [{"$match": {"operationType": "insert"}}],
                start_at_operation_time=timestamp_of(after_rev),
                max_await_time_ms=STREAM_WAIT_MS,
                batch_size=STREAM_BATCH,
            ) as stream:
                while stream.alive:
                    event = await stream.try_next()
                    yield CaughtUp(_looked_through(stream.resume_token)) if event is None else _commit(event)
        except PyMongoError as error:
            if isinstance(error, OperationFailure) and error.code in _HISTORY_LOST:
                raise HistoryLost from error
            raise translated(error) from error

    async def since_checkpoint(self, by_stamp: int, margin: timedelta) -> AsyncIterator[FeedEntry]:
        """The log itself from a little before the position `by_stamp`, in the order of writing: the way back when the
        stream's history is lost."""
        start = Timestamp(max(0, (by_stamp >> 20) - int(margin.total_seconds())), 0)
        async for document in self._collection.find({"stamp": {"$gte": start}}).sort("stamp", ASCENDING):
            yield _decode(document)

    async def newest(self, by: str, most: int) -> list[FeedEntry]:
        """The last `most` entries of one writer, oldest first."""
        cursor = self._collection.find({"by": by}).sort("stamp", DESCENDING).limit(most)
        return [_decode(document) async for document in cursor][::-1]


def _looked_through(resume_token: Mapping[str, Any] | None) -> int:
    """The position up to which the server has looked for a stream: a resume token begins with a cluster time, one octet
    of type, four of seconds and four of increment (MongoDB's `resume_token.h` and `key_string.h`; 6.0 to 8.0)."""
    octets = b"" if resume_token is None else bytes.fromhex(resume_token["_data"])
    if octets[:1] != _TIMESTAMP:
        raise ValueError("the database's resume tokens do not begin with a time: this version of it is not known")
    return rev_of(Timestamp(int.from_bytes(octets[1:5], "big"), int.from_bytes(octets[5:9], "big")))


def _commit(event: Mapping[str, Any]) -> Commit:
    document = event["fullDocument"]
    return Commit(rev_of(event["clusterTime"]), _decode(document), to_ms(document["at"]))


def _encode(entry: FeedEntry, now_ms: int) -> Document:
    document: Document = {"stamp": Timestamp(0, 0), "at": from_ms(now_ms), "by": entry.by}
    if entry.sensors:
        document["sensors"] = {lot: columns_of(rows) for lot, rows in entry.sensors.items()}
    if entry.past:
        document["past"] = {lot: columns_of(rows) for lot, rows in entry.past.items()}
    if entry.claims:
        document["claims"] = {lot: [list(row) for row in rows] for lot, rows in entry.claims.items()}
    if entry.layouts:
        document["layouts"] = dict(entry.layouts)
    return document


def _claim_rows(rows: Iterable[Sequence[Any]]) -> list[ClaimChange]:
    return [
        ClaimChange(bay, Claim(*claim) if claim else None, Closure(*closure) if closure else None)
        for bay, claim, closure in rows
    ]


def _decode(document: Mapping[str, Any]) -> FeedEntry:
    return FeedEntry(
        by=document["by"],
        sensors={lot: rows_of(columns) for lot, columns in document.get("sensors", {}).items()},
        past={lot: rows_of(columns) for lot, columns in document.get("past", {}).items()},
        claims={lot: _claim_rows(rows) for lot, rows in document.get("claims", {}).items()},
        layouts=cast(Mapping[str, int], document.get("layouts", {})),
    )
