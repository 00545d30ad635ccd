"""Paying: things from the wallet or by card, and filling the wallet."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from weakref import WeakValueDictionary

from autospot.clock import Clock
from autospot.domain.errors import InvalidInput, NotFound
from autospot.domain.money import Money
from autospot.domain.payment.intent import IntentOrder, PaymentState
from autospot.domain.payment.payment import AmountDue, CardSide, Payment, Subject, require_capturable
from autospot.services.cashier.bookkeeping import Bookkeeping
from autospot.services.cashier.gateway_work import GatewayWork
from autospot.services.cashier.payables import Payables
from autospot.services.cashier.reports import GatewayReports
from autospot.services.clockwork import Clockwork, DueKind, Schedule
from autospot.services.gateway.directory import Gateways
from autospot.services.gateway.interface import GatewayRefused
from autospot.storage import payments as stored
from autospot.storage.idempotency import Once, Unkept
from autospot.storage.mongo import Database, Session
from autospot.storage.payments import PaymentInProgress


@dataclass(frozen=True, slots=True)
class Held:
    """A payment whose hold runs out."""

    payment_id: str


HOLD_ENDS = DueKind("hold_ends", Held)


def no_such_payment() -> NotFound:
    """Also for the payments of others."""
    return NotFound("there is no such payment")


class Payments:
    """Pays things and fills wallets.

    A wallet pays within the request, one payment after the other: as many wait as requests are in flight. A card
    payment begins here and ends when its gateway says so: the answer shows how far it has come, a later look at it how
    it goes on.
    """

    def __init__(
        self,
        database: Database,
        payments: stored.Payments,
        payables: Payables,
        books: Bookkeeping,
        gateways: Gateways,
        work: GatewayWork,
        reports: GatewayReports,
        schedule: Schedule,
        clockwork: Clockwork,
        clock: Clock,
        currency: str,
    ) -> None:
        self._database = database
        self._payments = payments
        self._payables = payables
        self._books = books
        self._gateways = gateways
        self._work = work
        self._reports = reports
        self._schedule = schedule
        self._clock = clock
        self._currency = currency
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        clockwork.exactly_once(HOLD_ENDS, self._hold_ends)

    async def get(self, user_id: str, payment_id: str) -> Payment:
        """One of the user's payments; `NotFound` for everybody else's."""
        payment = await self._payments.find(payment_id, user_id=user_id)
        if payment is None:
            raise no_such_payment()
        return payment

    async def of_subject(self, subject: Subject, *, session: Session | None = None) -> Sequence[Payment]:
        """All payments of a thing, oldest first."""
        return await self._payments.of_subject(subject, session=session)

    async def pay_from_wallet(self, user_id: str, subject: Subject, once: Once[Payment]) -> Payment:
        """Pays what `subject` costs now, or holds it.

        `NotFound`, `Conflict` (nothing due), `InsufficientFunds`, `PaymentInProgress`, `MoneyStopped`.
        """
        now = self._clock.now()

        async def work(session: Session) -> Payment:
            due = await self._due(session, user_id, subject, now)
            await self._require_not_in_progress(session, subject)
            payment = await self.charge_within(session, once.id("pay"), user_id, due, now)
            await self._books.tell(session, payment, now)
            await once.keep(session, payment)
            return payment

        # The guard in the database decides. Waiting in line here only saves one wallet's payments from undoing each
        # other: 32 at once on one wallet had half of them refused after 2.5 s of conflicts.
        turn = self._turns.setdefault(user_id, asyncio.Lock())
        async with turn:
            return await self._database.shared_transaction(work)

    async def charge_within(
        self, session: Session, payment_id: str, user_id: str, due: AmountDue, now: datetime
    ) -> Payment:
        """Takes or holds `due` from the user's wallet as part of a bigger step. The caller keeps the thing: it is not
        told. `payment_id` is from its own `Once`."""
        payment = self._new(payment_id, user_id, due, now)
        if not due.is_hold:
            return await self._books.paid_at_once(session, payment, now)
        if due.hold_until is None:
            raise InvalidInput("what is held from a wallet is held until some time")
        await self._payments.add(session, payment)
        await self._schedule.put(HOLD_ENDS, payment.id, due.hold_until, Held(payment.id), session=session)
        return await self._books.held(session, payment, due.hold_until, now)

    async def pay_by_card(self, user_id: str, subject: Subject, method: str, once: Once[Payment]) -> Payment:
        """Begins to collect what `subject` costs now. Errors as for the wallet; `Unavailable` if the gateway does not
        answer: the same request again goes on where it was."""
        now, payment_id = self._clock.now(), once.id("pay")

        async def begin(session: Session) -> Payment:
            begun = await self._payments.find(payment_id, session=session)
            if begun is not None:
                return begun
            due = await self._due(session, user_id, subject, now)
            payment = self._new(payment_id, user_id, due, now, method=method)
            return await self._add_for_gateway(session, payment, now)

        return await self._collect(await self._database.transaction(begin), once)

    async def top_up(self, user_id: str, amount: Money, method: str, once: Once[Payment]) -> Payment:
        """Begins to fill the user's wallet from a card. `Unavailable` as above."""
        self._require_currency(amount)
        return await self._top_up(once.id("pay"), user_id, amount, method, once)

    async def auto_top_up(self, payment_id: str, user_id: str, amount: Money, method: str) -> Payment:
        """The same, begun by AutoSpot itself."""
        return await self._top_up(payment_id, user_id, amount, method, Unkept())

    async def _top_up(self, payment_id: str, user_id: str, amount: Money, method: str, once: Once[Payment]) -> Payment:
        now = self._clock.now()

        async def begin(session: Session) -> Payment:
            begun = await self._payments.find(payment_id, session=session)
            if begun is not None:
                return begun
            card = CardSide(self._gateways.current.provider, method)
            payment = Payment(payment_id, user_id, amount, PaymentState.PROCESSING, "Top-up", now, card=card)
            return await self._add_for_gateway(session, payment, now)

        return await self._collect(await self._database.transaction(begin), once)

    async def hand_over_within(self, session: Session, before: Subject, after: Subject) -> None:
        """From now on the payments of `before` are those of `after`, which took its place. Nobody is told."""
        for payment in await self._payments.of_subject(before, session=session):
            await self._payments.change(session, replace(payment, subject=after))

    async def capture_within(self, session: Session, payment_id: str, amount: int, now: datetime) -> Payment:
        """Takes `amount` of what is held and gives the rest back: at once from a wallet; from a card by an order to the
        gateway, after which the payment is `authorised` until the gateway has done it."""
        payment = await self._required(session, payment_id)
        require_capturable(payment, amount)
        if payment.card is not None:
            await self._work.order(session, payment, "capture", now, amount=amount)
            return payment
        await self._schedule.cancel(HOLD_ENDS, payment.id, session=session)
        return await self._books.captured(session, payment, amount, now)

    async def void_within(self, session: Session, payment_id: str, now: datetime) -> Payment:
        """Gives back all that is held, or gives up what is not collected yet; likewise."""
        payment = await self._required(session, payment_id)
        if payment.card is not None:
            await self._work.order(session, payment, "cancel", now)
            return payment
        await self._schedule.cancel(HOLD_ENDS, payment.id, session=session)
        return await self._books.let_go(session, payment, PaymentState.CANCELLED, now)

    async def _collect(self, payment: Payment, once: Once[Payment]) -> Payment:
        """Asks the gateway, unless that was done, and notes its answer with the reply."""
        intent, refusal = None, None
        if payment.card is not None and payment.card.intent_id is None and payment.state is PaymentState.PROCESSING:
            try:
                intent = await self._gateways.named(payment.card.provider).create(_order_of(payment))
            except GatewayRefused as refused:
                refusal = refused.reason
        now = self._clock.now()

        async def note(session: Session) -> Payment:
            before = after = await self._required(session, payment.id)
            if intent is not None:
                after = await self._reports.answered(session, before, intent, now)
            elif refusal is not None and before.state is PaymentState.PROCESSING:
                after = await self._books.let_go(session, before, PaymentState.FAILED, now, failure=refusal)
            if after.state is not before.state:  # what a quick webhook did meanwhile was told by it
                await self._books.tell(session, after, now)
            await once.keep(session, after)
            return after

        return await self._database.transaction(note)

    async def _add_for_gateway(self, session: Session, payment: Payment, now: datetime) -> Payment:
        await self._payments.add(session, payment)
        await self._work.watch(session, payment.id, now)
        return payment

    async def _due(self, session: Session, user_id: str, subject: Subject, now: datetime) -> AmountDue:
        due = await self._payables.keeper(subject).amount_due(session, user_id, subject.id, now)
        self._require_currency(due.amount)
        return due

    async def _required(self, session: Session, payment_id: str) -> Payment:
        payment = await self._payments.find(payment_id, session=session)
        if payment is None:
            raise no_such_payment()
        return payment

    async def _require_not_in_progress(self, session: Session, subject: Subject) -> None:
        if any(each.is_unfinished for each in await self._payments.of_subject(subject, session=session)):
            raise PaymentInProgress("this is being paid already")

    def _require_currency(self, amount: Money) -> None:
        if amount.currency != self._currency:
            raise InvalidInput(f"payments are in {self._currency}", at="/amount/currency", code="currency_mismatch")

    def _new(
        self, payment_id: str, user_id: str, due: AmountDue, now: datetime, *, method: str | None = None
    ) -> Payment:
        return Payment(
            id=payment_id,
            user_id=user_id,
            amount=due.amount.payable(),
            state=PaymentState.PROCESSING,
            words=due.words,
            created_at=now,
            subject=due.subject,
            lot=due.lot,
            vat_basis_points=due.vat_basis_points,
            card=None if method is None else CardSide(self._gateways.current.provider, method),
            is_hold=due.is_hold,
        )

    async def _hold_ends(self, session: Session, held: Held, now: datetime) -> None:
        payment = await self._payments.find(held.payment_id, session=session)
        if payment is None or payment.state is not PaymentState.AUTHORISED:
            return
        after = await self._books.let_go(session, payment, PaymentState.CANCELLED, now, is_expiry=True)
        await self._books.tell(session, after, now)


def _order_of(payment: Payment) -> IntentOrder:
    method = payment.card.method if payment.card else ""
    return IntentOrder(payment.id, payment.amount.amount, payment.amount.currency, method, payment.is_hold)
