"""The mark that stops all money: set by an audit that found a mismatch, taken away by one that found none."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from autospot.domain.errors import Unavailable
from autospot.storage.mongo import Database, Session
from autospot.storage.outages import answering

MARK = "money_stopped"


class MoneyStopped(Unavailable):
    """The books do not agree. No money moves until somebody has looked."""

    code = "money_stopped"


@dataclass(frozen=True, slots=True)
class Stop:
    """Since when, and why."""

    at: datetime
    reason: str


class MoneyStop:
    """Reads and writes the mark. Every transaction that moves money reads it in its own snapshot."""

    def __init__(self, database: Database) -> None:
        self._marks = database.collection("marks")

    async def require_running(self, session: Session) -> None:
        """`MoneyStopped` if money is stopped."""
        if await self._marks.find_one({"_id": MARK}, session=session) is not None:
            raise MoneyStopped("payments rest while the books are checked: come back later")

    async def current(self) -> Stop | None:
        """The stop in force; None while money moves."""
        with answering():
            mark = await self._marks.find_one({"_id": MARK})
        return None if mark is None else Stop(mark["at"], mark["reason"])

    async def stop(self, reason: str, now: datetime) -> None:
        """Stops money. The first reason stays."""
        with answering():
            await self._marks.update_one({"_id": MARK}, {"$setOnInsert": {"at": now, "reason": reason}}, upsert=True)

    async def resume(self) -> bool:
        """Lets money move again; False if it was not stopped."""
        with answering():
            return bool((await self._marks.delete_one({"_id": MARK})).deleted_count)
