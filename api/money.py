"""Wallet, payments, refunds, points, and what payment providers tell."""

from __future__ import annotations

from api.call import Call
from api.contract import PUBLIC, Idempotency, Reply, operation
from api.limits import LimitClass
from api.money_views import (
    AutoTopUpBody,
    AutoTopUpView,
    PaymentBody,
    PaymentPath,
    PaymentView,
    PointsView,
    ProviderPath,
    RedeemBody,
    RedeemedView,
    RefundBody,
    RefundView,
    TopUpBody,
    TransactionView,
    WalletView,
    WebhookBody,
    auto_top_up_view,
    payment_view,
    points_entry_view,
    redeemed_view,
    refund_view,
    transaction_view,
    wallet_view,
)
from api.pages import Page, PageQuery, cursor_after, instant_at
from autospot.domain.access import Action
from autospot.domain.audit import actor_of
from autospot.domain.errors import Conflict, InvalidInput, NotFound, Unavailable
from autospot.domain.ledger import InsufficientFunds
from autospot.domain.money import Money
from autospot.domain.payment.payment import Payment, Refund
from autospot.services.cashier.payments import Payments, no_such_payment
from autospot.services.cashier.points import Points
from autospot.services.cashier.refunds import Refunds
from autospot.services.cashier.reports import GatewayReports
from autospot.services.cashier.wallets import Wallets
from autospot.services.gateway.directory import NoCardPayments
from autospot.services.gateway.interface import ForgedWebhook
from autospot.storage.money_stop import MoneyStopped
from autospot.storage.payments import PaymentInProgress

NEWEST_POINTS = 50

STOPPED = MoneyStopped("payments rest while the books are checked: come back later")
NO_ANSWER = Unavailable("the payment provider does not answer")
NOT_ENOUGH = InsufficientFunds("there is not enough in it that is free")
NOTHING_TO_PAY = NotFound("there is no such thing to pay")
NOTHING_DUE = Conflict("nothing is to be paid", code="nothing_due")
IN_PROGRESS = PaymentInProgress("this is being paid already")
OTHER_CURRENCY = InvalidInput("payments are in EUR", at="/amount/currency", code="currency_mismatch")
TOO_MUCH = Conflict("that is more than is left of the payment", code="refund_too_large")
WRONG_STATE = Conflict("a payment that is failed cannot be refunded", code="payment_state")
TOO_MANY = Conflict("a payment has at most 20 refunds", code="too_many_refunds")
NO_CARDS = NoCardPayments("payments by card are not set up here")
MISMATCH = InvalidInput("this is not the amount that was asked for", code="intent_mismatch")
FORGED = ForgedWebhook("this was not signed by the payment provider, or too long ago")


