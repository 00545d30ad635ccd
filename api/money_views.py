"""What people send about money, and what they are told."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, RootModel

from api.contract import Input, Output
from api.values import Instant
from autospot.domain.ids import CODE_PATTERN
from autospot.domain.ledger import Account, Balance, CauseKind, Transfer
from autospot.domain.ledger.account import points, wallet
from autospot.domain.money import Money, PayableMoney
from autospot.domain.payment.auto_top_up import AutoTopUp
from autospot.domain.payment.intent import PaymentState, RefundState
from autospot.domain.payment.payment import Payment, Refund, Subject
from autospot.services.cashier.points import Redeemed

Method = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z0-9_-]{1,100}$",
        description="the payment provider's token for a card, never its number; `pm_ok` is a test card",
        examples=["pm_ok"],
    ),
]
Status = Literal["posted", "held", "released"]


class SubjectBody(Input):
    """What is paid."""

    kind: str = Field(pattern=r"^[a-z_]{1,32}$", examples=["booking"])
    id: str = Field(pattern=CODE_PATTERN, examples=["bkg_5b1c…"])

    def named(self) -> Subject:
        return Subject(self.kind, self.id)


class TopUpBody(Input):
    """How much is put into the wallet, and from which card."""

    amount: PayableMoney
    method: Method


class AutoTopUpBody(Input):
    """When less than `below` is free, `amount` is put in from the card."""

    below: PayableMoney
    amount: PayableMoney
    method: Method


class PaymentBody(Input):
    """What to pay, and from where. `method` is for `card`."""

    subject: SubjectBody
    source: Literal["wallet", "card"]
    method: Method | None = None


class RefundBody(Input):
    """How much goes back: all that is left where nothing is said."""

    amount: PayableMoney | None = None
    reason: str = Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]*$")
    to_wallet: bool = Field(False, description="to the driver's wallet even if it was paid by card")


class RedeemBody(Input):
    """Points for a discount on a thing."""

    points: int = Field(ge=1, le=1_000_000_000)
    subject: SubjectBody


class WebhookBody(RootModel[dict[str, Any]]):
    """Whatever the provider sends; its signature and form are checked by the gateway that knows it."""


class PaymentPath(Input):
    """A payment."""

    id: str = Field(pattern=r"^pay_[0-9a-f]{32}$")


class ProviderPath(Input):
    """A payment provider."""

    provider: str = Field(pattern=r"^[a-z0-9_-]{1,32}$")


class SubjectView(Output):
    """What was paid."""

    kind: str
    id: str


class RefundView(Output):
    """Money on its way back, or back. `to_wallet`: it went to the wallet, by choice or because the card refused it."""

    id: str = Field(examples=["rfd_5b1c…"])
    amount: Money
    state: RefundState
    reason: str
    to_wallet: bool
    at: Instant


class PaymentView(Output):
    """A payment. `action_url` is where to confirm it, in `requires_action`; `failure` says why it failed."""

    id: str = Field(examples=["pay_5b1c…"])
    purpose: Literal["top_up", "purchase"]
    subject: SubjectView | None
    source: Literal["wallet", "card"]
    amount: Money
    captured: Money = Field(description="what was taken")
    returned: Money = Field(description="what went back of it, or is about to")
    state: PaymentState
    action_url: str | None
    failure: str | None
    refunds: list[RefundView]
    created_at: Instant


class AutoTopUpView(Output):
    """How the wallet is filled by itself. `paused` says why it rests: set it anew to try again."""

    below: Money
    amount: Money
    paused: str | None


class WalletView(Output):
    """The wallet: `balance` is what is in it, `available` what of it is free."""

    balance: Money
    available: Money
    auto_top_up: AutoTopUpView | None


class TransactionView(Output):
    """Something that happened to the wallet: positive came in, negative went out. `held` is kept ready for a payment
    and not gone yet, `released` is free again."""

    id: str
    at: Instant
    cause: CauseKind
    status: Status
    amount: Money
    subject: str = Field(description="the payment, or what else it was for")


class PointsEntryView(Output):
    """Points earned (positive), or spent and taken back (negative)."""

    id: str
    at: Instant
    cause: CauseKind
    points: int
    subject: str


class PointsView(Output):
    """The points and the newest of what happened to them. `worth` is what one takes off."""

    points: int
    worth: Money
    redeem_least: int
    newest: list[PointsEntryView]


class RedeemedView(Output):
    """What the points took off."""

    points: int
    discount: Money
    left: int


def payment_view(payment: Payment) -> PaymentView:
    currency, subject = payment.amount.currency, payment.subject
    return PaymentView(
        id=payment.id,
        purpose=payment.purpose,
        subject=None if subject is None else SubjectView(kind=subject.kind, id=subject.id),
        source="wallet" if payment.card is None else "card",
        amount=payment.amount,
        captured=Money(payment.captured, currency),
        returned=Money(payment.returned, currency),
        state=payment.state,
        action_url=_action_url(payment),
        failure=payment.failure,
        refunds=[refund_view(refund, currency) for refund in payment.refunds],
        created_at=payment.created_at,
    )


def _action_url(payment: Payment) -> str | None:
    if payment.card is None or payment.state is not PaymentState.REQUIRES_ACTION:
        return None
    return payment.card.action_url


def refund_view(refund: Refund, currency: str) -> RefundView:
    return RefundView(
        id=refund.id,
        amount=Money(refund.amount, currency),
        state=refund.state,
        reason=refund.reason,
        to_wallet=refund.to_wallet,
        at=refund.at,
    )


def auto_top_up_view(wish: AutoTopUp, currency: str) -> AutoTopUpView:
    return AutoTopUpView(below=Money(wish.below, currency), amount=Money(wish.amount, currency), paused=wish.paused)


def wallet_view(balance: Balance, wish: AutoTopUp | None, currency: str) -> WalletView:
    return WalletView(
        balance=Money(balance.posted, currency),
        available=Money(balance.available, currency),
        auto_top_up=None if wish is None else auto_top_up_view(wish, currency),
    )


_STATUS: dict[str, Status] = {"posted": "posted", "post": "posted", "pending": "held", "void": "released"}


def transaction_view(transfer: Transfer, user_id: str) -> TransactionView:
    amount = transfer.amount if transfer.credit == wallet(user_id) else -transfer.amount
    return TransactionView(
        id=transfer.id,
        at=transfer.at,
        cause=transfer.cause.kind,
        status=_STATUS[transfer.kind],
        amount=Money(-amount if transfer.kind == "void" else amount, transfer.currency),
        subject=transfer.cause.subject,
    )


def points_entry_view(transfer: Transfer, user_id: str) -> PointsEntryView:
    return PointsEntryView(
        id=transfer.id,
        at=transfer.at,
        cause=transfer.cause.kind,
        points=_signed(transfer, points(user_id)),
        subject=transfer.cause.subject,
    )


def _signed(transfer: Transfer, account: Account) -> int:
    return transfer.amount if transfer.credit == account else -transfer.amount


def redeemed_view(redeemed: Redeemed) -> RedeemedView:
    return RedeemedView(points=redeemed.points, discount=redeemed.discount, left=redeemed.left)
