"""What one feed document says: every change of what bays show that was committed together.

The feed is the log everything else is folded from. How it is stored: `autospot.storage.feed_columns`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from msgspec import Struct

from autospot.domain.bay import Claim, Closure, SensorHalf


class SensorChange(Struct, frozen=True, gc=False):
    """The sensor's half of a bay after a reading, or the gap-filling reading itself in `FeedEntry.past`.

    `since_ms` is when the bay took this value, `at_ms` the event time of the reading that made it, both milliseconds
    since the Unix epoch; `boot` and `seq` as in `Reading`.
    """

    bay: str
    occupied: bool | None
    since_ms: int | None
    at_ms: int | None
    boot: int | str | None = None
    seq: int | None = None

    @classmethod
    def of(cls, bay: str, half: SensorHalf) -> SensorChange:
        """The change that made `half` of the bay's half."""
        return cls(bay, half.occupied, half.since_ms, half.at_ms, half.boot, half.seq)

    @property
    def half(self) -> SensorHalf:
        """What the sensor's half is after it."""
        return SensorHalf(self.occupied, self.since_ms, self.at_ms, self.boot, self.seq)


class ClaimChange(NamedTuple):
    """The people's half of a bay, whole: what it is after the change, None where there is no claim or closure."""

    bay: str
    claim: Claim | None
    closure: Closure | None


@dataclass(frozen=True, slots=True)
class FeedEntry:
    """Everything one commit changed. Values are absolute, so applying an entry twice changes nothing.

    `by` names the writer; `sensors` and `claims` change what bays show; `past` holds readings that are kept in the
    history and never shown (late ones, and repeats of the present state that witness it); `layouts` names lots whose
    document changed and their new version.
    """

    by: str
    sensors: Mapping[str, Sequence[SensorChange]] = field(default_factory=dict)
    past: Mapping[str, Sequence[SensorChange]] = field(default_factory=dict)
    claims: Mapping[str, Sequence[ClaimChange]] = field(default_factory=dict)
    layouts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Commit:
    """A feed entry with its place in history.

    `rev` is the position (`seconds << 20 | increment` of the cluster time), `written_ms` the writer's clock.
    """

    rev: int
    entry: FeedEntry
    written_ms: int
