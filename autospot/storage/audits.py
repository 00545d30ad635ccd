"""What an audit asks of the database: the books added up by MongoDB itself, not by the code that wrote them.

All of it in one session, so in one snapshot. A transaction may last 60 s; a million transfers take a few.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final

from autospot.domain.ledger import Balance
from autospot.storage.mongo import Collection, Database, Document, Session

COUNTED: Final = ["posted", "post"]
FAULTS_LIMIT: Final = 50
"""Of each kind of fault so many are named: one is enough to stop money."""

Key = tuple[str, str]
"""An account as text, and a currency."""


class LedgerAudits:
    """Reads `transfers`, `wallets` and `payments` as a whole."""

    def __init__(self, database: Database) -> None:
        self._transfers = database.collection("transfers")
        self._wallets = database.collection("wallets")
        self._payments = database.collection("payments")

    async def malformed(self, session: Session) -> Sequence[str]:
        """Ids of transfers that do not balance in themselves: no whole positive amount, one account, no known kind."""
        wanted = {
            "$or": [
                {"amount": {"$not": {"$gt": 0}}},
                {"amount": {"$not": {"$type": ["int", "long"]}}},
                {"kind": {"$nin": ["posted", "pending", "post", "void"]}},
                {"$expr": {"$eq": ["$debit", "$credit"]}},
            ]
        }
        cursor = self._transfers.find(wanted, {"_id": 1}, session=session).limit(FAULTS_LIMIT)
        return [row["_id"] async for row in cursor]

    async def added_up(self, session: Session) -> Mapping[Key, Balance]:
        """The balance of every account, from transfers alone."""
        sums: dict[Key, dict[str, int]] = defaultdict(dict)
        for side, posted, pending in (
            ("debit", "debits", "pending_debits"),
            ("credit", "credits", "pending_credits"),
        ):
            counted = {"$match": {"kind": {"$in": COUNTED}}}
            for name, first in ((posted, [counted]), (pending, _OPEN_HOLDS)):
                group = {"$group": {"_id": [f"${side}", "$currency"], "sum": {"$sum": "$amount"}}}
                for row in await _rows(self._transfers, [*first, group], session):
                    account, currency = row["_id"]
                    sums[account, currency][name] = int(row["sum"])
        return {key: Balance(**parts) for key, parts in sums.items()}

    async def noted(self, session: Session) -> Mapping[Key, Balance]:
        """The balance of every wallet, from its document."""
        names = ("credits", "debits", "pending_credits", "pending_debits")
        return {
            (row["account"], row["currency"]): Balance(**{name: int(row.get(name, 0)) for name in names})
            async for row in self._wallets.find({}, session=session)
        }

    async def wrong_settlements(self, session: Session) -> Sequence[str]:
        """Ids of settlements without hold, of more than it, between other accounts; of holds settled twice."""
        wrong = [
            {"$match": {"kind": {"$in": ["post", "void"]}}},
            {"$lookup": {"from": "transfers", "localField": "settles", "foreignField": "_id", "as": "hold"}},
            {"$set": {"hold": {"$first": "$hold"}}},
            {
                "$match": {
                    "$expr": {
                        "$or": [
                            {"$ne": ["$hold.kind", "pending"]},
                            {"$ne": ["$hold.debit", "$debit"]},
                            {"$ne": ["$hold.credit", "$credit"]},
                            {"$ne": ["$hold.currency", "$currency"]},
                            {"$gt": ["$amount", "$hold.amount"]},
                        ]
                    }
                }
            },
            {"$limit": FAULTS_LIMIT},
        ]
        twice = [
            {"$match": {"settles": {"$type": "string"}}},
            {"$group": {"_id": "$settles", "count": {"$sum": 1}}},
            {"$match": {"count": {"$gt": 1}}},
            {"$limit": FAULTS_LIMIT},
        ]
        found = [row["_id"] for row in await _rows(self._transfers, wrong, session)]
        return found + [row["_id"] for row in await _rows(self._transfers, twice, session)]

    async def payments_without_money(self, session: Session) -> Sequence[str]:
        """Ids of payments that say they took something that no transfer of theirs took."""
        pipeline: list[Document] = [
            {"$match": {"captured": {"$gt": 0}}},
            {
                "$lookup": {
                    "from": "transfers",
                    "localField": "_id",
                    "foreignField": "cause.subject",
                    "pipeline": [{"$match": _TAKES}],
                    "as": "taken",
                }
            },
            {"$match": {"$expr": {"$ne": [{"$sum": "$taken.amount"}, "$captured"]}}},
            {"$limit": FAULTS_LIMIT},
        ]
        return [row["_id"] for row in await _rows(self._payments, pipeline, session)]

    async def money_without_payment(self, session: Session) -> Sequence[str]:
        """Ids that transfers name as their payment, though no such payment took that much."""
        pipeline: list[Document] = [
            {"$match": _TAKES},
            {"$group": {"_id": "$cause.subject", "sum": {"$sum": "$amount"}}},
            {"$lookup": {"from": "payments", "localField": "_id", "foreignField": "_id", "as": "payment"}},
            {"$set": {"payment": {"$first": "$payment"}}},
            {
                "$match": {
                    "$expr": {"$ne": ["$payment.captured", "$sum"]},
                    "payment.failure": {"$ne": "paid_late"},
                }
            },
            {"$limit": FAULTS_LIMIT},
        ]
        return [row["_id"] for row in await _rows(self._transfers, pipeline, session)]


_TAKES: Final[Document] = {"kind": {"$in": COUNTED}, "cause.kind": {"$in": ["payment", "top_up"]}}

_OPEN_HOLDS: Final[list[Document]] = [
    {"$match": {"kind": "pending"}},
    {"$lookup": {"from": "transfers", "localField": "_id", "foreignField": "settles", "as": "settled"}},
    {"$match": {"settled": []}},
]


async def _rows(collection: Collection, pipeline: list[Any], session: Session) -> list[Document]:
    rows: list[Document] = await collection.aggregate(pipeline, session=session).to_list(None)
    return rows
