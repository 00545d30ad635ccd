"""The database: one client, one write concern, bounded transactions, indexes declared where they are used."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from bson.codec_options import CodecOptions
from bson.timestamp import Timestamp
from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorClientSession
from pymongo import IndexModel, ReadPreference
from pymongo.errors import (
    CollectionInvalid,
    ConnectionFailure,
    ExecutionTimeout,
    NetworkTimeout,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
    WTimeoutError,
)
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from autospot.domain.errors import InvalidInput, Unavailable
from autospot.storage.collection import Collection as Collection
from autospot.storage.commits import TRANSACTION_SECONDS as TRANSACTION_SECONDS
from autospot.storage.commits import OutcomeUnknown as OutcomeUnknown
from autospot.storage.commits import commit
from autospot.storage.seat import Document as Document
from autospot.storage.sharing import SharedTransactions

SERVER_SELECTION_SECONDS = 5.0
SOCKET_SECONDS = 20.0
MAJORITY = WriteConcern(w="majority", j=True, wtimeout=10_000)
"""Everything acknowledged is durable. It also is the fastest way to a change stream: without the journal flush the
stream waits for the next periodic one (p50 66 ms instead of 6 to 11 ms on the reference machine)."""

Session = AsyncIOMotorClientSession

_OUTAGES = (ConnectionFailure, ServerSelectionTimeoutError, NetworkTimeout, ExecutionTimeout, WTimeoutError)
_OUTAGE_CODES = frozenset({6, 7, 50, 89, 91, 100, 189, 262, 9001, 10058, 10107, 11600, 11602, 13435, 13436, 64})


_NO_ADDRESS = (
    "AUTOSPOT_MONGO_URL: the database's address is mongodb://user:password@host:27017/?replicaSet=name, "
    "with %-signs for what is special in URLs"
)

_NO_REPLICA_SET = (
    "AUTOSPOT_MONGO_URL: this MongoDB is no replica set. AutoSpot needs one, of one node at least: start it with "
    "--replSet and initiate it once"
)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Index:
    """One index of one collection. `options` are those of MongoDB's createIndexes."""

    collection: str
    keys: Sequence[tuple[str, int]]
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Capped:
    """A collection bounded by MongoDB itself: the oldest documents give way."""

    collection: str
    max_bytes: int
    max_documents: int


