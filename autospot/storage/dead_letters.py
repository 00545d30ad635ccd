"""`dead_letters`: what could not be understood, kept for the people who will want to know why. Bounded by MongoDB."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pymongo import DESCENDING
from pymongo.errors import PyMongoError

from autospot.domain.instant import from_ms
from autospot.storage.mongo import Capped, Database, Index, translated

MAX_BYTES = 64 * 1024 * 1024
MAX_LETTERS = 100_000
KEPT_PAYLOAD_BYTES = 16 * 1024
"""A payload is kept up to the size that would have been accepted; of a longer one, its beginning."""

COLLECTIONS = (Capped("dead_letters", MAX_BYTES, MAX_LETTERS),)
INDEXES: tuple[Index, ...] = ()


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message as it came, and why it was not used. `at` is the time of arrival."""

    topic: str
    payload: bytes
    reason: str
    detail: str
    at: datetime


class DeadLetters:
    """Keeps letters; the oldest give way past `MAX_LETTERS` or `MAX_BYTES`."""

    def __init__(self, database: Database) -> None:
        self._collection = database.collection("dead_letters")

    async def keep(self, letters: Sequence[tuple[str, bytes, str, str, int]]) -> None:
        """Adds `(topic, payload, reason, detail, arrived_ms)`. `Unavailable` in an outage."""
        try:
            await self._collection.insert_many(
                [
                    {
                        "topic": topic,
                        "payload": payload[:KEPT_PAYLOAD_BYTES],
                        "bytes": len(payload),
                        "reason": reason,
                        "detail": detail,
                        "at": from_ms(arrived_ms),
                    }
                    for topic, payload, reason, detail, arrived_ms in letters
                ],
                ordered=False,
            )
        except PyMongoError as error:
            raise translated(error) from error

    async def newest(self, most: int) -> list[DeadLetter]:
        """The last `most` letters, newest first."""
        cursor = self._collection.find().sort("$natural", DESCENDING).limit(most)
        return [
            DeadLetter(row["topic"], bytes(row["payload"]), row["reason"], row["detail"], row["at"])
            async for row in cursor
        ]
