"""`waiting`: one document per wish, in the order of coming."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from pymongo import ASCENDING

from autospot.domain.errors import PreconditionFailed
from autospot.domain.period import Period
from autospot.domain.waiting import PER_KIND, Wish, WishState
from autospot.storage.mongo import Database, Document, Index, Session
from autospot.storage.outages import answering

KEPT = timedelta(days=30)

INDEXES = (
    Index("waiting", [("lot", ASCENDING), ("kind", ASCENDING), ("state", ASCENDING), ("made_at", ASCENDING)]),
    Index("waiting", [("owner", ASCENDING), ("made_at", ASCENDING)]),
    Index("waiting", [("until", ASCENDING)], {"expireAfterSeconds": int(KEPT.total_seconds())}),
)


class WaitingList:
    """Reads and writes `waiting`."""

    def __init__(self, database: Database) -> None:
        self._wishes = database.collection("waiting")

    async def add(self, wish: Wish, *, session: Session) -> None:
        """Stores a new wish."""
        await self._wishes.insert_one(_row(wish), session=session)

    async def replace(self, before: Wish, after: Wish) -> None:
        """Stores what became of `before`; `PreconditionFailed` if it changed since it was read."""
        with answering():
            done = await self._wishes.replace_one({"_id": before.id, "version": before.version}, _row(after))
        if not done.matched_count:
            raise PreconditionFailed("the wish changed meanwhile")

    async def find(self, wish_id: str, owner: str) -> Wish | None:
        """One wish of a driver."""
        with answering():
            row = await self._wishes.find_one({"_id": wish_id, "owner": owner})
        return None if row is None else _wish(row)

    async def of_owner(self, owner: str, *, session: Session | None = None) -> Sequence[Wish]:
        """The wishes of a driver, oldest first."""
        with answering(session):
            cursor = self._wishes.find({"owner": owner}, session=session).sort("made_at", ASCENDING)
            return [_wish(row) async for row in cursor]

    async def queue(self, lot: str, kind: str) -> Sequence[Wish]:
        """The wishes for a kind that wait or have an offer, in the order of coming."""
        wanted = {"lot": lot, "kind": kind, "state": {"$in": [WishState.WAITING, WishState.OFFERED]}}
        with answering():
            cursor = self._wishes.find(wanted).sort([("made_at", ASCENDING), ("_id", ASCENDING)]).limit(PER_KIND)
            return [_wish(row) async for row in cursor]

    async def count(self, lot: str, kind: str, *, session: Session) -> int:
        """How many wait for a kind."""
        wanted = {"lot": lot, "kind": kind, "state": WishState.WAITING}
        return await self._wishes.count_documents(wanted, session=session)

    async def is_waited_for(self, lot: str, kind: str, *, session: Session) -> bool:
        """True if somebody waits for a kind, or has an offer of it."""
        wanted = {"lot": lot, "kind": kind, "state": {"$in": [WishState.WAITING, WishState.OFFERED]}}
        return await self._wishes.find_one(wanted, {"_id": 1}, session=session) is not None


_PLAIN = ("owner", "lot", "kind", "made_at", "vehicle", "booking", "version")


def _row(wish: Wish) -> Document:
    fields = {name: getattr(wish, name) for name in _PLAIN}
    return {"_id": wish.id, **fields, "from": wish.period.start, "until": wish.period.until, "state": wish.state.value}


def _wish(row: Document) -> Wish:
    fields = {name: row[name] for name in _PLAIN}
    return Wish(id=row["_id"], **fields, period=Period(row["from"], row["until"]), state=WishState(row["state"]))
