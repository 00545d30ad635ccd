"""Things that fall due: what a row of the due-queue says, and what becomes of it when it fails."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from autospot.domain.errors import AutoSpotError


@dataclass(frozen=True, slots=True)
class Due:
    """One thing to do at `at` (aware, UTC). `kind` says what, `key` makes it unique within its kind, `payload` is JSON.

    `attempts` counts the tries begun so far, the present one included. After `until` it is no longer worth doing.
    """

    kind: str
    key: str
    at: datetime
    payload: Mapping[str, Any]
    attempts: int = 0
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Backoff:
    """How often a kind is tried, and how long it rests between: doubling from `first_seconds` to `longest_seconds`."""

    attempts: int = 12
    first_seconds: float = 2.0
    longest_seconds: float = 3600.0

    def pause(self, attempts: int, roll: float) -> timedelta:
        """The rest after `attempts` tries. `roll` in 0..1 spreads it over its upper half, so that what failed together
        does not come back together."""
        full = min(self.longest_seconds, self.first_seconds * 2.0 ** min(attempts - 1, 62))
        return timedelta(seconds=full * (0.5 + 0.5 * roll))


class GiveUp(AutoSpotError):
    """Raised by a handler: trying again cannot help. The row becomes a dead letter with this message."""

    code = "given_up"


def retry_at(due: Due, backoff: Backoff, error: Exception, now: datetime, roll: float) -> datetime | None:
    """When to try `due` again after `error`; None to bury it.

    Buried: what its handler says cannot succeed, what was tried often enough, what would come too late to matter.
    Errors outside AutoSpot's own tree are mistakes in the program: a restart with a newer version may cure them.
    """
    if isinstance(error, AutoSpotError) and not error.retryable:
        return None
    if due.attempts >= backoff.attempts:
        return None
    again = now + backoff.pause(due.attempts, roll)
    return None if due.until is not None and again >= due.until else again


def failure_text(error: Exception) -> str:
    """What a dead letter says: AutoSpot's own words, or of a foreign error, whose text may hold secrets, its kind."""
    return error.message[:300] if isinstance(error, AutoSpotError) else type(error).__name__
