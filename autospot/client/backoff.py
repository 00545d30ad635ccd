"""How long to wait before coming back, so that ten thousand clients do not come back together."""

from __future__ import annotations

FIRST_SECONDS = 0.5
LONGEST_SECONDS = 30.0


def pause_seconds(attempt: int, roll: float, at_least: float = 0.0) -> float:
    """The wait before try number `attempt` (from 0): anything up to a limit that doubles from `FIRST_SECONDS` to
    `LONGEST_SECONDS` (full jitter), `roll` of 0..1 deciding; never less than the server asked for."""
    return float(max(at_least, roll * min(LONGEST_SECONDS, FIRST_SECONDS * 2.0 ** min(attempt, 16))))
