"""Payment intents and what may happen to them. Pure: no network, no clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Final, Literal

State = Literal["processing", "requires_action", "authorised", "succeeded", "failed", "cancelled", "refunded"]

STEPS: Final[Mapping[State, frozenset[State]]] = MappingProxyType(
    {
        "processing": frozenset({"requires_action", "authorised", "succeeded", "failed", "cancelled"}),
        "requires_action": frozenset({"processing", "authorised", "succeeded", "failed", "cancelled"}),
        "authorised": frozenset({"succeeded", "cancelled"}),
        "succeeded": frozenset({"refunded"}),
        "failed": frozenset(),
        "cancelled": frozenset(),
        "refunded": frozenset(),
    }
)


class Refused(Exception):
    """The request cannot be done. `code` is for programs."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class Refund:
    """Money on its way back."""

    id: str
    reference: str
    amount: int
    state: Literal["processing", "succeeded", "failed"] = "processing"


@dataclass(frozen=True, slots=True)
class Intent:
    """A payment in minor units. `reference` is the merchant's name for it."""

    id: str
    reference: str
    amount: int
    currency: str
    method: str
    is_manual: bool
    return_url: str | None = None
    state: State = "processing"
    captured: int = 0
    failure: str | None = None
    refunds: Mapping[str, Refund] = field(default_factory=dict)

    def moved(self, state: State, **changes: Any) -> Intent:
        """The intent in another state; `Refused` if there is no way there."""
        if state not in STEPS[self.state]:
            raise Refused("wrong_state", f"a payment that is {self.state} cannot become {state}")
        return replace(self, state=state, **changes)

    def approved(self) -> Intent:
        """What the bank's yes makes of it: held for a capture, or taken."""
        return self.moved("authorised") if self.is_manual else self.moved("succeeded", captured=self.amount)

    def taken(self, amount: int) -> Intent:
        """The capture of `amount`; the rest is let go."""
        if not 0 < amount <= self.amount:
            raise Refused("bad_amount", "a capture takes at least 1 and at most what was authorised")
        return self.moved("succeeded", captured=amount)

    def with_refund(self, refund: Refund) -> Intent:
        """The intent with a new refund or a new state of one."""
        others = [each for each in self.refunds.values() if each.id != refund.id and each.state != "failed"]
        if self.state != "succeeded":
            raise Refused("wrong_state", f"a payment that is {self.state} cannot be refunded")
        if refund.state != "failed" and sum(each.amount for each in others) + refund.amount > self.captured:
            raise Refused("bad_amount", "more than is left of the payment cannot be refunded")
        refunded = sum(each.amount for each in others if each.state == "succeeded")
        refunded += refund.amount if refund.state == "succeeded" else 0
        state: State = "refunded" if refunded == self.captured else self.state
        return replace(self, state=state, refunds={**self.refunds, refund.id: refund})

    def as_json(self, page: str) -> dict[str, Any]:
        """How the API and webhooks show it. `page` is where the second step is."""
        return {
            "id": self.id,
            "reference": self.reference,
            "amount": self.amount,
            "currency": self.currency,
            "state": self.state,
            "captured": self.captured,
            "failure": self.failure,
            "action_url": page if self.state == "requires_action" else None,
            "refunds": [
                {"id": each.id, "reference": each.reference, "amount": each.amount, "state": each.state}
                for each in self.refunds.values()
            ],
        }
