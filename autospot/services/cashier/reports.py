"""Taking what a gateway says. The webhook is the truth, and so is a look at the gateway's own books."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final

import structlog

from autospot.clock import Clock
from autospot.domain.errors import InvalidInput
from autospot.domain.payment.intent import GatewayEvent, Intent, PaymentState, RefundState
from autospot.domain.payment.payment import CARD_HOLD, STEPS, CardSide, Payment
from autospot.services.cashier.bookkeeping import PAID_LATE, Bookkeeping
from autospot.services.gateway.directory import Gateways
from autospot.storage.gateway_inbox import EventTaken, GatewayInbox, Outcome
from autospot.storage.mongo import Database, Session
from autospot.storage.payments import Payments

MOVES_NO_MONEY: Final = frozenset({PaymentState.REQUIRES_ACTION, PaymentState.FAILED, PaymentState.CANCELLED})

log = structlog.get_logger(__name__)


class GatewayReports:
    """Brings payments up to what their gateway says.

    Guarantees: an event counts once, in whatever order and however often events come; a payment never goes back; money
    is entered only by an event that is proven to be the gateway's, or by what AutoSpot looked up itself.
    """

    def __init__(
        self,
        database: Database,
        gateways: Gateways,
        inbox: GatewayInbox,
        payments: Payments,
        books: Bookkeeping,
        clock: Clock,
    ) -> None:
        self._database = database
        self._gateways = gateways
        self._inbox = inbox
        self._payments = payments
        self._books = books
        self._clock = clock

    async def receive(self, provider: str, body: bytes, headers: Mapping[str, str]) -> None:
        """Takes a webhook. Returns when its effects are durable, or it was taken before, or it is about a payment that
        is not AutoSpot's. `NotFound` (provider), `ForgedWebhook`, `InvalidInput`; `Unavailable`: come again."""
        event = self._gateways.named(provider).parse_webhook(body, headers)
        now = self._clock.now()

        async def work(session: Session) -> None:
            await self._take(session, provider, event, now)

        try:
            await self._database.transaction(work)
        except EventTaken:
            return

    async def looked_up(self, payment_id: str, intent: Intent) -> Payment | None:
        """Applies what was found in the gateway's books; the payment as it is then."""
        now = self._clock.now()

        async def work(session: Session) -> Payment | None:
            payment = await self._payments.find(payment_id, session=session)
            return None if payment is None else await self._apply(session, payment, intent, now)

        return await self._database.transaction(work)

    async def answered(self, session: Session, payment: Payment, intent: Intent, now: datetime) -> Payment:
        """Applies the gateway's answer to a request of ours: what moves no money. A yes has to come as an event."""
        _require_fit(payment, intent)
        noted = _noted(payment, intent)
        if intent.state in MOVES_NO_MONEY & STEPS[payment.state]:
            return await self._step(session, noted, intent, now)
        return payment if noted == payment else await self._payments.change(session, noted)

    async def _take(self, session: Session, provider: str, event: GatewayEvent, now: datetime) -> None:
        if await self._inbox.has(provider, event.id, session=session):
            return
        payment_id = event.intent.reference
        payment = await self._payments.find(payment_id, session=session)
        if payment is None or payment.card is None or payment.card.provider != provider:
            log.warning("webhook about an unknown payment", provider=provider, event_id=event.id)
            await self._inbox.add(session, provider, event.id, payment_id, "unknown_payment", now)
            return
        after = await self._apply(session, payment, event.intent, now)
        outcome: Outcome = "no_news" if after.version == payment.version else "applied"
        await self._inbox.add(session, provider, event.id, payment.id, outcome, now)

    async def _apply(self, session: Session, payment: Payment, intent: Intent, now: datetime) -> Payment:
        _require_fit(payment, intent)
        after = _noted(payment, intent)
        if after != payment:
            after = await self._payments.change(session, after)
        if _reached(intent) in STEPS[after.state]:
            after = await self._step(session, after, intent, now)
        elif _is_late(after, intent):
            after = await self._books.came_late(session, after, intent.captured, now)
        for report in intent.refunds:
            refund = after.refund(report.reference)
            if refund is None:
                log.error("refund that nobody here asked for", payment=payment.id, amount=report.amount)
            elif refund.state is RefundState.PROCESSING and report.state is not RefundState.PROCESSING:
                after = await self._books.refund_ended(session, after, refund, report.state, now)
        if (after.state, after.refunds) != (payment.state, payment.refunds):
            await self._books.tell(session, after, now)
        return after

    async def _step(self, session: Session, payment: Payment, intent: Intent, now: datetime) -> Payment:
        match _reached(intent):
            case PaymentState.AUTHORISED:
                return await self._books.held(session, payment, now + CARD_HOLD, now)
            case PaymentState.SUCCEEDED:
                return await self._books.captured(session, payment, intent.captured, now, fee=intent.fee)
            case PaymentState.FAILED | PaymentState.CANCELLED as state:
                return await self._books.let_go(session, payment, state, now, failure=intent.failure)
            case state:
                return await self._payments.change(session, payment.at_state(state))


def _reached(intent: Intent) -> PaymentState:
    """The state that money was in before refunds: those are applied one by one."""
    return PaymentState.SUCCEEDED if intent.state is PaymentState.REFUNDED else intent.state


def _is_late(payment: Payment, intent: Intent) -> bool:
    """True if the gateway collected for a payment that AutoSpot has given up."""
    given_up = payment.state in (PaymentState.FAILED, PaymentState.CANCELLED)
    return given_up and _reached(intent) is PaymentState.SUCCEEDED and payment.failure != PAID_LATE


def _require_fit(payment: Payment, intent: Intent) -> None:
    fits = (
        (intent.amount, intent.currency) == (payment.amount.amount, payment.amount.currency)
        and 0 <= intent.captured <= intent.amount
        and (intent.captured > 0) == (_reached(intent) is PaymentState.SUCCEEDED)
    )
    if not fits:
        log.error("the gateway speaks of another amount", payment=payment.id, intent=intent.id)
        raise InvalidInput("this is not the amount that was asked for", code="intent_mismatch")


def _noted(payment: Payment, intent: Intent) -> Payment:
    """What the gateway calls it, and where the driver confirms, while that is asked for."""
    if payment.card is None:
        return payment
    is_ahead = _reached(intent) in STEPS[payment.state] or _reached(intent) is payment.state
    action_url = intent.action_url if is_ahead else payment.card.action_url
    card = CardSide(payment.card.provider, payment.card.method, intent.id, action_url)
    return replace(payment, card=card)
