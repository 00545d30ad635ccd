"""How long before something its driver is reminded of it, as each driver chooses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Final

LONGEST_MINUTES: Final = 30 * 24 * 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Leads:
    """Minutes, by the reminder's name; 0: no such reminder. `subscription_expiring` also goes for a renewal."""

    booking_begins: int = 30
    booking_ends: int = 30
    subscription_expiring: int = 3 * 24 * 60

    def changed(self, minutes: Mapping[str, int]) -> Leads:
        """With some of them as given."""
        return replace(self, **minutes)

    def as_json(self) -> dict[str, int]:
        """Minutes by name."""
        return asdict(self)


USUAL: Final = Leads()
"""What everybody has who never said."""


def remind_at(end: datetime, lead_minutes: int, span: timedelta) -> datetime | None:
    """When to remind of `end`, the end of something that takes `span`: not before its middle, so that nobody who has
    just come is told to go. None for never."""
    return end - min(timedelta(minutes=lead_minutes), span / 2) if lead_minutes else None