class MoneyOperations:
    """Everything about money but subscriptions and invoices."""

    def __init__(
        self, wallets: Wallets, payments: Payments, refunds: Refunds, points: Points, reports: GatewayReports
    ) -> None:
        self._wallets = wallets
        self._payments = payments
        self._refunds = refunds
        self._points = points
        self._reports = reports

    @operation("GET /v1/wallet", summary="My wallet", tag="money", access=Action.DRIVE)
    async def wallet(self, call: Call) -> WalletView:
        """What is in it, what of that is free, and whether it is filled by itself."""
        user_id = call.principal.user_id
        balance, wish = await self._wallets.balance(user_id), await self._wallets.wish(user_id)
        return wallet_view(balance, wish, self._wallets.currency)

    @operation(
        "POST /v1/wallet/top-ups",
        summary="Fill my wallet",
        tag="money",
        access=Action.DRIVE,
        status=201,
        limit=LimitClass.MONEY,
        idempotency=Idempotency.MONEY,
        errors=(OTHER_CURRENCY, NO_CARDS, NO_ANSWER, STOPPED),
    )
    async def top_up(self, call: Call, body: TopUpBody) -> Reply[PaymentView]:
        """Begins a payment by card. The money is in the wallet once the payment has `succeeded`."""
        once = call.once(_paid)
        await self._payments.top_up(call.principal.user_id, body.amount, body.method, once)
        return once.kept

    @operation(
        "PUT /v1/wallet/auto-top-up",
        summary="Fill my wallet by itself",
        tag="money",
        access=Action.DRIVE,
        limit=LimitClass.MONEY,
        errors=(OTHER_CURRENCY,),
    )
    async def auto_top_up(self, call: Call, body: AutoTopUpBody) -> AutoTopUpView:
        """From now on, until it is turned off or the card refuses. Replaces what was set before."""
        currency = self._wallets.currency
        if {body.below.currency, body.amount.currency} != {currency}:
            raise InvalidInput(f"payments are in {currency}", at="/amount/currency", code="currency_mismatch")
        user_id = call.principal.user_id
        wish = await self._wallets.filling.opt_in(user_id, body.below.amount, body.amount.amount, body.method)
        return auto_top_up_view(wish, currency)

    @operation(
        "DELETE /v1/wallet/auto-top-up",
        summary="Stop filling my wallet by itself",
        tag="money",
        access=Action.DRIVE,
        status=204,
        limit=LimitClass.MONEY,
    )
    async def no_auto_top_up(self, call: Call) -> None:
        """Does nothing where it was not set."""
        await self._wallets.filling.opt_out(call.principal.user_id)

    @operation("GET /v1/wallet/transactions", summary="What happened to my wallet", tag="money", access=Action.DRIVE)
    async def transactions(self, call: Call, query: PageQuery) -> Page[TransactionView]:
        """Newest first."""
        user_id = call.principal.user_id
        transfers = await self._wallets.newest(user_id, query.limit + 1, before=instant_at(query.cursor))
        page = transfers[: query.limit]
        more = len(transfers) > len(page)
        return Page(
            data=[transaction_view(transfer, user_id) for transfer in page],
            next_cursor=cursor_after(page[-1].at, page[-1].id) if more else None,
        )

    @operation(
        "POST /v1/payments",
        summary="Pay",
        tag="money",
        access=Action.DRIVE,
        status=201,
        limit=LimitClass.MONEY,
        idempotency=Idempotency.MONEY,
        errors=(NOTHING_TO_PAY, NOTHING_DUE, NOT_ENOUGH, IN_PROGRESS, NO_CARDS, NO_ANSWER, STOPPED),
    )
    async def pay(self, call: Call, body: PaymentBody) -> Reply[PaymentView]:
        """Pays what a booking or a session costs now. From the wallet it is done with the answer; by card the answer
        shows how far it has come: look at the payment until it has `succeeded`, is `authorised` or has `failed`."""
        once, user_id, subject = call.once(_paid), call.principal.user_id, body.subject.named()
        if body.source == "wallet":
            if body.method is not None:
                raise InvalidInput("a payment from the wallet has no card", at="/method")
            await self._payments.pay_from_wallet(user_id, subject, once)
        else:
            if body.method is None:
                raise InvalidInput("a payment by card needs the card's token", at="/method")
            await self._payments.pay_by_card(user_id, subject, body.method, once)
        return once.kept

    @operation(
        "GET /v1/payments/{id}",
        summary="One of my payments",
        tag="money",
        access=Action.DRIVE,
        etag=True,
        errors=(no_such_payment(),),
    )
    async def payment(self, call: Call, path: PaymentPath) -> Reply[PaymentView]:
        """How far it has come."""
        payment = await self._payments.get(call.principal.user_id, path.id)
        return Reply(payment_view(payment), etag=str(payment.version))

    @operation(
        "POST /v1/payments/{id}/refunds",
        summary="Refund a payment",
        tag="money",
        access=Action.REFUND,
        status=201,
        limit=LimitClass.MONEY,
        idempotency=Idempotency.MONEY,
        errors=(no_such_payment(), TOO_MUCH, TOO_MANY, WRONG_STATE, NOT_ENOUGH, STOPPED),
    )
    async def refund(self, call: Call, path: PaymentPath, body: RefundBody) -> Reply[RefundView]:
        """Operators refund payments for their lots, admins any. What a card refuses goes to the driver's wallet."""
        once = call.once(_refunded)
        actor = actor_of(call.principal, call.request_id)
        await self._refunds.refund(
            call.principal, actor, path.id, body.amount, body.reason, once, to_wallet=body.to_wallet
        )
        return once.kept

    @operation("GET /v1/points", summary="My points", tag="money", access=Action.DRIVE)
    async def points(self, call: Call) -> PointsView:
        """How many there are, and the newest of what happened to them."""
        user_id, terms = call.principal.user_id, self._points.terms
        balance = await self._points.balance(user_id)
        newest = await self._points.newest(user_id, NEWEST_POINTS)
        return PointsView(
            points=balance.available,
            worth=Money(terms.worth, self._points.currency),
            redeem_least=terms.redeem_least,
            newest=[points_entry_view(transfer, user_id) for transfer in newest],
        )

    @operation(
        "POST /v1/points/redeem",
        summary="Spend points",
        tag="money",
        access=Action.DRIVE,
        limit=LimitClass.MONEY,
        idempotency=Idempotency.MONEY,
        errors=(NOT_ENOUGH, NOTHING_DUE, STOPPED),
    )
    async def redeem(self, call: Call, body: RedeemBody) -> RedeemedView:
        """Takes their worth off the price of a thing that is not paid yet."""
        once = call.once(redeemed_view)
        await self._points.redeem(call.principal.user_id, body.points, body.subject.named(), once)
        return once.kept

    @operation(
        "POST /v1/gateway/webhooks/{provider}",
        summary="A payment provider tells of a payment",
        tag="money",
        access=PUBLIC,
        status=204,
        limit=LimitClass.LIVE,
        errors=(FORGED, MISMATCH, STOPPED),
    )
    async def webhook(self, call: Call, path: ProviderPath, body: WebhookBody) -> None:  # noqa: ARG002 - JSON, no more
        """Signed by Standard Webhooks or as the provider does it. Any number of times, in any order; answered once it
        is durable."""
        await self._reports.receive(path.provider, await call.raw_body(), call.headers)


def _paid(payment: Payment) -> Reply[PaymentView]:
    return Reply(payment_view(payment), location=f"/v1/payments/{payment.id}")


def _refunded(made: tuple[Payment, Refund]) -> Reply[RefundView]:
    payment, refund = made
    return Reply(refund_view(refund, payment.amount.currency))
