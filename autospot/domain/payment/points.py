"""Points: earned by what is paid, spent as a discount."""

from __future__ import annotations

from dataclasses import dataclass

from autospot.domain.errors import InvalidInput
from autospot.domain.money import Money


@dataclass(frozen=True, slots=True)
class PointsTerms:
    """One point for every `paid_per_point` minor units paid, whole points only; a point takes `worth` minor units off.
    At least `redeem_least` are redeemed at once. `paid_per_point` 0: no points are earned."""

    paid_per_point: int = 100
    worth: int = 1
    redeem_least: int = 50

    def earned(self, paid: int) -> int:
        """The points for `paid` minor units."""
        return paid // self.paid_per_point if self.paid_per_point else 0

    def discount(self, count: int, currency: str) -> Money:
        """What `count` points take off; `InvalidInput` at `/points` for fewer than `redeem_least`."""
        if count < self.redeem_least:
            raise InvalidInput(f"at least {self.redeem_least} points are redeemed at once", at="/points")
        return Money(count * self.worth, currency).payable()
