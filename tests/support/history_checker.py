"""Judges what clients recorded of their bookings, knowing nothing of how they were made.

Each call is recorded with when it was begun and when it ended, by one clock, and how: `ok`, `refused`, or `unknown`
(the answer never came: it may or may not have happened). A booking certainly existed from the end of the call that made
it to the beginning of the call that ended it, and possibly from its beginning to that one's end. From that follows what
must not be: two that certainly existed at one moment and overlap; a refusal for which nothing that possibly existed can
be the reason; a booking that was acknowledged and is not there; more effects than keys.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations, pairwise
from typing import Literal

from autospot.domain.period import Period

Outcome = Literal["ok", "refused", "unknown"]
FOR_EVER = float("inf")


@dataclass(frozen=True)
class Attempt:
    """One call that would take `period` of `bay` for `booking`: a booking, the added part of an extension, or, with
    `moves`, another place or time that is taken instead of all that the booking had before.

    `key` names the effect that the client wanted; a client that tries again keeps it. `booking` None where the client
    never learnt an id. The calls for one booking come one after the other. `lingers` is for how long after its end a
    try of it that was cut off may still keep the place, whatever became of the call.
    """

    key: str
    bay: str
    period: Period
    begun: float
    ended: float
    outcome: Outcome
    booking: str | None = None
    moves: bool = False
    lingers: float = 0.0


@dataclass(frozen=True)
class Release:
    """One call that would give back all the time of `booking`."""

    booking: str
    begun: float
    ended: float
    outcome: Outcome


@dataclass(frozen=True)
class Stored:
    """A booking as the database has it in the end."""

    id: str
    bay: str
    period: Period
    is_open: bool


@dataclass
class History:
    """What all clients recorded. Append in any order."""

    attempts: list[Attempt] = field(default_factory=list)
    releases: list[Release] = field(default_factory=list)


@dataclass(frozen=True)
class _Life:
    """When a promise of a bay may have existed, and when it certainly did."""

    key: str
    booking: str | None
    bay: str
    period: Period
    possibly: tuple[float, float]
    certainly: tuple[float, float] | None


def faults(history: History, stored: Sequence[Stored]) -> list[str]:
    """Everything that must not be, in words; empty for a history that can be explained."""
    lives = defaultdict(list)
    for life in _lives(history):
        lives[life.bay].append(life)
    return [
        *_overlapping_in_the_end(stored),
        *_overlapping_at_some_moment(lives),
        *_lost(history, {each.id: each for each in stored}),
        *_inexplicable(history, lives),
        *_done_twice(history),
    ]


def _lives(history: History) -> Iterator[_Life]:
    ends: dict[str, list[Attempt | Release]] = defaultdict(list)
    for each in (*history.attempts, *history.releases):
        if each.booking is not None and each.outcome != "refused" and (isinstance(each, Release) or each.moves):
            ends[each.booking].append(each)
    for attempt in history.attempts:
        if attempt.lingers:
            until = attempt.ended + attempt.lingers
            yield _Life(attempt.key, attempt.booking, attempt.bay, attempt.period, (attempt.begun, until), None)
        if attempt.outcome == "refused":
            continue
        certainly_until, possibly_until = _ends_of(attempt, ends.get(attempt.booking or "", ()))
        certain = (attempt.ended, certainly_until) if attempt.outcome == "ok" else None
        yield _Life(attempt.key, attempt.booking, attempt.bay, attempt.period, (attempt.begun, possibly_until), certain)


def _ends_of(attempt: Attempt, ends: Sequence[Attempt | Release]) -> tuple[float, float]:
    """Until when what `attempt` took was certainly there, and until when it possibly was: the first call that may have
    given it back began, and the first that certainly did ended."""
    later = [each for each in ends if each.begun >= attempt.ended]
    return (
        min((each.begun for each in later), default=FOR_EVER),
        min((each.ended for each in later if each.outcome == "ok"), default=FOR_EVER),
    )


def _overlapping_in_the_end(stored: Iterable[Stored]) -> Iterator[str]:
    by_bay = defaultdict(list)
    for each in stored:
        if each.is_open:
            by_bay[each.bay].append(each)
    for bay, bookings in by_bay.items():
        bookings.sort(key=lambda each: each.period)
        for one, other in pairwise(bookings):
            if one.period.overlaps(other.period):
                yield f"{one.id} and {other.id} overlap on {bay}"


def _overlapping_at_some_moment(lives: Mapping[str, Sequence[_Life]]) -> Iterator[str]:
    for bay, those in lives.items():
        certain = [each for each in those if each.certainly and each.certainly[0] < each.certainly[1]]
        for one, other in combinations(certain, 2):
            same = one.booking is not None and one.booking == other.booking
            if not same and one.period.overlaps(other.period) and _meet(one.certainly, other.certainly):
                yield f"{one.booking} and {other.booking} both had {bay} at one moment"


def _lost(history: History, stored: Mapping[str, Stored]) -> Iterator[str]:
    released = {each.booking for each in history.releases if each.outcome != "refused"}
    moved_at = {each.booking: 0.0 for each in history.attempts}
    for each in history.attempts:
        if each.moves and each.outcome != "refused":
            moved_at[each.booking] = max(moved_at[each.booking], each.begun)
    for attempt in history.attempts:
        if attempt.outcome != "ok" or attempt.booking is None:
            continue
        kept = stored.get(attempt.booking)
        if kept is None:
            yield f"{attempt.booking} was acknowledged and is not there"
        elif attempt.booking not in released and not kept.is_open:
            yield f"{attempt.booking} was acknowledged, never given back, and is over"
        elif kept.is_open and moved_at[attempt.booking] < attempt.ended and not _covers(kept, attempt):
            yield f"{attempt.booking} was acknowledged on {attempt.bay}, and is not there at that time"
    for release in history.releases:
        kept = stored.get(release.booking)
        if release.outcome == "ok" and kept is not None and kept.is_open:
            yield f"{release.booking} was given back and is still open"


def _covers(kept: Stored, attempt: Attempt) -> bool:
    within = kept.period.start <= attempt.period.start and attempt.period.until <= kept.period.until
    return kept.bay == attempt.bay and within


def _inexplicable(history: History, lives: Mapping[str, Sequence[_Life]]) -> Iterator[str]:
    for refused in history.attempts:
        if refused.outcome != "refused":
            continue
        explained = any(
            life.period.overlaps(refused.period) and _meet(life.possibly, (refused.begun, refused.ended))
            for life in lives.get(refused.bay, ())
            if life.key != refused.key and (life.booking is None or life.booking != refused.booking)
        )
        if not explained:
            yield f"{refused.key} was refused {refused.bay}, and nothing was in its way"


def _done_twice(history: History) -> Iterator[str]:
    made = {(each.key, each.booking) for each in history.attempts if each.outcome == "ok" and each.booking}
    for key, count in Counter(key for key, _booking in made).items():
        if count > 1:
            yield f"{key} was done {count} times"


def _meet(one: tuple[float, float] | None, other: tuple[float, float] | None) -> bool:
    return one is not None and other is not None and one[0] < other[1] and other[0] < one[1]
