"""The waiting list: drivers who want a kind of bay for a time at which every one is taken, in the order in which they
came."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from autospot.domain.errors import Conflict
from autospot.domain.lot import BayKind
from autospot.domain.period import Period

PER_DRIVER = 5
"""Wishes that one driver may have waiting at a time."""

PER_KIND = 500
"""Wishes that wait for one kind of bay of a lot."""


class WishState(StrEnum):
    """Where a wish stands."""

    WAITING = "waiting"
    OFFERED = "offered"
    """A bay is held for it, for some minutes."""
    TAKEN = "taken"
    LAPSED = "lapsed"
    """The offer was not taken up, or could not be made."""
    LEFT = "left"
    OVER = "over"
    """Its time has begun, and nothing came free."""


class WishStep(StrEnum):
    """What may happen to a wish."""

    OFFER = "offer"
    TAKE = "take"
    LAPSE = "lapse"
    LEAVE = "leave"
    RUN_OUT = "run_out"


TRANSITIONS: Mapping[tuple[WishState, WishStep], WishState] = {
    (WishState.WAITING, WishStep.OFFER): WishState.OFFERED,
    (WishState.WAITING, WishStep.LAPSE): WishState.LAPSED,
    (WishState.WAITING, WishStep.LEAVE): WishState.LEFT,
    (WishState.WAITING, WishStep.RUN_OUT): WishState.OVER,
    (WishState.OFFERED, WishStep.TAKE): WishState.TAKEN,
    (WishState.OFFERED, WishStep.LAPSE): WishState.LAPSED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """`owner` waits for a bay of `kind` for `period`. `booking` is the offer, once there is one. `version` counts
    changes."""

    id: str
    owner: str
    lot: str
    kind: BayKind
    period: Period
    made_at: datetime
    vehicle: str | None = None
    state: WishState = WishState.WAITING
    booking: str | None = None
    version: int = 1

    @property
    def offer_id(self) -> str:
        """The id of the booking that is offered: a wish has one offer, however often making it is tried."""
        return f"bkg_{self.id.removeprefix('wsh_')}"

    def after(self, step: WishStep, booking: str | None = None) -> Wish:
        """This wish after `step`; `Conflict` (code `illegal_step`) if that cannot be."""
        if (self.state, step) not in TRANSITIONS:
            raise Conflict(f"this wish is {self.state} already", code="illegal_step")
        after = TRANSITIONS[self.state, step]
        return replace(self, state=after, booking=booking or self.booking, version=self.version + 1)
