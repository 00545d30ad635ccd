"""`invoices`: every invoice and credit note, append-only, and the counters of their numbers.

`invoice_counters` has one document per series and year. Its count is raised in the transaction that stores the
document: a number whose transaction fails is free again, so there are no gaps; two transactions at the same time meet
as a conflict, so there is no number twice. `invoice_skips` names transfers that need no document, with the reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

from pymongo import ASCENDING, DESCENDING, ReturnDocument

from autospot.domain.invoice import Invoice, InvoiceKind, InvoiceLine, Seller
from autospot.storage.mongo import Database, Document, Index, Session
from autospot.storage.outages import answering

_CAUSES: Final = ["payment", "refund"]

INDEXES = (
    Index("invoices", [("source", ASCENDING)], {"unique": True}),
    Index("invoices", [("number", ASCENDING)], {"unique": True}),
    Index("invoices", [("user_id", ASCENDING), ("issued_at", DESCENDING), ("_id", DESCENDING)]),
    Index("invoices", [("payment", ASCENDING)]),
    Index("transfers", [("at", ASCENDING)], {"partialFilterExpression": {"cause.kind": {"$in": _CAUSES}}}),
)

MARK: Final = "invoiced"
OF_ONE_PAYMENT: Final = 400
"""Documents of one payment that are read: its invoice, and a credit note for each of its 200 refunds."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A transfer that needs a document: money for a lot (`invoice`), or money back from it."""

    transfer_id: str
    kind: InvoiceKind
    lot: str
    payment: str
    amount: int
    currency: str
    at: datetime


class Invoices:
    """Reads and adds documents. There is no way to change or remove one."""

    def __init__(self, database: Database) -> None:
        self._invoices = database.collection("invoices")
        self._counters = database.collection("invoice_counters")
        self._skips = database.collection("invoice_skips")
        self._transfers = database.collection("transfers")
        self._marks = database.collection("marks")

    async def next_count(self, session: Session, counter: str) -> int:
        """Takes the next number of a series and year; given back if the transaction fails."""
        row = await self._counters.find_one_and_update(
            {"_id": counter},
            {"$inc": {"count": 1}},
            upsert=True,
            return_document=ReturnDocument.AFTER,
            session=session,
        )
        return int(row["count"])

    async def add(self, session: Session, invoice: Invoice) -> None:
        """Stores a document."""
        await self._invoices.insert_one(_row(invoice), session=session)

    async def skip(self, session: Session, taken: Taken, reason: str) -> None:
        """Notes that a transfer gets no document."""
        await self._skips.insert_one({"_id": taken.transfer_id, "reason": reason}, session=session)

    async def of_payment(self, session: Session, payment: str) -> Sequence[Invoice]:
        """All documents about one payment."""
        cursor = self._invoices.find({"payment": payment}, session=session).limit(OF_ONE_PAYMENT)
        return [_invoice(row) async for row in cursor]

    async def find(self, invoice_id: str, user_id: str) -> Invoice | None:
        """A document of that user."""
        with answering():
            row = await self._invoices.find_one({"_id": invoice_id, "user_id": user_id})
        return None if row is None else _invoice(row)

    async def newest(self, user_id: str, most: int, *, before: tuple[datetime, str] | None = None) -> Sequence[Invoice]:
        """A user's documents, newest first; `before`: time and id of the last one seen."""
        wanted: Document = {"user_id": user_id}
        if before is not None:
            at, last_id = before
            wanted["$or"] = [{"issued_at": {"$lt": at}}, {"issued_at": at, "_id": {"$lt": last_id}}]
        with answering():
            cursor = self._invoices.find(wanted).sort([("issued_at", DESCENDING), ("_id", DESCENDING)]).limit(most)
            return [_invoice(row) async for row in cursor]

    async def invoiced_until(self, session: Session) -> datetime | None:
        """Up to which instant every transfer has its document; None before the first round."""
        row = await self._marks.find_one({"_id": MARK}, session=session)
        return None if row is None else row["at"]

    async def mark(self, session: Session, at: datetime) -> None:
        """Notes that every transfer up to `at` has its document."""
        await self._marks.update_one({"_id": MARK}, {"$set": {"at": at}}, upsert=True, session=session)

    async def uninvoiced(self, session: Session, since: datetime | None, most: int) -> Sequence[Taken]:
        """Transfers since then that lots took or gave back and that have no document, oldest first."""
        pipeline: list[Document] = [
            {"$match": _needs_document(since)},
            {"$sort": {"at": 1, "cause.kind": 1, "_id": 1}},
            *_without("invoices", "source"),
            *_without("invoice_skips", "_id"),
            {"$limit": most},
        ]
        return [_taken(row) async for row in self._transfers.aggregate(pipeline, session=session)]


def _needs_document(since: datetime | None) -> Document:
    wanted: Document = {
        "cause.kind": {"$in": _CAUSES},
        "kind": {"$in": ["posted", "post"]},
        "$or": [
            {"cause.kind": "payment", "credit": {"$regex": "^revenue:"}},
            {"cause.kind": "refund", "debit": {"$regex": "^revenue:"}},
        ],
    }
    return wanted if since is None else {"at": {"$gte": since}, **wanted}


def _without(collection: str, field: str) -> list[Document]:
    join = {"from": collection, "localField": "_id", "foreignField": field, "as": "there"}
    return [{"$lookup": join}, {"$match": {"there": []}}]


def _taken(row: Document) -> Taken:
    is_payment = row["cause"]["kind"] == "payment"
    account = row["credit"] if is_payment else row["debit"]
    return Taken(
        transfer_id=row["_id"],
        kind="invoice" if is_payment else "credit_note",
        lot=account.partition(":")[2],
        payment=row["cause"]["subject"],
        amount=row["amount"],
        currency=row["currency"],
        at=row["at"],
    )


_PLAIN: Final = (
    "number",
    "kind",
    "user_id",
    "lot",
    "subject",
    "payment",
    "source",
    "issued_at",
    "supplied_at",
    "currency",
    "vat_basis_points",
    "vat",
)


def _row(invoice: Invoice) -> Document:
    return {
        "_id": invoice.id,
        **{name: getattr(invoice, name) for name in _PLAIN},
        "seller": asdict(invoice.seller),
        "lines": [asdict(line) for line in invoice.lines],
        "corrects": list(invoice.corrects),
    }


def _invoice(row: Document) -> Invoice:
    seller: dict[str, Any] = row["seller"]
    return Invoice(
        id=row["_id"],
        **{name: row[name] for name in _PLAIN},
        seller=Seller(seller["name"], tuple(seller["address"]), seller["vat_id"], seller["time_zone"]),
        lines=tuple(InvoiceLine(line["words"], line["gross"]) for line in row["lines"]),
        corrects=tuple(row["corrects"]),
    )
