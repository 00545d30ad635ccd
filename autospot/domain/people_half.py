"""The people's half of a bay: every claim that stands on it at the moment, and the operator's closure.

Screens show one claim. Two can stand at a time, because the next booking is claimed before the present one ends: the
one that begins first is shown, so that whoever parks rightly until eleven is not in conflict with who comes at eleven.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

from autospot.domain.bay import Claim, Closure
from autospot.domain.change import ClaimChange


class Standing(NamedTuple):
    """A claim with the instant at which what it stands for begins."""

    from_ms: int
    claim: Claim


@dataclass(frozen=True, slots=True)
class PeopleHalf:
    """What people arranged for one bay, whole."""

    claims: tuple[Standing, ...] = ()
    closure: Closure | None = None

    def change(self, bay: str) -> ClaimChange:
        """What the feed is told: the claim that begins first, and the closure."""
        first = min(self.claims, key=lambda each: (each.from_ms, each.claim.ref), default=None)
        return ClaimChange(bay, first.claim if first else None, self.closure)

    def claimed(self, claim: Claim, from_ms: int) -> PeopleHalf:
        """With `claim`, instead of one of the same `ref` if there is one."""
        return replace(self, claims=(*self.without(claim.ref).claims, Standing(from_ms, claim)))

    def without(self, ref: str) -> PeopleHalf:
        """Without the claim of `ref`."""
        return replace(self, claims=tuple(each for each in self.claims if each.claim.ref != ref))

    def closed(self, closure: Closure | None) -> PeopleHalf:
        """Closed, or open again."""
        return replace(self, closure=closure)

    def claim_of(self, ref: str) -> Claim | None:
        """The claim of `ref`, if it stands."""
        return next((each.claim for each in self.claims if each.claim.ref == ref), None)
