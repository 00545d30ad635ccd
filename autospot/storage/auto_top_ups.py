"""`auto_top_ups`: who wants the wallet filled by itself, and how."""

from __future__ import annotations

from dataclasses import asdict

from autospot.domain.payment.auto_top_up import AutoTopUp
from autospot.storage.mongo import Database, Document, Session
from autospot.storage.outages import answering


class AutoTopUps:
    """Reads and writes `auto_top_ups`, one document per user who opted in."""

    def __init__(self, database: Database) -> None:
        self._wishes = database.collection("auto_top_ups")

    async def find(self, user_id: str, *, session: Session | None = None) -> AutoTopUp | None:
        """The user's wish; None if there is none."""
        with answering(session):
            row = await self._wishes.find_one({"_id": user_id}, session=session)
        return None if row is None else _wish(row)

    async def put(self, user_id: str, wish: AutoTopUp, *, session: Session | None = None) -> None:
        """Stores the wish in place of the one before."""
        row = asdict(wish)
        with answering(session):
            await self._wishes.replace_one({"_id": user_id}, row, upsert=True, session=session)

    async def begin(self, user_id: str, payment_id: str) -> bool:
        """Notes the payment that fills the wallet; False if there is no wish that may begin one now."""
        with answering():
            begun = await self._wishes.update_one(
                {"_id": user_id, "running": None, "paused": None}, {"$set": {"running": payment_id}}
            )
        return bool(begun.matched_count)

    async def remove(self, user_id: str, *, session: Session | None = None) -> bool:
        """Opts out; False if there was no wish."""
        with answering(session):
            return bool((await self._wishes.delete_one({"_id": user_id}, session=session)).deleted_count)


def _wish(row: Document) -> AutoTopUp:
    return AutoTopUp(row["below"], row["amount"], row["method"], row["running"], row["paused"])
