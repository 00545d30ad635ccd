"""A payment: from a wallet or by card, for a top-up or for a thing that costs something."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, Final, Literal

from autospot.domain.errors import Conflict, InvalidInput
from autospot.domain.ledger import Account
from autospot.domain.ledger.account import clearing, revenue, wallet
from autospot.domain.money import Money, half_up
from autospot.domain.payment.intent import PaymentState, RefundState

CARD_HOLD: Final = timedelta(days=7)
"""How long card issuers keep an authorisation as a rule."""
REFUNDS_LIMIT: Final = 200
"""Refunds of one payment. A booking is changed at most 150 times, and each change may give some of one payment back."""
BASIS_POINTS: Final = 10_000

STEPS: Final[Mapping[PaymentState, frozenset[PaymentState]]] = MappingProxyType(
    {
        PaymentState.PROCESSING: frozenset(
            {
                PaymentState.REQUIRES_ACTION,
                PaymentState.AUTHORISED,
                PaymentState.SUCCEEDED,
                PaymentState.FAILED,
                PaymentState.CANCELLED,
            }
        ),
        PaymentState.REQUIRES_ACTION: frozenset(
            {PaymentState.AUTHORISED, PaymentState.SUCCEEDED, PaymentState.FAILED, PaymentState.CANCELLED}
        ),
        PaymentState.AUTHORISED: frozenset({PaymentState.SUCCEEDED, PaymentState.CANCELLED, PaymentState.FAILED}),
        PaymentState.SUCCEEDED: frozenset({PaymentState.REFUNDED}),
        PaymentState.FAILED: frozenset(),
        PaymentState.CANCELLED: frozenset(),
        PaymentState.REFUNDED: frozenset(),
    }
)
"""From each state to the next ones. Forward only: a report that comes late names a state that is not ahead."""

UNFINISHED: Final = frozenset({PaymentState.PROCESSING, PaymentState.REQUIRES_ACTION})


class WrongPaymentState(Conflict):
    """The payment is not where this is possible."""

    code = "payment_state"


@dataclass(frozen=True, slots=True)
class Subject:
    """The thing that is paid: `booking` and its id, `session` and its id."""

    kind: str
    id: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.id}"


@dataclass(frozen=True, slots=True)
class AmountDue:
    """What a thing costs now, told by whoever keeps it. `is_hold`: hold it now, the final amount comes later, before
    `hold_until`. `words` say it to the driver."""

    subject: Subject
    lot: str
    amount: Money
    vat_basis_points: int
    words: str
    is_hold: bool = False
    hold_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Refund:
    """Money on its way back, or back. `to_wallet`: it went to the driver's wallet, by choice or as the card failed."""

    id: str
    amount: int
    state: RefundState
    reason: str
    at: datetime
    to_wallet: bool = False

    @property
    def is_gone(self) -> bool:
        """True if the amount left the operator's account, or is about to."""
        return self.to_wallet or self.state is not RefundState.FAILED


@dataclass(frozen=True, slots=True)
class CardSide:
    """The part of a card payment that the gateway knows."""

    provider: str
    method: str
    intent_id: str | None = None
    action_url: str | None = None


