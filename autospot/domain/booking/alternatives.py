"""What is offered when a bay is taken: another bay of its kind at that time, or the nearest time it is free."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from autospot.domain.errors import Conflict
from autospot.domain.ids import new_id
from autospot.domain.instant import rfc3339
from autospot.domain.period import Period

ALTERNATIVES_LIMIT = 3


@dataclass(frozen=True, slots=True)
class Alternative:
    """A bay and a time that were free when the refusal was made."""

    bay: str
    period: Period

    def as_json(self) -> dict[str, str]:
        """`{"bay": …, "from": …, "until": …}`."""
        return {"bay": self.bay, **self.period.as_json()}


class BayTaken(Conflict):
    """The bay, or every bay of the kind, is promised to somebody else for some of that time.

    `because` is the promise that stands in the way (of one bay, where all of a kind are taken); it is not shown.
    """

    code = "bay_taken"

    def __init__(
        self, message: str, *, because: Promise | None = None, alternatives: Sequence[Alternative] = ()
    ) -> None:
        super().__init__(message)
        self.because = because
        self.alternatives = tuple(alternatives[:ALTERNATIVES_LIMIT])
        self.extensions = {"alternatives": [each.as_json() for each in self.alternatives]}


@dataclass(frozen=True, slots=True)
class Promise:
    """A bay is kept for `ref` (a booking or an assignment) for `period`; made at `made_at`.

    `id` tells it from every other, also from another one of the same `ref` and time: who gives a promise back gives
    back this one and never one that was made anew meanwhile.
    """

    ref: str
    period: Period
    made_at: datetime
    id: str = field(default_factory=lambda: new_id("prm"))

    def __str__(self) -> str:
        return f"{self.ref} {rfc3339(self.period.start)}/{rfc3339(self.period.until)}"


def nearest_period(
    wanted: Period, taken: Iterable[Period], earliest: datetime, latest: datetime, step: timedelta
) -> Period | None:
    """The period of the same length that is nearest to `wanted`, shares no time with `taken`, starts from `earliest` on
    and at `latest` the latest. Later ones win a tie. None if there is none.

    Starts are tried at the edges of what is taken, moved to a multiple of `step` from the wanted start.
    """
    busy = sorted(taken)
    starts = {wanted.start}
    for period in busy:
        starts |= {_snapped(period.until, wanted.start, step, up=True)}
        starts |= {_snapped(period.start - wanted.duration, wanted.start, step, up=False)}
    found = [Period(start, start + wanted.duration) for start in starts if earliest <= start <= latest]
    free = [period for period in found if not any(period.overlaps(other) for other in busy)]
    return min(free, key=lambda period: (abs(period.start - wanted.start), -period.start.timestamp()), default=None)


def _snapped(instant: datetime, origin: datetime, step: timedelta, *, up: bool) -> datetime:
    steps, rest = divmod(instant - origin, step)
    return origin + step * (steps + 1 if up and rest else steps)
