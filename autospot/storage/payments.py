"""`payments`: one document each, changed by its pure steps inside the transaction of the transfers they make."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from pymongo import ASCENDING, DESCENDING
from pymongo.errors import DuplicateKeyError

from autospot.domain.errors import Conflict
from autospot.domain.money import Money
from autospot.domain.payment.intent import PaymentState, RefundState
from autospot.domain.payment.payment import UNFINISHED, CardSide, Payment, Refund, Subject
from autospot.storage.idempotency import AlreadyDone
from autospot.storage.mongo import Database, Document, Index, Session
from autospot.storage.outages import answering

INDEXES = (
    Index("payments", [("user_id", ASCENDING), ("created_at", DESCENDING), ("_id", DESCENDING)]),
    Index("payments", [("subject.kind", ASCENDING), ("subject.id", ASCENDING)], {"sparse": True}),
    Index(
        "payments",
        [("being_paid", ASCENDING)],
        {"unique": True, "partialFilterExpression": {"being_paid": {"$type": "string"}}},
    ),
)
"""The unique one: a thing is being paid by one payment at a time."""

OF_ONE_SUBJECT: Final = 300
"""Payments of one thing that are read: a booking has one or two, and at most one for each of its 200 events."""


class PaymentInProgress(Conflict):
    """The thing is being paid already: wait how that ends."""

    code = "payment_in_progress"


class Payments:
    """Reads and writes payments."""

    def __init__(self, database: Database) -> None:
        self._payments = database.collection("payments")

    async def add(self, session: Session, payment: Payment) -> None:
        """Adds a payment; `PaymentInProgress` while another one of its subject is unfinished, `AlreadyDone` if this one
        was added before."""
        try:
            await self._payments.insert_one(_row(payment), session=session)
        except DuplicateKeyError as error:
            if "_id" in (error.details or {}).get("keyPattern", {}):
                raise AlreadyDone("this was paid before, so long ago that its answer is no longer kept") from error
            raise PaymentInProgress("this is being paid already") from error

    async def find(
        self, payment_id: str, *, user_id: str | None = None, session: Session | None = None
    ) -> Payment | None:
        """A payment, of that user if one is named."""
        wanted = {"_id": payment_id} if user_id is None else {"_id": payment_id, "user_id": user_id}
        with answering(session):
            row = await self._payments.find_one(wanted, session=session)
        return None if row is None else _payment(row)

    async def change(self, session: Session, after: Payment) -> Payment:
        """Stores a payment in place of the version it was made from; the new one has the next version.

        A version that is not there any more means that `session`'s transaction read it outside its snapshot.
        """
        changed = replace(after, version=after.version + 1)
        replaced = await self._payments.replace_one(
            {"_id": after.id, "version": after.version}, _row(changed), session=session
        )
        if not replaced.matched_count:
            raise RuntimeError(f"{after.id} was not read in the transaction that changes it")
        return changed

    async def of_subject(self, subject: Subject, *, session: Session | None = None) -> list[Payment]:
        """The payments of a thing, oldest first, at most `OF_ONE_SUBJECT`."""
        wanted = {"subject.kind": subject.kind, "subject.id": subject.id}
        with answering(session):
            cursor = self._payments.find(wanted, session=session).sort("created_at", ASCENDING).limit(OF_ONE_SUBJECT)
            return [_payment(row) async for row in cursor]

    async def newest(self, user_id: str, most: int, *, before: tuple[datetime, str] | None = None) -> list[Payment]:
        """A user's payments, newest first, at most `most`; `before`: time and id of the last one seen."""
        wanted: dict[str, Any] = {"user_id": user_id}
        if before is not None:
            at, last_id = before
            wanted["$or"] = [{"created_at": {"$lt": at}}, {"created_at": at, "_id": {"$lt": last_id}}]
        with answering():
            cursor = self._payments.find(wanted).sort([("created_at", DESCENDING), ("_id", DESCENDING)]).limit(most)
            return [_payment(row) async for row in cursor]


def _row(payment: Payment) -> Document:
    row: Document = {
        "_id": payment.id,
        "user_id": payment.user_id,
        "amount": payment.amount.amount,
        "currency": payment.amount.currency,
        "state": payment.state.value,
        "words": payment.words,
        "created_at": payment.created_at,
        "lot": payment.lot,
        "vat_basis_points": payment.vat_basis_points,
        "is_hold": payment.is_hold,
        "hold_id": payment.hold_id,
        "captured": payment.captured,
        "failure": payment.failure,
        "refunds": [_refund_row(refund) for refund in payment.refunds],
        "version": payment.version,
    }
    if payment.subject is not None:
        row["subject"] = {"kind": payment.subject.kind, "id": payment.subject.id}
        if payment.state in UNFINISHED:
            row["being_paid"] = str(payment.subject)
    if payment.card is not None:
        card = payment.card
        row["card"] = {
            "provider": card.provider,
            "method": card.method,
            "intent_id": card.intent_id,
            "action_url": card.action_url,
        }
    return row


def _refund_row(refund: Refund) -> Document:
    return {
        "id": refund.id,
        "amount": refund.amount,
        "state": refund.state.value,
        "reason": refund.reason,
        "at": refund.at,
        "to_wallet": refund.to_wallet,
    }


def _payment(row: Document) -> Payment:
    subject, card = row.get("subject"), row.get("card")
    return Payment(
        id=row["_id"],
        user_id=row["user_id"],
        amount=Money(row["amount"], row["currency"]),
        state=PaymentState(row["state"]),
        words=row["words"],
        created_at=row["created_at"],
        subject=None if subject is None else Subject(subject["kind"], subject["id"]),
        lot=row["lot"],
        vat_basis_points=row["vat_basis_points"],
        card=None if card is None else CardSide(**card),
        is_hold=row["is_hold"],
        hold_id=row["hold_id"],
        captured=row["captured"],
        failure=row["failure"],
        refunds=tuple(
            Refund(
                each["id"], each["amount"], RefundState(each["state"]), each["reason"], each["at"], each["to_wallet"]
            )
            for each in row["refunds"]
        ),
        version=row["version"],
    )
