"""A booking: one driver's promise of one bay for one period, with everything that has happened to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

from autospot.domain.booking.life import OPEN, BookingState, Step, state_after
from autospot.domain.errors import Conflict
from autospot.domain.lot import BayKind, BookingTerms
from autospot.domain.money import Money
from autospot.domain.period import Period
from autospot.domain.reminding import USUAL, Leads
from autospot.domain.subscription import Drawn

EVENTS_LIMIT = 200
"""Most events of one booking. Its driver is refused a further change from `CHANGES_LIMIT` events on; the rest is left
to what happens by itself, which is a dozen at most."""

CHANGES_LIMIT = 150

By = Literal["driver", "operator", "attendant", "clock"]
"""Who made it happen. `attendant` is AutoSpot watching the sensors, `clock` AutoSpot when something fell due."""


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened to a booking. `what` is a step or a word such as `changed` or `warned`; `reason` says
    why, in words for the driver; `facts` are plain JSON values, among them what it cost (`charged`) or gave back
    (`refund`, `credit`) in minor units."""

    at: datetime
    what: str
    by: By
    reason: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Price:
    """What was agreed: the quote's total with the VAT in it, the version of the tariff, and the quote's hash."""

    total: Money
    tariff_version: str
    quote_hash: str
    vat_basis_points: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Booking:
    """One driver's promise of one bay for `period`.

    `promise` is the entry in the bay's calendar that keeps it. `terms` are those of the lot when it was made: a change
    of the lot's terms does not touch it. `price` None is free of charge; `paid` is what its driver has paid so far and
    not got back, in minor units. `hold_until` is when a held booking expires. `package_seconds` of the
    stay are paid by minutes packages, `drawn` says by which. `by_kind` says that the driver asked for a kind of bay and
    will take any. `handled_until` is the instant up to which everything that falls due has been done,
    `seen_rev` the newest position of the feed that was considered. `leads` say when its driver wants to be reminded,
    `leads_since` since when if that changed after it was made. `claimed` says that screens show its bay as
    reserved. `version` counts changes; `arrived_at` and `left_at` are what the sensor said.
    """

    id: str
    lot: str
    bay: str
    promise: str
    kind: BayKind
    owner: str
    vehicle: str | None
    period: Period
    state: BookingState
    made_at: datetime
    terms: BookingTerms
    handled_until: datetime
    version: int = 1
    by_kind: bool = False
    price: Price | None = None
    paid: int = 0
    package_seconds: int = 0
    drawn: tuple[Drawn, ...] = ()
    hold_until: datetime | None = None
    series: str | None = None
    moved_from: str | None = None
    moved_to: str | None = None
    session: str | None = None
    leads: Leads = USUAL
    leads_since: datetime | None = None
    claimed: bool = False
    arrived_at: datetime | None = None
    left_at: datetime | None = None
    seen_rev: int = 0
    events: tuple[Event, ...] = ()

    @property
    def is_open(self) -> bool:
        """True while it keeps its bay."""
        return self.state in OPEN

    def after(self, step: Step, at: datetime, by: By, reason: str = "", **changes: Any) -> Booking:
        """This booking after `step`, which is noted, with `changes` to other fields. `IllegalStep` changes nothing."""
        return self.noting(at, step.value, by, reason, state=state_after(self.state, step), **changes)

    def noting(
        self, at: datetime, what: str, by: By, reason: str = "", facts: Mapping[str, Any] | None = None, **changes: Any
    ) -> Booking:
        """This booking with one more event and the next version."""
        event = Event(at, what, by, reason, facts or {})
        fields = {"version": self.version + 1, **changes}
        return replace(self, events=(*self.events, event)[-EVENTS_LIMIT:], **fields)

    def with_facts(self, **facts: Any) -> Booking:
        """This booking with more facts about what happened last."""
        *earlier, last = self.events
        return replace(self, events=(*earlier, replace(last, facts={**last.facts, **facts})))

    def require_changeable(self) -> None:
        """`Conflict` if it was changed so often that its history has no room for more."""
        if len(self.events) >= CHANGES_LIMIT:
            raise Conflict("this booking was changed too often: make a new one", code="too_many_changes")
