"""How many vehicles a lot can still take."""

from __future__ import annotations

from collections.abc import Mapping

from autospot.domain.bay import State


def free_places(bays_by_state: Mapping[State, int], places: int) -> int:
    """Free bays, and never more than what the lot's capacity `places` leaves beside those occupied and claimed.

    A bay that nobody knows about is not free; it may hold a vehicle, but does not take a place for certain.
    """
    taken = sum(bays_by_state.get(state, 0) for state in ("occupied", "reserved", "assigned"))
    return max(0, min(bays_by_state.get("free", 0), places - taken))
