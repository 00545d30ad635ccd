"""`bays`: one document per bay, the projection of the feed that start-up loads. Written behind, in small batches.

Document: `{_id: "lot/bay", lot, bay, rev, state, occupied, since, at, last, heard, health, claim, closure}`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from bson.codec_options import CodecOptions, DatetimeConversion
from pymongo import ReplaceOne
from pymongo.errors import PyMongoError

from autospot.domain.bay import NOTHING_SAID, Claim, Closure, SensorHalf, State
from autospot.domain.instant import from_ms
from autospot.storage.mongo import Database, Document, Index, translated

INDEXES: tuple[Index, ...] = ()

_LOAD_BATCH = 10_000
_RAW_TIMES: CodecOptions[Document] = CodecOptions(datetime_conversion=DatetimeConversion.DATETIME_MS)
"""Times as plain integers: a million bays load in half the time that datetimes take."""


@dataclass(frozen=True, slots=True)
class StoredBay:
    """A bay as it was at position `rev`.

    `occupied` since `since_ms`, by the reading of `at_ms`. `last` is the newest reading that is known to be durable,
    by whose order the next one is judged. `heard_ms` is when the hub last heard the sensor, `health` what it said of
    itself (battery 0..1, battery_volts V, rssi dBm, snr dB, temperature degrees C).
    """

    lot: str
    bay: str
    rev: int
    state: State
    occupied: bool | None
    since_ms: int | None
    at_ms: int | None
    claim: Claim | None = None
    closure: Closure | None = None
    last: SensorHalf = NOTHING_SAID
    heard_ms: int | None = None
    health: dict[str, float] | None = None


class Bays:
    """Reads and writes the projection."""

    def __init__(self, database: Database) -> None:
        self._collection = database.collection("bays")

    async def write(self, bays: Sequence[StoredBay]) -> None:
        """Replaces the documents of `bays`. `Unavailable` in an outage; repeating it is harmless."""
        if not bays:
            return
        try:
            await self._collection.bulk_write(
                [ReplaceOne({"_id": f"{bay.lot}/{bay.bay}"}, _encode(bay), upsert=True) for bay in bays],
                ordered=False,
            )
        except PyMongoError as error:
            raise translated(error) from error

    async def remove(self, bays: Iterable[tuple[str, str]]) -> None:
        """Forgets bays, each given as its lot's code and its own. `Unavailable` as for `write`."""
        try:
            await self._collection.delete_many({"_id": {"$in": [f"{lot}/{bay}" for lot, bay in bays]}})
        except PyMongoError as error:
            raise translated(error) from error

    async def load(self, lots: Collection[str] | None = None) -> AsyncIterator[list[StoredBay]]:
        """Every stored bay (of `lots`, if given), in batches."""
        criteria: Document = {} if lots is None else {"lot": {"$in": list(lots)}}
        cursor = self._collection.with_options(codec_options=_RAW_TIMES).find(criteria, batch_size=_LOAD_BATCH)
        try:
            while batch := await cursor.to_list(_LOAD_BATCH):
                yield [_decode(document) for document in batch]
        except PyMongoError as error:
            raise translated(error) from error


def _encode(bay: StoredBay) -> Document:
    document: Document = {
        "lot": bay.lot,
        "bay": bay.bay,
        "rev": bay.rev,
        "state": bay.state,
        "occupied": bay.occupied,
        "since": _date(bay.since_ms),
        "at": _date(bay.at_ms),
        "heard": _date(bay.heard_ms),
    }
    if bay.last.at_ms is not None:
        document["last"] = {"at": from_ms(bay.last.at_ms), "boot": bay.last.boot, "seq": bay.last.seq}
    if bay.health:
        document["health"] = bay.health
    if bay.claim:
        document["claim"] = {
            "kind": bay.claim.kind,
            "accepts_from": from_ms(bay.claim.accepts_from_ms),
            "until": from_ms(bay.claim.until_ms),
            "ref": bay.claim.ref,
        }
    if bay.closure:
        document["closure"] = {"reason": bay.closure.reason, "until": _date(bay.closure.until_ms)}
    return document


def _decode(document: Document) -> StoredBay:
    claim, closure, last = document.get("claim"), document.get("closure"), document.get("last")
    occupied, since_ms = document["occupied"], _ms(document["since"])
    return StoredBay(
        lot=document["lot"],
        bay=document["bay"],
        rev=document["rev"],
        state=document["state"],
        occupied=occupied,
        since_ms=since_ms,
        at_ms=_ms(document["at"]),
        claim=Claim(claim["kind"], int(claim["accepts_from"]), int(claim["until"]), claim["ref"]) if claim else None,
        closure=Closure(closure["reason"], _ms(closure["until"])) if closure else None,
        last=SensorHalf(occupied, since_ms, int(last["at"]), last["boot"], last["seq"]) if last else NOTHING_SAID,
        heard_ms=_ms(document["heard"]),
        health=document.get("health"),
    )


def _date(instant_ms: int | None) -> Any:
    return None if instant_ms is None else from_ms(instant_ms)


def _ms(stored: Any) -> int | None:
    return None if stored is None else int(stored)
