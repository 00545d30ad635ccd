"""Giving back: all or part of a payment, to where it came from or to the wallet; and credits for trouble."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Final

from autospot.clock import Clock
from autospot.domain.access import Action, Principal, lots_within
from autospot.domain.audit import Actor
from autospot.domain.errors import Conflict, InvalidInput
from autospot.domain.ledger import Transfer
from autospot.domain.money import Money
from autospot.domain.payment.entries import compensation_entry
from autospot.domain.payment.intent import RefundState
from autospot.domain.payment.payment import Payment, Refund
from autospot.services.audit import Audit
from autospot.services.cashier.bookkeeping import Bookkeeping
from autospot.services.cashier.gateway_work import GatewayWork
from autospot.services.cashier.payments import no_such_payment
from autospot.storage import payments as stored
from autospot.storage.idempotency import Once
from autospot.storage.mongo import Database, Session

BY_OPERATORS: Final = 20
"""Refunds of a payment from which on an operator is refused one more: the rest is left to changes by its driver."""


class Refunds:
    """Gives money back."""

    def __init__(
        self,
        database: Database,
        payments: stored.Payments,
        books: Bookkeeping,
        work: GatewayWork,
        audit: Audit,
        clock: Clock,
    ) -> None:
        self._database = database
        self._payments = payments
        self._books = books
        self._work = work
        self._audit = audit
        self._clock = clock

    async def refund(
        self,
        principal: Principal,
        actor: Actor,
        payment_id: str,
        amount: Money | None,
        reason: str,
        once: Once[tuple[Payment, Refund]],
        *,
        to_wallet: bool = False,
    ) -> tuple[Payment, Refund]:
        """An operator's refund of `amount`, or of all that is left. `NotFound` for payments of other lots;
        `WrongPaymentState`, `Conflict` (`refund_too_large`, `too_many_refunds`), `InsufficientFunds` (a top-up that is
        spent), `MoneyStopped`."""
        now = self._clock.now()

        async def work(session: Session) -> tuple[Payment, Refund]:
            payment = await self._payments.find(payment_id, session=session)
            if payment is None or not _may_refund(principal, payment):
                raise no_such_payment()
            if amount is not None and amount.currency != payment.amount.currency:
                raise InvalidInput("a refund is in the payment's currency", at="/amount/currency")
            if len(payment.refunds) >= BY_OPERATORS:
                raise Conflict(f"this payment was refunded {BY_OPERATORS} times already", code="too_many_refunds")
            cents = payment.kept if amount is None else amount.amount
            made = await self.refund_within(session, payment, once.id("rfd"), cents, reason, now, to_wallet=to_wallet)
            await self._books.tell(session, made[0], now)
            before, after = {"kept": payment.kept}, {"kept": made[0].kept, "reason": reason}
            await self._audit.record(
                session, actor, "payment.refunded", payment.id, now, lot=payment.lot, before=before, after=after
            )
            await once.keep(session, made)
            return made

        return await self._database.transaction(work)

    async def refund_within(
        self,
        session: Session,
        payment: Payment,
        refund_id: str,
        amount: int,
        reason: str,
        now: datetime,
        *,
        to_wallet: bool = False,
    ) -> tuple[Payment, Refund]:
        """A refund as part of a bigger step; `payment` as read in `session`. Whoever keeps the thing is not told.

        What was paid from a wallet goes back there at once; to a card it is `processing` until the gateway says more.
        """
        if amount <= 0:
            raise InvalidInput("a refund gives back at least 1", at="/amount/amount")
        refund = Refund(refund_id, amount, RefundState.PROCESSING, reason, now)
        if payment.card is None or (to_wallet and payment.subject is not None):
            refund = replace(refund, state=RefundState.SUCCEEDED, to_wallet=True)
        after = await self._books.refund_begun(session, payment, refund, now)
        if not refund.to_wallet:
            await self._work.order(session, after, "refund", now, refund_id=refund.id)
        return after, refund

    async def compensate_within(
        self, session: Session, transfer_id: str, user_id: str, amount: Money, subject: str, now: datetime
    ) -> Transfer:
        """Credits a wallet for trouble, such as a booking that could not be kept. `subject` is the id of its cause;
        `transfer_id` is from the caller's `Once`, so that it happens once."""
        paid = amount.payable()
        entry = compensation_entry(transfer_id, user_id, paid.amount, paid.currency, subject, now)
        await self._books.enter(session, [entry], now)
        return entry


def _may_refund(principal: Principal, payment: Payment) -> bool:
    """Operators refund what was paid for their lots; a top-up is for no lot, so for admins alone."""
    lots = lots_within(principal, Action.REFUND)
    return lots is None or payment.lot in lots
