"""The history of a bay: what was so from when to when, whatever order the readings arrived in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple


class BayEvent(NamedTuple):
    """One reading that is kept: at `at_ms` the bay was `occupied`; None where it turned unknown."""

    at_ms: int
    occupied: bool | None


class Span(NamedTuple):
    """The bay was `occupied` (None: unknown) from `from_ms` until `until_ms`, None while that lasts."""

    occupied: bool | None
    from_ms: int
    until_ms: int | None


def spans_newest_first(events_newest_first: Iterable[BayEvent], until_ms: int | None = None) -> Iterator[Span]:
    """Joins events, newest first, into spans, newest first. A span ends where the next begins.

    `until_ms` is where the newest span ends (None: it lasts). The oldest run of equal events makes the last span.
    """
    run: BayEvent | None = None
    for event in events_newest_first:
        if run is not None and event.occupied != run.occupied:
            yield Span(run.occupied, run.at_ms, until_ms)
            until_ms = run.at_ms
        run = event
    if run is not None:
        yield Span(run.occupied, run.at_ms, until_ms)