@dataclass(frozen=True, slots=True)
class Payment:
    """One payment. `subject` and `lot` are None for a top-up. `hold_id` is the pending transfer of one that is held.

    `captured` is what was taken in all; `refunds` are what went back of it. `version` counts its changes.
    """

    id: str
    user_id: str
    amount: Money
    state: PaymentState
    words: str
    created_at: datetime
    subject: Subject | None = None
    lot: str | None = None
    vat_basis_points: int = 0
    card: CardSide | None = None
    is_hold: bool = False
    hold_id: str | None = None
    captured: int = 0
    failure: str | None = None
    refunds: tuple[Refund, ...] = field(default=())
    version: int = 1

    @property
    def purpose(self) -> Literal["top_up", "purchase"]:
        """What it is for."""
        return "top_up" if self.subject is None else "purchase"

    @property
    def source(self) -> Account:
        """Where the money comes from."""
        return clearing(self.card.provider) if self.card else wallet(self.user_id)

    @property
    def target(self) -> Account:
        """Where the money goes."""
        return wallet(self.user_id) if self.lot is None else revenue(self.lot)

    @property
    def returned(self) -> int:
        """What went back of `captured`, what is on its way included."""
        return sum(each.amount for each in self.refunds if each.is_gone)

    @property
    def kept(self) -> int:
        """What was taken and stays: what may still be refunded."""
        return self.captured - self.returned

    @property
    def settled(self) -> int:
        """What was taken less what went back, refunds on their way not counted: the sum that VAT and points follow."""
        gone = (each.amount for each in self.refunds if each.to_wallet or each.state is RefundState.SUCCEEDED)
        return self.captured - sum(gone)

    def refund(self, refund_id: str) -> Refund | None:
        """A refund of this payment by its id."""
        return next((each for each in self.refunds if each.id == refund_id), None)

    @property
    def is_unfinished(self) -> bool:
        """True while it is neither held nor taken nor given up."""
        return self.state in UNFINISHED

    @property
    def is_open(self) -> bool:
        """True while money of it is on its way, held, or about to come back."""
        return self.is_unfinished or self.state is PaymentState.AUTHORISED or self.is_waiting

    @property
    def is_waiting(self) -> bool:
        """True while a gateway still has something to say: about the payment, or about a refund."""
        if self.card is None:
            return False
        is_open = self.state in UNFINISHED or self.state is PaymentState.AUTHORISED
        return is_open or any(not each.to_wallet and each.state is RefundState.PROCESSING for each in self.refunds)

    def part_id(self, prefix: str, part: str) -> str:
        """The id of something that belongs to this payment: the same at every try, so it can only happen once."""
        return f"{prefix}_{hashlib.sha256(f'{self.id}:{prefix}:{part}'.encode()).hexdigest()[:32]}"

    def at_state(self, state: PaymentState, **changes: Any) -> Payment:
        """The payment a step further, with `changes` to other fields; `WrongPaymentState` if there is no such step, and
        nothing has changed."""
        if state not in STEPS[self.state]:
            raise WrongPaymentState(f"a payment that is {self.state} cannot become {state}")
        return replace(self, state=state, **changes)

    def with_refund(self, refund: Refund) -> Payment:
        """The payment with a new refund, or a refund in its new state; `refunded` once nothing is left and nothing is
        on its way. `Conflict` for more than is left (code `refund_too_large`)."""
        others = tuple(each for each in self.refunds if each.id != refund.id)
        if self.state is not PaymentState.SUCCEEDED:
            raise WrongPaymentState(f"a payment that is {self.state} cannot be refunded")
        if len(others) >= REFUNDS_LIMIT:
            raise Conflict(f"a payment has at most {REFUNDS_LIMIT} refunds", code="too_many_refunds")
        after = replace(self, refunds=(*others, refund))
        if after.kept < 0:
            raise Conflict("that is more than is left of the payment", code="refund_too_large")
        is_done = after.kept == 0 and all(
            each.to_wallet or each.state is not RefundState.PROCESSING for each in after.refunds
        )
        return after.at_state(PaymentState.REFUNDED) if is_done else after


def vat_within(gross: int, basis_points: int) -> int:
    """The VAT that `gross` minor units contain, half a unit up."""
    return gross - half_up(gross * BASIS_POINTS, BASIS_POINTS + basis_points)


def require_capturable(payment: Payment, amount: int) -> None:
    """`WrongPaymentState` unless something is held, `InvalidInput` for more than that."""
    if payment.state is not PaymentState.AUTHORISED:
        raise WrongPaymentState(f"a payment that is {payment.state} holds nothing to be taken")
    if not 0 < amount <= payment.amount.amount:
        raise InvalidInput("a capture takes at least 1 and at most what is held", at="/amount")
