"""`gateway_inbox`: every event that a payment gateway has told, once, with what became of it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

from pymongo import ASCENDING
from pymongo.errors import DuplicateKeyError

from autospot.domain.errors import Conflict
from autospot.storage.mongo import Database, Index, Session

KEPT = timedelta(days=90)
"""Long after gateways stop repeating themselves. A repeat after that meets a payment that took the step long ago."""

INDEXES = (Index("gateway_inbox", [("at", ASCENDING)], {"expireAfterSeconds": int(KEPT.total_seconds())}),)

Outcome = Literal["applied", "no_news", "unknown_payment"]


class EventTaken(Conflict):
    """The event was taken by another transaction at the same moment."""

    code = "event_taken"


class GatewayInbox:
    """Writes and asks `gateway_inbox`."""

    def __init__(self, database: Database) -> None:
        self._events = database.collection("gateway_inbox")

    async def has(self, provider: str, event_id: str, *, session: Session) -> bool:
        """True if the event was taken before."""
        return await self._events.find_one({"_id": _id(provider, event_id)}, {"_id": 1}, session=session) is not None

    async def add(
        self, session: Session, provider: str, event_id: str, payment_id: str, outcome: Outcome, now: datetime
    ) -> None:
        """Takes an event, in the transaction of its effects; `EventTaken` if another one was faster."""
        row = {"_id": _id(provider, event_id), "payment": payment_id, "outcome": outcome, "at": now}
        try:
            await self._events.insert_one(row, session=session)
        except DuplicateKeyError as error:
            raise EventTaken("this event was taken before") from error


def _id(provider: str, event_id: str) -> str:
    return f"{provider}:{event_id}"
