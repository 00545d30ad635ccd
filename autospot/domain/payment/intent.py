"""What a payment gateway says of one payment, in the words that AutoSpot uses for all gateways."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class PaymentState(StrEnum):
    """How far a payment has come, after Stripe's payment intents."""

    REQUIRES_ACTION = "requires_action"
    """The driver has to confirm on a page of the bank."""
    PROCESSING = "processing"
    AUTHORISED = "authorised"
    """The money is held and not taken."""
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    REFUNDED = "refunded"
    """All that was taken went back."""


class RefundState(StrEnum):
    """How far a refund has come."""

    PROCESSING = "processing"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class RefundReport:
    """A refund as the gateway sees it; `reference` is the id that AutoSpot gave it."""

    reference: str
    amount: int
    state: RefundState


@dataclass(frozen=True, slots=True)
class Intent:
    """A card payment as the gateway sees it at one moment. Amounts are minor units.

    `id` is the gateway's, `reference` the payment's id in AutoSpot. `captured` is what was taken, `fee` what the
    gateway keeps of it. `action_url` is where the driver confirms, in `requires_action`. `failure` is a word such as
    `card_declined`.
    """

    id: str
    reference: str
    amount: int
    currency: str
    state: PaymentState
    captured: int = 0
    fee: int = 0
    action_url: str | None = None
    failure: str | None = None
    refunds: tuple[RefundReport, ...] = ()


@dataclass(frozen=True, slots=True)
class IntentOrder:
    """What a gateway is asked to collect. `method` is the gateway's own token for a card, never a card's number.
    `is_hold`: authorise now, take later."""

    reference: str
    amount: int
    currency: str
    method: str
    is_hold: bool


@dataclass(frozen=True, slots=True)
class GatewayEvent:
    """A webhook, proven to be the gateway's. The same `id` is the same event, however often it comes."""

    id: str
    intent: Intent
