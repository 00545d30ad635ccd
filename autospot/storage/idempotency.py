"""Answers kept by idempotency key, so that a request sent twice happens once.

A row lives through `running` (somebody works on it, under a lease) to `done` (status and body are kept). The step to
`done` is made inside the transaction that makes the effect: both are there or neither is. Whoever took over from a
crashed holder changes the row's holder, so a late transaction of the first one finds its row gone and undoes itself.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, Protocol, TypeVar

from bson import Binary
from pymongo.errors import BulkWriteError, PyMongoError

from autospot.domain.errors import Conflict, InvalidInput
from autospot.domain.ids import new_id
from autospot.storage.batches import Batches
from autospot.storage.mongo import Database, Document, Index, Session, translated
from autospot.storage.outages import answering, inserted

LEASE = timedelta(seconds=6)
"""How long others wait for a holder that gives no sign of life: this long a repeat is told to come back after a crash.
Who is at work renews it. A clock that is wrong by more than that costs a repeat, no effect: late holders are fenced."""

COME_BACK_SECONDS = 1.0
"""What a caller is told whose request is still running: a booking takes milliseconds."""

INDEXES = (Index("idempotency", [("expires_at", 1)], {"expireAfterSeconds": 0}),)

Result = TypeVar("Result", contravariant=True)


class KeyReused(InvalidInput):
    """The key was used before, for a request that said something else."""

    code = "idempotency_key_reused"


class StillRunning(Conflict):
    """The first request with this key is not answered yet."""

    code = "still_running"
    retryable = True
    after_seconds = COME_BACK_SECONDS


class LeaseLost(Conflict):
    """Somebody else took this key over while its holder was busy; the holder's transaction must not happen."""

    code = "lease_lost"
    retryable = True
    after_seconds = COME_BACK_SECONDS


class AlreadyDone(Conflict):
    """An effect with an id made from this key is there, but its answer is no longer kept. Raised by the storage of the
    effect when that id is taken."""

    code = "already_done"


class Once(Protocol[Result]):
    """What a use case needs to happen at most once: ids that are the same at every try, and a reply kept with the
    effect. `keep` is the last step inside the transaction."""

    def id(self, prefix: str, part: str = "") -> str:
        """An id such as `trf_6dd2…`, the same for each try of one request. `part` tells several of one kind apart."""

    async def keep(self, session: Session, result: Result) -> None:
        """Stores what the caller will be told, in `session`'s transaction."""


class Unkept:
    """`Once` for callers without a key: the command line, due things, tests."""

    def id(self, prefix: str, part: str = "") -> str:  # noqa: ARG002 - each call is its own first try
        return new_id(prefix)

    async def keep(self, session: Session, result: object) -> None:
        """Nobody will ask again."""


@dataclass(frozen=True)  # no slots: the id is reckoned once
class KeyScope:
    """Where a key is unique: one user, one operation (`POST /v1/bookings`)."""

    user_id: str
    operation: str
    key: str

    @cached_property
    def id(self) -> str:
        """The row's id: SHA-256 of the three parts, so no part can be read or forged as another."""
        parts = (self.user_id, self.operation, self.key)
        return hashlib.sha256(b"".join(len(p.encode()).to_bytes(4) + p.encode() for p in parts)).hexdigest()

    def derived_id(self, prefix: str, part: str = "") -> str:
        """An id that depends on this scope alone: even a lost row cannot make an effect under it happen twice."""
        return f"{prefix}_{hashlib.sha256(f'{self.id}:{prefix}:{part}'.encode()).hexdigest()[:32]}"


@dataclass(frozen=True, slots=True)
class KeptReply:
    """An answer as it was sent: `headers` are those that belong to it (`Location`, `ETag`, `Content-Type`)."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to work on a key until the lease ends."""

    scope: KeyScope
    holder: str


class IdempotencyKeys:
    """The collection `idempotency`. Rows end by a TTL index, so the collection is bounded by what a day brings."""

    def __init__(self, database: Database) -> None:
        self._rows = database.collection("idempotency")
        self._firsts: Batches[Document, bool] = Batches(self._insert)

    async def claim(self, scope: KeyScope, fingerprint: str, now: datetime, kept_for: timedelta) -> Claim | KeptReply:
        """The claim for whoever comes first or takes over from a crashed holder, the kept reply for everybody after.

        Raises `KeyReused` for another fingerprint and `StillRunning` while the lease of another holder lasts.
        """
        claim = Claim(scope, secrets.token_hex(16))
        first = {
            "_id": scope.id,
            "fingerprint": fingerprint,
            "state": "running",
            "holder": claim.holder,
            "lease_until": now + LEASE,
            "expires_at": now + kept_for,
        }
        return claim if await self._firsts.ask(first) else await self._claim_again(claim, fingerprint, now)

    async def _insert(self, rows: Sequence[Document]) -> Sequence[bool]:
        """Whether each of these keys was new: those that come at the same moment wait for one journal flush."""
        try:
            with answering():
                await self._rows.insert_many(rows, ordered=False)
        except BulkWriteError as error:
            return inserted(error, len(rows))
        return [True] * len(rows)

    async def _claim_again(self, claim: Claim, fingerprint: str, now: datetime) -> Claim | KeptReply:
        try:
            row = await self._rows.find_one({"_id": claim.scope.id})
            if row is None:  # released or expired between the two looks
                raise StillRunning("the first request with this key has just ended: send it again")
            if row["fingerprint"] != fingerprint:
                raise KeyReused("this idempotency key was used for a request that said something else")
            if row["state"] == "done":
                return KeptReply(row["status"], bytes(row["body"]), row["headers"])
            taken_over = await self._rows.update_one(
                {"_id": claim.scope.id, "state": "running", "holder": row["holder"], "lease_until": {"$lte": now}},
                {"$set": {"holder": claim.holder, "lease_until": now + LEASE}},
            )
        except PyMongoError as error:
            raise translated(error) from error
        if not taken_over.matched_count:
            raise StillRunning("the first request with this key is still running")
        return claim

    async def renew(self, claim: Claim, now: datetime) -> bool:
        """Says that its holder is at work, so that nobody takes over before another `LEASE`. False if it is held no
        longer."""
        with answering():
            renewed = await self._rows.update_one(_held(claim), {"$set": {"lease_until": now + LEASE}})
        return renewed.matched_count == 1

    async def finish(self, claim: Claim, reply: KeptReply, session: Session | None = None) -> None:
        """Makes the row `done`, in `session`'s transaction beside the effect. `LeaseLost` if it is no longer ours.

        Without a session: for refusals, which have no effect to be one with.
        """
        try:
            finished = await self._rows.update_one(_held(claim), {"$set": _done(reply)}, session=session)
        except PyMongoError as error:
            if session is not None:
                raise  # the transaction decides whether to try again
            raise translated(error) from error
        if not finished.matched_count:
            raise taken_over()

    async def release(self, claim: Claim) -> bool:
        """Forgets a claim whose work failed without an effect, so that a repeat may try at once. False if it was no
        longer held."""
        try:
            released = await self._rows.delete_one(_held(claim))
        except PyMongoError as error:
            raise translated(error) from error
        return released.deleted_count == 1


def taken_over() -> LeaseLost:
    """What a holder is told who is none any more."""
    return LeaseLost("this request took too long and was taken over by a repeat of it")


def _held(claim: Claim) -> Document:
    return {"_id": claim.scope.id, "state": "running", "holder": claim.holder}


def _done(reply: KeptReply) -> dict[str, Any]:
    return {"state": "done", "status": reply.status, "body": Binary(reply.body), "headers": dict(reply.headers)}
