"""A stretch of time, half-open: it holds its first instant and not its last, so one ends when the next begins."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from autospot.domain.errors import InvalidInput
from autospot.domain.instant import rfc3339


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """`[start, until)`, two aware datetimes, kept in UTC whatever zone they came in.

    Never empty, never reversed, never naive: such a period is an `InvalidInput` at `/from` or `/until`, the names
    that the REST contract gives the two. Equal instants make equal periods. Periods sort by start, then by end.
    """

    start: datetime
    until: datetime

    def __post_init__(self) -> None:
        start, until = _in_utc(self.start, "/from"), _in_utc(self.until, "/until")
        if until <= start:
            raise InvalidInput("a period must end after it starts", at="/until")
        object.__setattr__(self, "start", start)
        object.__setattr__(self, "until", until)

    @property
    def duration(self) -> timedelta:
        """The real time between the two instants: an hour stays an hour when the clocks change."""
        return self.until - self.start

    def contains(self, instant: datetime) -> bool:
        """True if `instant` (aware) lies in the period; its end does not."""
        return self.start <= _in_utc(instant, "") < self.until

    def covers(self, other: Period) -> bool:
        """True if all of `other` lies in this period."""
        return self.start <= other.start and other.until <= self.until

    def overlaps(self, other: Period) -> bool:
        """True if the two share time. Two that only touch do not."""
        return self.start < other.until and other.start < self.until

    def intersection(self, other: Period) -> Period | None:
        """The time that both share, or None."""
        if not self.overlaps(other):
            return None
        return Period(max(self.start, other.start), min(self.until, other.until))

    def as_json(self) -> dict[str, str]:
        """`{"from": …, "until": …}`, RFC 3339 in UTC with milliseconds."""
        return {"from": rfc3339(self.start), "until": rfc3339(self.until)}


def _in_utc(instant: datetime, at: str) -> datetime:
    if instant.tzinfo is None or instant.utcoffset() is None:
        raise InvalidInput("an instant needs a time zone or an offset", at=at)
    try:
        return instant.astimezone(UTC)
    except OverflowError:  # year 1 or 9999 at an offset that leads out of the calendar
        raise InvalidInput("an instant must lie in the years 1 to 9999 of UTC", at=at) from None
