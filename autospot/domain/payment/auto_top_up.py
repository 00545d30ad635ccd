"""Filling a wallet by itself: only where its owner asked for it."""

from __future__ import annotations

from dataclasses import dataclass

from autospot.domain.errors import InvalidInput
from autospot.domain.money import AMOUNT_LIMIT


@dataclass(frozen=True, slots=True)
class AutoTopUp:
    """When less than `below` minor units are free, `amount` is taken from the card `method`.

    `running` is the payment that does it at present. `paused` says why it rests, such as `card_declined`: it is not
    tried again until the owner sets it anew.
    """

    below: int
    amount: int
    method: str
    running: str | None = None
    paused: str | None = None

    def __post_init__(self) -> None:
        if not 0 < self.below <= AMOUNT_LIMIT:
            raise InvalidInput(f"1 to {AMOUNT_LIMIT} minor units", at="/below/amount")
        if not self.below <= self.amount <= AMOUNT_LIMIT:
            raise InvalidInput("a top-up brings at least the amount below which it happens", at="/amount/amount")

    def is_wanted(self, available: int) -> bool:
        """True if a wallet with `available` is to be filled."""
        return self.paused is None and self.running is None and available < self.below
