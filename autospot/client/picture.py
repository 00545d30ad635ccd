"""What a client knows of a lot, and how a message changes it (realtime contract, section 3, rules 1 to 4). Pure."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from typing import Any

from autospot.domain.messages import BayView, Counts


@dataclass(slots=True)
class LotPicture:
    """A lot as of position `rev` of the history `epoch`. With `detail` `counts`, `bays` stays empty."""

    lot: str
    epoch: str
    rev: int
    at: str
    layout: int
    bays: dict[str, BayView] = field(default_factory=dict)
    counts: Counts = field(default_factory=dict)


class Gap:
    """A delta that does not follow on what is known: ask again from one's own position."""


GAP = Gap()


def picture_of(snapshot: Mapping[str, Any]) -> LotPicture:
    """What a snapshot says; it replaces all that was known."""
    return LotPicture(
        lot=snapshot["lot"],
        epoch=snapshot["epoch"],
        rev=snapshot["rev"],
        at=snapshot["at"],
        layout=snapshot["layout"],
        bays=dict(snapshot["bays"]),
        counts=snapshot["counts"],
    )


def apply_delta(known: LotPicture | None, delta: Mapping[str, Any]) -> Set[str] | Gap:
    """Takes a delta into `known` and returns the bays that it told of.

    `GAP` if it is of another history, or begins after what is known. One that begins earlier is fine, because values
    are absolute; one that ends earlier is old and tells nothing.
    """
    if known is None or delta["epoch"] != known.epoch or delta["from"] > known.rev:
        return GAP
    if delta["rev"] < known.rev:
        return frozenset()
    known.bays.update(delta["bays"])
    known.rev, known.at, known.counts = delta["rev"], delta["at"], delta["counts"]
    return frozenset(delta["bays"])
