"""The steps of payments, entered: each is one change of the payment with all its transfers, in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

import structlog

from autospot.domain.ledger import AccountKind, PendingState, Transfer
from autospot.domain.ledger.account import POINTS, points
from autospot.domain.payment import entries
from autospot.domain.payment.intent import PaymentState, RefundState
from autospot.domain.payment.payment import Payment, Refund
from autospot.domain.payment.points import PointsTerms
from autospot.services.cashier.auto_top_ups import WalletFilling
from autospot.services.cashier.payables import Payables
from autospot.storage.ledger import Ledger
from autospot.storage.mongo import Session
from autospot.storage.payments import Payments
from autospot.storage.seat import together

PAID_LATE: Final = "paid_late"
"""The `failure` of a payment for which money came after all."""

log = structlog.get_logger(__name__)


class Bookkeeping:
    """Enters what happens to payments. Every method takes the payment as read in `session` and returns it as stored.

    `InsufficientFunds`, `WrongPaymentState` and the ledger's other refusals leave everything as it was.
    """

    def __init__(
        self, ledger: Ledger, payments: Payments, payables: Payables, terms: PointsTerms, filling: WalletFilling
    ) -> None:
        self._ledger = ledger
        self._payments = payments
        self._payables = payables
        self._terms = terms
        self._filling = filling

    async def held(self, session: Session, payment: Payment, until: datetime, now: datetime) -> Payment:
        """The amount is kept ready until `until`."""
        hold = entries.hold_entry(payment, now, until)
        await self.enter(session, [hold], now)
        return await self._payments.change(session, payment.at_state(PaymentState.AUTHORISED, hold_id=hold.id))

    async def captured(
        self, session: Session, payment: Payment, amount: int, now: datetime, *, fee: int = 0
    ) -> Payment:
        """`amount` is taken, and what else is held given back. The driver earns points."""
        released, hold = await self._hold_to_take(session, payment, now)
        after = payment.at_state(PaymentState.SUCCEEDED, captured=amount)
        taken = [*released, *self._taken(payment, amount, hold, now), *entries.fee_entry(payment, fee, now)]
        await self.enter(session, taken, now)
        return await self._ended(session, after)

    async def paid_at_once(self, session: Session, payment: Payment, now: datetime) -> Payment:
        """A new payment, taken from the wallet in full. It is written once, in the state in which it stays: paying a
        booking shall cost few round trips."""
        amount = payment.amount.amount
        paid = payment.at_state(PaymentState.SUCCEEDED, captured=amount)
        await self._payments.add(session, paid)
        await self.enter(session, self._taken(payment, amount, None, now), now)
        return paid

    async def let_go(
        self,
        session: Session,
        payment: Payment,
        state: PaymentState,
        now: datetime,
        *,
        failure: str | None = None,
        is_expiry: bool = False,
    ) -> Payment:
        """Nothing is taken: the payment is `failed` or `cancelled`, and what is held is given back."""
        after = payment.at_state(state, failure=failure)
        hold = await self._open_hold(session, payment.hold_id)
        if hold is not None:
            await self.enter(session, [entries.release_entry(payment, hold, now, is_expiry=is_expiry)], now)
        return await self._ended(session, after)

    async def came_late(self, session: Session, payment: Payment, amount: int, now: datetime) -> Payment:
        """Money came for a payment that had been given up: the driver has it in the wallet."""
        log.error("money came for a payment that was given up", payment=payment.id, amount=amount)
        await self.enter(session, [entries.late_entry(payment, amount, now)], now)
        return await self._payments.change(session, replace(payment, failure=PAID_LATE))

    async def refund_begun(self, session: Session, payment: Payment, refund: Refund, now: datetime) -> Payment:
        """A refund to the wallet is made; one to a card is held until the gateway says how it ended."""
        after = payment.with_refund(refund)
        if refund.to_wallet:
            await self._give_back(session, payment, refund, None, now)
        else:
            await self.enter(session, [entries.refund_hold(payment, refund, now)], now)
        return await self._payments.change(session, after)

    async def refund_ended(
        self, session: Session, payment: Payment, refund: Refund, state: RefundState, now: datetime
    ) -> Payment:
        """A refund to a card has arrived, or failed: then a driver who paid for something has it in the wallet."""
        hold = await self._open_hold(session, entries.refund_hold_id(payment, refund))
        ended = replace(refund, state=state, to_wallet=state is RefundState.FAILED and payment.subject is not None)
        if state is RefundState.SUCCEEDED:
            await self._give_back(session, payment, refund, hold, now)
        elif hold is not None:
            await self.enter(session, [entries.release_entry(payment, hold, now)], now)
        if ended.to_wallet:
            await self._give_back(session, payment, ended, None, now)
        return await self._payments.change(session, payment.with_refund(ended))

    async def tell(self, session: Session, payment: Payment, now: datetime) -> None:
        """Tells whoever keeps the thing paid for that its payment took a step. That a driver has to confirm is none."""
        if payment.subject is not None and not payment.is_unfinished:
            await self._payables.keeper(payment.subject).payment_changed(session, payment, now)

    async def enter(self, session: Session, transfers: Sequence[Transfer], now: datetime) -> None:
        """Enters transfers; wallets that run low by them are noticed."""
        debited = {each.debit.of for each in transfers if each.debit.kind is AccountKind.WALLET and not each.settles}
        _, wishes = await together(
            session, self._ledger.append(session, *transfers), self._filling.wishes_of(session, sorted(debited))
        )
        for user_id, wish in wishes.items():
            await self._filling.debited(session, user_id, wish, now)

    async def _give_back(
        self, session: Session, payment: Payment, refund: Refund, hold: Transfer | None, now: datetime
    ) -> None:
        given = [*entries.refund_entries(payment, refund, hold, now)]
        if payment.subject is not None:
            count = self._terms.earned(payment.settled) - self._terms.earned(payment.settled - refund.amount)
            # Points that were spent since are forgiven: the guard would refuse the whole refund.
            left = await self._ledger.balance(points(payment.user_id), POINTS, session=session)
            if (taken := min(count, left.available)) > 0:
                given.append(entries.points_taken_back(payment, refund, taken, now))
        await self.enter(session, given, now)

    def _taken(self, payment: Payment, amount: int, hold: Transfer | None, now: datetime) -> Sequence[Transfer]:
        """What reaches the lot, the VAT in it, and the points for it."""
        count = self._terms.earned(amount) if payment.subject is not None else 0
        earned = [entries.points_earned(payment, count, now)] if count else []
        return [*entries.capture_entries(payment, amount, hold, now), *earned]

    async def _ended(self, session: Session, payment: Payment) -> Payment:
        if payment.subject is None:
            await self._filling.ended(session, payment)
        return await self._payments.change(session, payment)

    async def _hold_to_take(
        self, session: Session, payment: Payment, now: datetime
    ) -> tuple[Sequence[Transfer], Transfer | None]:
        """What to release first, and the hold to take from. A card's hold that ran out here is void: what the gateway
        collected is entered all the same. A wallet's that ran out is refused where it is posted."""
        hold = await self._open_hold(session, payment.hold_id)
        if hold is not None and payment.card is not None and hold.expires_at is not None and now >= hold.expires_at:
            return [entries.release_entry(payment, hold, now, is_expiry=True)], None
        return (), hold

    async def _open_hold(self, session: Session, hold_id: str | None) -> Transfer | None:
        if hold_id is None or await self._ledger.state(hold_id, session=session) is not PendingState.OPEN:
            return None
        return await self._ledger.hold(hold_id, session=session)
