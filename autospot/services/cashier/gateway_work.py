"""What AutoSpot asks of gateways, through the due-queue: orders, and looks at how things stand."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Literal

import structlog

from autospot.clock import Clock
from autospot.domain.due import Backoff, Due, GiveUp
from autospot.domain.payment.intent import Intent, PaymentState, RefundState
from autospot.domain.payment.payment import UNFINISHED, Payment, Refund
from autospot.services.cashier.bookkeeping import Bookkeeping
from autospot.services.cashier.reports import GatewayReports
from autospot.services.clockwork import Clockwork, DueKind, Schedule
from autospot.services.gateway.directory import Gateways
from autospot.services.gateway.interface import Gateway, GatewayRefused
from autospot.storage.mongo import Database, Session
from autospot.storage.payments import Payments

LOOKS: Final = tuple(timedelta(seconds=each) for each in (30, 120, 600, 3600, 6 * 3600))
"""How long after a payment began, and after each look, AutoSpot looks again; the last for ever. A webhook comes within
seconds, so the first look finds only what was lost."""
SECOND_STEP: Final = timedelta(minutes=30)
"""How long a driver has to confirm at the bank."""
NEVER_BEGUN: Final = timedelta(minutes=15)
"""After that a payment that the gateway has not heard of will not be begun any more."""

What = Literal["capture", "cancel", "refund"]

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Order:
    """Something to ask of a payment's gateway. `amount` for a capture, `refund_id` for a refund."""

    payment_id: str
    what: What
    amount: int = 0
    refund_id: str = ""


@dataclass(frozen=True, slots=True)
class Look:
    """A payment whose gateway still has something to say, and how often AutoSpot has looked."""

    payment_id: str
    looks: int = 0


ORDER = DueKind("gateway_order", Order, backoff=Backoff(attempts=200, longest_seconds=600.0))
"""Tried for more than a day: a capture that is not made is money lost, a refund a promise broken."""
LOOK = DueKind("gateway_look", Look, backoff=Backoff(attempts=1000, longest_seconds=600.0))


class GatewayWork:
    """Gives orders and looks. Orders are recognisable at the gateway, so giving one twice does it once."""

    def __init__(
        self,
        database: Database,
        gateways: Gateways,
        payments: Payments,
        books: Bookkeeping,
        reports: GatewayReports,
        schedule: Schedule,
        clockwork: Clockwork,
        clock: Clock,
    ) -> None:
        self._database = database
        self._gateways = gateways
        self._payments = payments
        self._books = books
        self._reports = reports
        self._schedule = schedule
        self._clock = clock
        clockwork.at_least_once(ORDER, self._give)
        clockwork.at_least_once(LOOK, self._look)

    async def order(
        self, session: Session, payment: Payment, what: What, now: datetime, *, amount: int = 0, refund_id: str = ""
    ) -> None:
        """Puts an order, and the looks that follow it, into `session`'s transaction."""
        order = Order(payment.id, what, amount, refund_id)
        await self._schedule.put(ORDER, f"{payment.id}:{what}:{refund_id}", now, order, session=session)
        await self.watch(session, payment.id, now)

    async def watch(self, session: Session, payment_id: str, now: datetime) -> None:
        """From now on AutoSpot looks after this payment until its gateway has nothing more to say."""
        await self._schedule.move(LOOK, payment_id, now + LOOKS[0], Look(payment_id), session=session)

    async def _give(self, order: Order, _due: Due) -> None:
        payment = await self._payments.find(order.payment_id)
        if payment is None or payment.card is None:
            raise GiveUp("there is no such card payment")
        gateway = self._gateways.named(payment.card.provider)
        try:
            await _given(gateway, payment, order)
        except GatewayRefused as refused:
            log.error("gateway refuses an order", payment=payment.id, what=order.what, reason=refused.reason)
            if order.what == "refund":
                await self._refund_refused(order)

    async def _refund_refused(self, order: Order) -> None:
        now = self._clock.now()

        async def work(session: Session) -> None:
            payment = await self._payments.find(order.payment_id, session=session)
            refund = None if payment is None else payment.refund(order.refund_id)
            if payment is None or refund is None or refund.state is not RefundState.PROCESSING:
                return
            after = await self._books.refund_ended(session, payment, refund, RefundState.FAILED, now)
            await self._books.tell(session, after, now)

        await self._database.transaction(work)

    async def _look(self, look: Look, _due: Due) -> None:
        payment = await self._payments.find(look.payment_id)
        if payment is None or payment.card is None or not payment.is_waiting:
            return
        intent = await self._gateways.named(payment.card.provider).retrieve(payment.id)
        if intent is None:
            after = await self._unheard_of(payment)
        else:
            after = await self._reports.looked_up(payment.id, intent)
        if after is not None and after.is_waiting:
            await self._go_on(after, look)

    async def _go_on(self, payment: Payment, look: Look) -> None:
        now, looks = self._clock.now(), look.looks + 1
        if payment.state is PaymentState.REQUIRES_ACTION and now >= payment.created_at + SECOND_STEP:
            order = Order(payment.id, "cancel")
            await self._schedule.put(ORDER, f"{payment.id}:cancel:", now, order)
        pause = LOOKS[min(looks, len(LOOKS) - 1)]
        await self._schedule.move(LOOK, payment.id, now + pause, replace(look, looks=looks))

    async def _unheard_of(self, payment: Payment) -> Payment | None:
        """The gateway does not know the payment: whoever began it died before asking, or is just about to ask."""
        now = self._clock.now()
        if now < payment.created_at + NEVER_BEGUN:
            return payment

        async def work(session: Session) -> Payment | None:
            found = await self._payments.find(payment.id, session=session)
            if found is None or found.state not in UNFINISHED:
                return found
            after = await self._books.let_go(session, found, PaymentState.FAILED, now, failure="never_begun")
            await self._books.tell(session, after, now)
            return after

        return await self._database.transaction(work)


async def _given(gateway: Gateway, payment: Payment, order: Order) -> Intent | None:
    intent_id = payment.card.intent_id if payment.card else None
    if intent_id is None:
        intent = await gateway.retrieve(payment.id)
        if intent is None:
            raise GiveUp("the gateway never heard of this payment")
        intent_id = intent.id
    match order.what:
        case "capture":
            return await gateway.capture(intent_id, order.amount)
        case "cancel":
            return await gateway.cancel(intent_id)
        case "refund":
            refund: Refund | None = payment.refund(order.refund_id)
            return await gateway.refund(intent_id, refund.id, refund.amount) if refund else None
