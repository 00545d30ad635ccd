"""When something was last tried, by whom: `attempts`. Shared by all processes, so more processes are not more tries."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from pymongo import ASCENDING
from pymongo.errors import DuplicateKeyError

from autospot.domain.errors import LimitReached
from autospot.storage.mongo import Database, Index, Session
from autospot.storage.outages import answering

INDEXES = (Index("attempts", [("forget_at", ASCENDING)], {"expireAfterSeconds": 0}),)

_TRIES = 3


class Attempts:
    """A moving window per key: a list of the newest times, never longer than what is allowed in the window."""

    def __init__(self, database: Database) -> None:
        self._attempts = database.collection("attempts")

    async def take(self, key: str, now: datetime, *, most: int, window: timedelta) -> None:
        """Counts an attempt of `key`; `LimitReached` if `window` already holds `most`.

        One guarded update: however many processes ask at once, no more than `most` pass. A refused attempt does not
        count, so going on trying does not lock the door for longer.
        """
        has_room = {"$or": [{f"at.{most - 1}": {"$exists": False}}, {"at.0": {"$lte": now - window}}]}
        change = {"$push": {"at": {"$each": [now], "$slice": -most}}, "$set": {"forget_at": now + window}}
        for _ in range(_TRIES):
            try:
                with answering():
                    await self._attempts.update_one({"_id": key, **has_room}, change, upsert=True)
                    return
            except DuplicateKeyError:  # there is such a key and it has no room, or another process just made it
                seen = await self.seen(key)
                if len(seen) >= most and seen[-most] > now - window:
                    break
        raise LimitReached(
            "too many attempts", after_seconds=await self._rest(key, now, most, window), code="too_many_attempts"
        )

    async def seen(self, key: str, *, session: Session | None = None) -> Sequence[datetime]:
        """When `key` was tried, oldest first, as far back as was kept."""
        with answering(session):
            row = await self._attempts.find_one({"_id": key}, {"at": 1}, session=session)
        return [] if row is None else row["at"]

    async def add(self, key: str, now: datetime, *, keep: int, memory: timedelta, session: Session) -> None:
        """Counts an attempt within a transaction that has looked at `seen` in the same session."""
        change = {"$push": {"at": {"$each": [now], "$slice": -keep}}, "$set": {"forget_at": now + memory}}
        await self._attempts.update_one({"_id": key}, change, upsert=True, session=session)

    async def forget(self, key: str) -> None:
        """Starts anew for `key`."""
        with answering():
            await self._attempts.delete_one({"_id": key})

    async def _rest(self, key: str, now: datetime, most: int, window: timedelta) -> float:
        seen = await self.seen(key)
        return max(1.0, (seen[-most] + window - now).total_seconds()) if len(seen) >= most else 1.0