class Database:
    """One MongoDB database of a replica set.

    Guarantees: writes are majority and journalled; reads see majority-committed data; datetimes are aware UTC; a
    transaction ends within about `TRANSACTION_SECONDS`; driver errors that mean an outage leave as `Unavailable`.
    """

    def __init__(self, url: str, name: str, *, app_name: str = "autospot", pool_size: int = 40) -> None:
        try:
            self.client: AsyncIOMotorClient[Document] = AsyncIOMotorClient(
                url,
                appname=app_name,
                maxPoolSize=pool_size,
                serverSelectionTimeoutMS=int(SERVER_SELECTION_SECONDS * 1000),
                socketTimeoutMS=int(SOCKET_SECONDS * 1000),
                retryWrites=True,
                tz_aware=True,
            )
        except (PyMongoError, ValueError):
            raise InvalidInput(_NO_ADDRESS, at="/mongo_url") from None  # the driver's words may hold the password
        self.name = name
        self._database = self.client.get_database(
            name,
            codec_options=CodecOptions(tz_aware=True),
            write_concern=MAJORITY,
            read_concern=ReadConcern("majority"),
            read_preference=ReadPreference.PRIMARY,
        )
        self._shared = SharedTransactions(self.transaction)

    def collection(self, name: str) -> Collection:
        """The collection `name` with the guarantees above."""
        return Collection(cast("Any", self._database), name)  # Motor's stubs want PyMongo's here

    async def prepare(self, declared: Iterable[Index | Capped]) -> None:
        """Creates what is declared and missing. Safe to run at every start and from several processes at once.
        `Unavailable` in an outage, `InvalidInput` where the database is no replica set."""
        try:
            hello = await self.client.admin.command("hello")
            if "setName" not in hello and hello.get("msg") != "isdbgrid":
                raise InvalidInput(_NO_REPLICA_SET, at="/mongo_url")
            await self._prepare(declared)
        except PyMongoError as error:
            raise translated(error) from error

    async def _prepare(self, declared: Iterable[Index | Capped]) -> None:
        by_collection: dict[str, list[IndexModel]] = {}
        for item in declared:
            if isinstance(item, Capped):
                await self._create_capped(item)
            else:
                by_collection.setdefault(item.collection, []).append(IndexModel(list(item.keys), **item.options))
        for collection, indexes in by_collection.items():
            await self._database[collection].create_indexes(indexes)

    async def _create_capped(self, item: Capped) -> None:
        try:
            await self._database.create_collection(
                item.collection, capped=True, size=item.max_bytes, max=item.max_documents
            )
        except CollectionInvalid:
            return  # the driver's own look: it is there already
        except OperationFailure as error:
            if error.code != 48:  # NamespaceExists: another process created it at the same moment
                raise

    async def ping(self) -> None:
        """Returns when a primary answered; `Unavailable` otherwise."""
        try:
            await self.client.admin.command("ping")
        except PyMongoError as error:
            raise Unavailable("the database does not answer") from error

    async def position(self) -> int:
        """A position in this replica set's history, `seconds << 20 | increment` of the cluster time of a write made now
        and acknowledged by the majority: everything before it is durable and visible."""
        async with await self.client.start_session() as session:
            await self._database["marks"].update_one(
                {"_id": "position"}, {"$currentDate": {"at": True}}, upsert=True, session=session
            )
            time = session.delegate.operation_time
        if time is None:
            raise Unavailable("the database is no replica set: AutoSpot needs one, of one node at least")
        return rev_of(time)

    async def transaction(self, work: Callable[[Session], Awaitable[T]]) -> T:
        """Runs `work` in one transaction and returns what it returned.

        `work` may run several times and must pass its session to every call and let every driver error out.
        Raises what `work` raises, `Unavailable` when conflicts or an outage outlast `TRANSACTION_SECONDS`, and
        `OutcomeUnknown` when the commit's answer was lost.
        """
        # A cancelled request must not cancel a commit half way: its outcome would be unknown to everybody.
        return await asyncio.shield(asyncio.ensure_future(self._transaction(work)))

    async def shared_transaction(self, work: Callable[[Session], Awaitable[T]]) -> T:
        """As `transaction`, in one with others who ask for one at the same moment. For use cases that many run at once
        on documents of their own, and that wait for nothing but the database meanwhile."""
        return await self._shared.run(work)

    async def _transaction(self, work: Callable[[Session], Awaitable[T]]) -> T:
        deadline = time.monotonic() + TRANSACTION_SECONDS
        pause_seconds = 0.002
        # The driver begins and ends a session without asking the server: no thread is needed for that.
        session = AsyncIOMotorClientSession(self.client.delegate.start_session(), self.client)
        try:
            while True:
                session.start_transaction(ReadConcern("snapshot"), MAJORITY, ReadPreference.PRIMARY)
                try:
                    result = await work(session)
                    if session.delegate.in_transaction:  # else `work` has committed already
                        await asyncio.to_thread(commit, session.delegate, deadline)
                    return result
                except PyMongoError as error:
                    await _abort(session)
                    if not error.has_error_label("TransientTransactionError") or time.monotonic() > deadline:
                        raise translated(error) from error
                except BaseException:
                    await _abort(session)
                    raise
                await asyncio.sleep(pause_seconds * (0.5 + random.random()))
                pause_seconds = min(pause_seconds * 2, 0.2)
        finally:
            session.delegate.end_session()

    def close(self) -> None:
        """Closes every connection."""
        self.client.close()


def rev_of(time: Timestamp) -> int:
    """A cluster time as a position: exact in a JavaScript number until the year 2242."""
    return int(time.time) << 20 | int(time.inc)


def timestamp_of(rev: int) -> Timestamp:
    """The cluster time of a position."""
    return Timestamp(rev >> 20, rev & 0xFFFFF)


async def _abort(session: AsyncIOMotorClientSession) -> None:
    if session.delegate.in_transaction:
        try:
            await session.abort_transaction()
        except PyMongoError:
            return  # the server ends it by itself; the first error is the one worth telling


def is_outage(error: PyMongoError) -> bool:
    """True if `error` says that the database could not be reached or had no primary: waiting may help."""
    return isinstance(error, _OUTAGES) or (isinstance(error, OperationFailure) and error.code in _OUTAGE_CODES)


def translated(error: PyMongoError) -> Exception:
    """`Unavailable` for outages and for conflicts that outlasted the retries; anything else unchanged."""
    if is_outage(error) or error.has_error_label("TransientTransactionError"):
        return Unavailable("the database did not answer in time")
    return error
