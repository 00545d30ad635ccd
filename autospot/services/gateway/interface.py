"""What a payment gateway does for AutoSpot, after Stripe's payment intents."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from autospot.domain.errors import Conflict, Unauthenticated
from autospot.domain.payment.intent import GatewayEvent, Intent, IntentOrder


class GatewayRefused(Conflict):
    """The gateway will not do this, now or later. `reason` is its word for why, such as `unknown_method`."""

    code = "gateway_refused"

    def __init__(self, reason: str) -> None:
        super().__init__(f"the payment provider refuses: {reason}")
        self.reason = reason


class ForgedWebhook(Unauthenticated):
    """A webhook that is not signed by the gateway, or whose signature is older than five minutes."""

    code = "forged_webhook"


class Gateway(Protocol):
    """One payment provider.

    Every call raises `Unavailable` when the provider does not answer in time and `GatewayRefused` when it says no. Each
    may be repeated: what has the same reference happens once. An answer is the provider's view at that moment;
    AutoSpot moves money only by `parse_webhook` and `retrieve`.
    """

    @property
    def provider(self) -> str:
        """Its name: in `/gateway/webhooks/{provider}` and in the ledger's clearing account."""

    async def create(self, order: IntentOrder) -> Intent:
        """Begins to collect `order`, which the provider knows by its reference from then on."""

    async def capture(self, intent_id: str, amount: int) -> Intent:
        """Takes `amount` of what is authorised and lets the rest go."""

    async def cancel(self, intent_id: str) -> Intent:
        """Gives up what is not taken."""

    async def refund(self, intent_id: str, reference: str, amount: int) -> Intent:
        """Sends `amount` back to the card."""

    async def retrieve(self, reference: str) -> Intent | None:
        """What became of an order; None if the provider never heard of it."""

    def parse_webhook(self, body: bytes, headers: Mapping[str, str]) -> GatewayEvent:
        """The event in a webhook; `ForgedWebhook` if the signature does not hold, `InvalidInput` if it says nothing
        that can be understood. `body` is what came, byte for byte."""

    async def close(self) -> None:
        """Closes its connections."""
