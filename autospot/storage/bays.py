"""`bays`: one document per bay, the projection of the feed that start-up loads. Written behind, in small batches.

Document: `{_id: "lot/bay", lot, bay, rev, state, occupied, since, at, boot, seq, heard, health, claim, closure}`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass
from typing import Any

from bson.codec_options import CodecOptions, DatetimeConversion
from pymongo import ReplaceOne
from pymongo.errors import PyMongoError

from autospot.domain.bay import Claim, Closure, SensorHalf, State
from autospot.domain.instant import from_ms
from autospot.storage.mongo import Database, Document, Index, translated

INDEXES: tuple[Index, ...] = ()

_LOAD_BATCH = 10_000
_RAW_TIMES: CodecOptions[Document] = CodecOptions(datetime_conversion=DatetimeConversion.DATETIME_MS)
"""Times as plain integers: a million bays load in half the time that datetimes take."""


@dataclass(frozen=True, slots=True)
class StoredBay:
    """A bay as it was at position `rev`. `heard_ms` is when the hub last heard its sensor, `health` what it said of
    itself (battery 0..1, rssi dBm, snr dB, temperature degrees C)."""

    lot: str
    bay: str
    rev: int
    half: SensorHalf
    claim: Claim | None
    closure: Closure | None
    state: State
    heard_ms: int | None = None
    health: dict[str, float] | None = None


class Bays:
    """Reads and writes the projection."""

    def __init__(self, database: Database) -> None:
        self._collection = database.collection("bays")

    async def write(self, bays: Sequence[StoredBay]) -> None:
        """Replaces the documents of `bays`. `Unavailable` in an outage; repeating it is harmless."""
        try:
            await self._collection.bulk_write(
                [ReplaceOne({"_id": f"{bay.lot}/{bay.bay}"}, _encode(bay), upsert=True) for bay in bays],
                ordered=False,
            )
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
    half = bay.half
    document: Document = {
        "lot": bay.lot,
        "bay": bay.bay,
        "rev": bay.rev,
        "state": bay.state,
        "occupied": half.occupied,
        "since": _date(half.since_ms),
        "at": _date(half.at_ms),
        "heard": _date(bay.heard_ms),
    }
    if half.seq is not None:
        document["boot"], document["seq"] = half.boot, half.seq
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
    claim, closure = document.get("claim"), document.get("closure")
    return StoredBay(
        document["lot"],
        document["bay"],
        document["rev"],
        SensorHalf(
            document["occupied"],
            _ms(document["since"]),
            _ms(document["at"]),
            document.get("boot"),
            document.get("seq"),
        ),
        Claim(claim["kind"], int(claim["accepts_from"]), int(claim["until"]), claim["ref"]) if claim else None,
        Closure(closure["reason"], _ms(closure["until"])) if closure else None,
        document["state"],
        _ms(document["heard"]),
        document.get("health"),
    )


def _date(instant_ms: int | None) -> Any:
    return None if instant_ms is None else from_ms(instant_ms)


def _ms(stored: Any) -> int | None:
    return None if stored is None else int(stored)
