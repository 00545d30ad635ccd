"""A driver's vehicle, and how long its plate is remembered after it is gone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from autospot.domain.accounts.plate import Plate
from autospot.domain.errors import Conflict

VEHICLES_PER_ACCOUNT = 10
LABEL_LENGTH = 40
PLATE_MEMORY = timedelta(days=30)
"""A plate outlives its last session by this much, for disputes about it, and no longer."""


@dataclass(frozen=True, slots=True)
class Vehicle:
    """A vehicle of one account. `last_parked_at` is the end of its last session. `version` counts the changes."""

    id: str
    owner: str
    plate: Plate
    label: str
    added_at: datetime
    version: int
    last_parked_at: datetime | None = None


def require_room(count: int) -> None:
    """`Conflict` if an account with `count` vehicles may not have another."""
    if count >= VEHICLES_PER_ACCOUNT:
        raise Conflict(f"an account has at most {VEHICLES_PER_ACCOUNT} vehicles", code="too_many_vehicles")


def forget_at(last_parked_at: datetime | None, removed_at: datetime) -> datetime:
    """When the plate of a vehicle that its owner removed is erased: at once if it never parked."""
    if last_parked_at is None:
        return removed_at
    return max(removed_at, last_parked_at + PLATE_MEMORY)
