"""`tariffs`: every version of every lot's tariff, one document each, append-only.

Document: `_id` is `lot/version`, `document` the tariff as canonical JSON text, so that what is read back has the
fingerprint that was stored; `saved_at` is when it was stored. This module has no way to change or remove one.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from pymongo import ASCENDING, DESCENDING
from pymongo.errors import DuplicateKeyError

from autospot.domain.errors import PreconditionFailed
from autospot.domain.lot import BayKind
from autospot.domain.period import Period
from autospot.domain.tariff import Tariff, TariffBook, parse_tariff
from autospot.domain.tariff.canonical import canonical_json
from autospot.storage.batches import Batches
from autospot.storage.mongo import Database, Document, Index, Session
from autospot.storage.outages import answering

INDEXES = (Index("tariffs", [("lot", ASCENDING), ("version", DESCENDING)], {"unique": True}),)

BOOKS_KEPT: Final = 256
"""Lots whose versions are kept in memory, the ones asked for last."""


@dataclass(frozen=True, slots=True)
class PastStay:
    """A stay that is over: when it was, and on which kind of bay."""

    period: Period
    kind: BayKind


class Tariffs:
    """Reads tariffs, and adds versions.

    A book read here is never stale: versions are only ever added, so the highest number (one look into an index) says
    whether the one in memory is complete.
    """

    def __init__(self, database: Database) -> None:
        self._tariffs = database.collection("tariffs")
        self._sessions = database.collection("sessions")
        self._books: OrderedDict[str, tuple[int, TariffBook]] = OrderedDict()
        self._looks: Batches[str, int | None] = Batches(self._highest)

    async def newest(self, lot: str, *, session: Session | None = None) -> Tariff | None:
        """The version of a lot with the highest number, valid or not yet; None for a lot without a tariff."""
        with answering(session):
            row = await self._tariffs.find_one({"lot": lot}, sort=[("version", DESCENDING)], session=session)
        return None if row is None else parse_tariff(row["document"])

    async def book(self, lot: str) -> TariffBook | None:
        """All versions of a lot; None for one without a tariff."""
        newest = await self._looks.ask(lot)
        if newest is None:
            return None
        kept = self._books.get(lot)
        if kept is None or kept[0] < newest:
            versions = await self.versions(lot)
            kept = (max(each.version for each in versions), TariffBook(versions))
            self._books[lot] = kept
        self._books.move_to_end(lot)
        if len(self._books) > BOOKS_KEPT:
            self._books.popitem(last=False)
        return kept[1]

    async def _highest(self, lots: Sequence[str]) -> Sequence[int | None]:
        """The highest number of each lot, from the index alone: those who book at the same moment look once."""
        group = {"$group": {"_id": "$lot", "highest": {"$max": "$version"}}}
        steps: list[Document] = [{"$match": {"lot": {"$in": list(set(lots))}}}, group]
        with answering():
            rows = await self._tariffs.visit(lambda tariffs: list(tariffs.aggregate(steps)))
        highest = {row["_id"]: int(row["highest"]) for row in rows}
        return [highest.get(lot) for lot in lots]

    async def versions(self, lot: str) -> Sequence[Tariff]:
        """All versions of a lot by their number."""
        with answering():
            cursor = self._tariffs.find({"lot": lot}).sort("version", ASCENDING)
            return [parse_tariff(row["document"]) async for row in cursor]

    async def add(self, lot: str, tariff: Tariff, now: datetime, *, session: Session) -> None:
        """Stores a version; `PreconditionFailed` if its number is taken by another edit."""
        row: Document = {
            "_id": f"{lot}/{tariff.version}",
            "lot": lot,
            "version": tariff.version,
            "version_id": tariff.version_id,
            "document": document_of(tariff),
            "saved_at": now,
        }
        try:
            await self._tariffs.insert_one(row, session=session)
        except DuplicateKeyError:
            raise PreconditionFailed("somebody else stored this version: read the tariff again, then decide") from None

    async def past_stays(self, lot: str, within: Period, most: int) -> Sequence[PastStay]:
        """Sessions of a lot that began within a period and are over, oldest first, at most `most`."""
        wanted = {"lot": lot, "began_at": {"$gte": within.start, "$lt": within.until}, "ended_at": {"$ne": None}}
        fields = {"began_at": 1, "ended_at": 1, "bay_kind": 1}
        with answering():
            cursor = self._sessions.find(wanted, fields).sort("began_at", ASCENDING).limit(most)
            return [
                PastStay(Period(row["began_at"], row["ended_at"]), row["bay_kind"])
                async for row in cursor
                if row["ended_at"] > row["began_at"]
            ]


def document_of(tariff: Tariff) -> str:
    """The tariff as JSON text; `parse_tariff` makes an equal one of it."""
    return canonical_json(tariff.model_dump(mode="json", by_alias=True, exclude_unset=True)).decode()
