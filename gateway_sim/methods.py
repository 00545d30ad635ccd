"""Test methods: what a driver "pays by" to see how AutoSpot takes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How payments by a method go. Without anything said: approved at once, told once, in order."""

    words: str
    declined: str | None = None
    second_step: bool = False
    slow: bool = False
    told_times: int = 1
    told_backwards: bool = False
    refunds_fail: bool = False


METHODS: Final[Mapping[str, Behaviour]] = {
    "pm_ok": Behaviour("approved"),
    "pm_declined": Behaviour("declined by the bank", declined="card_declined"),
    "pm_second_step": Behaviour("wants a confirmation on a page of the bank", second_step=True),
    "pm_slow": Behaviour("approved, after a while", slow=True),
    "pm_webhook_twice": Behaviour("approved, every webhook comes twice", told_times=2),
    "pm_out_of_order": Behaviour("approved, the webhooks come in reverse order", told_backwards=True),
    "pm_webhook_lost": Behaviour("approved, no webhook ever comes", told_times=0),
    "pm_refund_fails": Behaviour("approved, refunds fail", refunds_fail=True),
}
