"""`claims`: the people's half of each bay, whole, one document per bay.

It is the one place in which claims and closures meet: whoever changes one changes this document in the same transaction
as the feed entry that tells of it, so two writers of one bay come one after the other and neither undoes the other.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence

from pymongo import ASCENDING

from autospot.domain.bay import Claim, Closure
from autospot.domain.change import ClaimChange, FeedEntry
from autospot.domain.people_half import PeopleHalf, Standing
from autospot.storage.feed import Feed
from autospot.storage.mongo import Database, Document, Index, Session
from autospot.storage.outages import answering

INDEXES = (Index("claims", [("lot", ASCENDING)]),)

Edit = Callable[[PeopleHalf], PeopleHalf]


class Claims:
    """Reads and changes the people's half of bays."""

    def __init__(self, database: Database) -> None:
        self._claims = database.collection("claims")
        self._feed = Feed(database)

    async def of(self, lot: str, bay: str, *, session: Session | None = None) -> PeopleHalf:
        """The people's half of a bay; empty if nothing was ever arranged."""
        with answering(session):
            row = await self._claims.find_one({"_id": f"{lot}/{bay}"}, session=session)
        return PeopleHalf() if row is None else _half(row)

    async def standing(self) -> AsyncIterator[tuple[str, str]]:
        """Lot and bay of every bay that is claimed now."""
        with answering():
            async for row in self._claims.find({"claims.0": {"$exists": True}}, {"lot": 1, "bay": 1}):
                yield row["lot"], row["bay"]

    async def closed(self, lot: str) -> Mapping[str, Closure]:
        """The bays of a lot that its operator has closed."""
        with answering():
            cursor = self._claims.find({"lot": lot, "closure": {"$ne": None}})
            return {row["bay"]: Closure(*row["closure"]) async for row in cursor}

    async def edit(
        self, session: Session, by: str, lot: str, edits: Sequence[tuple[str, Edit]], now_ms: int, *, tell: bool = False
    ) -> None:
        """Changes the halves of bays of one lot, and appends to the feed what that changes on the screens: one entry
        for all of them. `tell` appends it even where nothing changes, for those who follow the feed."""
        changes: list[ClaimChange] = []
        for bay, edit in edits:
            before = await self.of(lot, bay, session=session)
            after = edit(before)
            if after != before:
                await self._store(session, lot, bay, after)
            if tell or after.change(bay) != before.change(bay):
                changes.append(after.change(bay))
        if changes:
            await self._feed.append(FeedEntry(by, claims={lot: changes}), now_ms, session=session)

    async def _store(self, session: Session, lot: str, bay: str, half: PeopleHalf) -> None:
        fields = {
            "lot": lot,
            "bay": bay,
            "claims": [[each.from_ms, list(each.claim)] for each in half.claims],
            "closure": list(half.closure) if half.closure else None,
        }
        await self._claims.update_one({"_id": f"{lot}/{bay}"}, {"$set": fields}, upsert=True, session=session)


def _half(row: Document) -> PeopleHalf:
    claims = tuple(Standing(from_ms, Claim(*claim)) for from_ms, claim in row["claims"])
    return PeopleHalf(claims, Closure(*row["closure"]) if row["closure"] else None)
