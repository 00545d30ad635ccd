"""The life of a hold, as a table. It ends once, in one of three ways."""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType
from typing import Final, Literal

from autospot.domain.errors import Conflict

Settlement = Literal["post", "void", "expire"]


class PendingState(StrEnum):
    """Where a hold stands."""

    OPEN = "open"
    POSTED = "posted"
    VOIDED = "voided"
    EXPIRED = "expired"


class AlreadySettled(Conflict):
    """The hold was posted, voided or expired before."""

    code = "already_settled"


class HoldExpired(Conflict):
    """The time for which the amount was held is over."""

    code = "hold_expired"


LIFE: Final = MappingProxyType(
    {
        (PendingState.OPEN, "post"): PendingState.POSTED,
        (PendingState.OPEN, "void"): PendingState.VOIDED,
        (PendingState.OPEN, "expire"): PendingState.EXPIRED,
    }
)
"""State and settlement to the next state. What is not here is not possible: the three others are final."""


def settled(state: PendingState, by: Settlement) -> PendingState:
    """The state after a settlement; `AlreadySettled` if the hold is over, which changes nothing."""
    after = LIFE.get((state, by))
    if after is None:
        raise AlreadySettled(f"this amount is no longer held: it was {state}")
    return after


def state_after(settlement: Settlement | None) -> PendingState:
    """The state of a hold that was settled so, or not yet."""
    return PendingState.OPEN if settlement is None else settled(PendingState.OPEN, settlement)
