"""Subscriptions: plans, the life of a subscription as a table, and what it pays for. Pure.

    active ──cancel──> ending ──end──> ended
      │ ^                                ^ ^
     fail renew                          │ │
      v │                                │ │
    past_due ──cancel, end───────────────┘ │
    any of these ──revoke──────────────────┘

A period that is paid for is never taken away, but by a refund (`revoke`). Only paid time counts: what falls after
`paid_until` is not covered yet, however likely a renewal is.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Annotated, Final, Literal
from zoneinfo import ZoneInfo

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic import dataclasses as checked

from autospot.domain.errors import Conflict, InvalidInput
from autospot.domain.ids import Code
from autospot.domain.lot import BayKind, TimeZone
from autospot.domain.money import PayableMoney
from autospot.domain.period import Period
from autospot.domain.reminding import USUAL, Leads, remind_at

RETRY_EVERY: Final = timedelta(days=1)
TRIES_LIMIT: Final = 3
"""How often a renewal is tried that the wallet cannot pay; then the subscription ends."""


@checked.dataclass(frozen=True, slots=True, kw_only=True, config=ConfigDict(extra="forbid"))
class Plan:
    """What may be subscribed to: a pass for the bays of a lot (of `kind`, or of any), or with `package_minutes` so many
    minutes there in each period. A period is `months` calendar months on the lot's clock. `price` is per period, VAT
    included.
    """

    id: Code
    name: Annotated[str, Field(min_length=1, max_length=80)]
    lot: Code
    price: PayableMoney
    vat_basis_points: Annotated[int, Field(ge=0, le=10_000)]
    time_zone: TimeZone
    kind: BayKind | None = None
    months: Annotated[int, Field(ge=1, le=12)] = 1
    package_minutes: Annotated[int, Field(ge=1, le=100_000)] | None = None

    def covers(self, lot: str, kind: str) -> bool:
        """True if it is for that kind of bay in that lot."""
        return self.lot == lot and self.kind in (None, kind)


_plans: TypeAdapter[list[Plan]] = TypeAdapter(list[Plan])


def parse_plans(text: str | bytes) -> list[Plan]:
    """The plans of a JSON list; `InvalidInput` at the first place that is wrong."""
    try:
        return _plans.validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = "".join(f"/{part}" for part in first["loc"])
        raise InvalidInput(first["msg"], at=place) from None


class PackageUsedUp(Conflict):
    """There is not as much left in the package: somebody else's stay, or another one of this driver, was quicker."""

    code = "package_used_up"
    retryable = True


@dataclass(frozen=True, slots=True)
class Drawn:
    """Seconds that a stay took out of a package, in the period that `payment` paid. They come back to that period or,
    once it is over, to nobody."""

    subscription: str
    payment: str
    seconds: int


class SubscriptionState(StrEnum):
    """Where a subscription stands."""

    ACTIVE = "active"
    ENDING = "ending"
    """Cancelled: good until the end of what is paid."""
    PAST_DUE = "past_due"
    """The renewal could not be paid; it is tried again."""
    ENDED = "ended"


class SubscriptionStep(StrEnum):
    """What may happen to one."""

    RENEW = "renew"
    CANCEL = "cancel"
    FAIL = "fail"
    END = "end"
    REVOKE = "revoke"


_State, _Step = SubscriptionState, SubscriptionStep

TRANSITIONS: Final[Mapping[tuple[SubscriptionState, SubscriptionStep], SubscriptionState]] = {
    (_State.ACTIVE, _Step.RENEW): _State.ACTIVE,
    (_State.ACTIVE, _Step.CANCEL): _State.ENDING,
    (_State.ACTIVE, _Step.FAIL): _State.PAST_DUE,
    (_State.ENDING, _Step.END): _State.ENDED,
    (_State.PAST_DUE, _Step.RENEW): _State.ACTIVE,
    (_State.PAST_DUE, _Step.FAIL): _State.PAST_DUE,
    (_State.PAST_DUE, _Step.CANCEL): _State.ENDED,
    (_State.PAST_DUE, _Step.END): _State.ENDED,
    (_State.ACTIVE, _Step.REVOKE): _State.ENDED,
    (_State.ENDING, _Step.REVOKE): _State.ENDED,
    (_State.PAST_DUE, _Step.REVOKE): _State.ENDED,
}

DueAction = Literal["remind", "renew", "end"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """A driver's subscription under the plan as it was when it began.

    Periods are counted from `anchor`: the `number`-th ends at `paid_until`, began at `period_from`. `covered_from` is
    since when there was no unpaid time. `used_seconds` of the package are gone in this period. `payment` paid it.
    `tries` counts failed renewals in a row, the next one is at `retry_at`. `version` counts changes.
    """

    id: str
    owner: str
    plan: Plan
    state: SubscriptionState
    anchor: datetime
    number: int
    period_from: datetime
    paid_until: datetime
    covered_from: datetime
    payment: str
    used_seconds: int = 0
    reminded: bool = False
    tries: int = 0
    retry_at: datetime | None = None
    version: int = 1

    @property
    def is_open(self) -> bool:
        """True while it may still be renewed, cancelled or end."""
        return self.state is not SubscriptionState.ENDED

    @property
    def left_seconds(self) -> int:
        """What is left of the package in this period; 0 for a pass."""
        return (self.plan.package_minutes or 0) * 60 - self.used_seconds

    def after(self, step: SubscriptionStep, **changes: object) -> Subscription:
        """This subscription after `step`, with changes to other fields; `Conflict` (code `illegal_step`) where the
        table has no such step, and nothing has changed."""
        if (self.state, step) not in TRANSITIONS:
            raise Conflict(f"a subscription that is {self.state} cannot {step}", code="illegal_step")
        state = TRANSITIONS[self.state, step]
        return replace(self, state=state, version=self.version + 1, **changes)  # type: ignore[arg-type]

    def renewed(self, payment: str, now: datetime) -> Subscription:
        """Paid for one more period: the next one; or one that begins now, after a failed renewal, or if the next one is
        over already (AutoSpot was away), so that nobody pays for days without cover."""
        is_late = now >= period_end(self.plan, self.anchor, self.number + 1)
        if is_late or self.state is SubscriptionState.PAST_DUE:
            anchor, number, start, covered = now, 1, now, now
        else:
            anchor, number, start, covered = self.anchor, self.number + 1, self.paid_until, self.covered_from
        return self.after(
            SubscriptionStep.RENEW,
            anchor=anchor,
            number=number,
            period_from=start,
            paid_until=period_end(self.plan, anchor, number),
            covered_from=covered,
            payment=payment,
            used_seconds=0,
            reminded=False,
            tries=0,
            retry_at=None,
        )

    def failed(self, now: datetime) -> Subscription:
        """The renewal could not be paid: tried again later, or after `TRIES_LIMIT` tries over."""
        if self.state is SubscriptionState.PAST_DUE and self.tries + 1 >= TRIES_LIMIT:
            return self.after(SubscriptionStep.END, retry_at=None)
        return self.after(SubscriptionStep.FAIL, tries=self.tries + 1, retry_at=now + RETRY_EVERY)

    def cancelled(self) -> Subscription:
        """Not renewed any more: ends with what is paid, at once if nothing is."""
        return self.after(SubscriptionStep.CANCEL, reminded=False, retry_at=None)

    def revoked(self, now: datetime) -> Subscription:
        """Its payment went back: over now."""
        until = max(self.covered_from, min(self.paid_until, now))
        return self.after(SubscriptionStep.REVOKE, paid_until=until, retry_at=None)

    def noted_reminder(self) -> Subscription:
        """Its driver was reminded of the end of this period."""
        return replace(self, reminded=True, version=self.version + 1)

    def using(self, seconds: int) -> Subscription:
        """So much of the package is gone; `PackageUsedUp` for more than is left."""
        if not 0 < seconds <= self.left_seconds:
            raise PackageUsedUp("there is not as much left in this package")
        return replace(self, used_seconds=self.used_seconds + seconds, version=self.version + 1)

    def regaining(self, drawn: Drawn) -> Subscription:
        """With what a stay took given back; unchanged if that was in a period that is over."""
        if drawn.payment != self.payment:
            return self
        if drawn.seconds > self.used_seconds:
            raise InvalidInput("that is more than was taken out of this package")
        return replace(self, used_seconds=self.used_seconds - drawn.seconds, version=self.version + 1)

    def regaining_all(self, drawn: Sequence[Drawn]) -> Subscription:
        """With everything that was taken out of this one given back."""
        after = self
        for each in drawn:
            after = after.regaining(each) if each.subscription == self.id else after
        return after

    def coverage(self, lot: str, kind: str, period: Period) -> Period | None:
        """The part of a stay that a pass pays for; None for a package."""
        if self.plan.package_minutes is not None or not self.plan.covers(lot, kind):
            return None
        if self.covered_from >= self.paid_until:
            return None
        return Period(self.covered_from, self.paid_until).intersection(period)

    def package_for(self, lot: str, kind: str, period: Period) -> int:
        """How many seconds of a package a stay may use: one that begins within the period that is paid."""
        is_within = self.period_from <= period.start < self.paid_until
        return self.left_seconds if is_within and self.plan.covers(lot, kind) else 0


def begun(subscription_id: str, owner: str, plan: Plan, payment: str, now: datetime) -> Subscription:
    """A new subscription, its first period paid by `payment`."""
    return Subscription(
        id=subscription_id,
        owner=owner,
        plan=plan,
        state=SubscriptionState.ACTIVE,
        anchor=now,
        number=1,
        period_from=now,
        paid_until=period_end(plan, now, 1),
        covered_from=now,
        payment=payment,
    )


def period_end(plan: Plan, anchor: datetime, number: int) -> datetime:
    """When the `number`-th period ends: the same day of a later month, or its last, at the same time on the clock."""
    local = anchor.astimezone(ZoneInfo(plan.time_zone))
    years, month = divmod(local.month - 1 + number * plan.months, 12)
    year = local.year + years
    day = min(local.day, monthrange(year, month + 1)[1])
    return local.replace(year=year, month=month + 1, day=day, fold=0).astimezone(UTC)


def next_moment(subscription: Subscription, leads: Leads = USUAL) -> datetime | None:
    """When something falls due, its driver being reminded as `leads` say; None once it has ended."""
    if not subscription.is_open:
        return None
    if subscription.state is SubscriptionState.PAST_DUE:
        return subscription.retry_at
    span = subscription.paid_until - subscription.period_from
    reminder = remind_at(subscription.paid_until, leads.subscription_expiring, span)
    return subscription.paid_until if subscription.reminded or reminder is None else reminder


def due_action(subscription: Subscription, now: datetime, leads: Leads = USUAL) -> DueAction | None:
    """What is to be done at `now`; None if it is not time yet. A reminder that comes too late is left out."""
    moment = next_moment(subscription, leads)
    if moment is None or now < moment:
        return None
    if subscription.state is SubscriptionState.PAST_DUE:
        return "renew"
    if now < subscription.paid_until:
        return "remind"
    return "renew" if subscription.state is SubscriptionState.ACTIVE else "end"


def renewal_payment_id(subscription: Subscription) -> str:
    """The id of the payment for the next period: the same at every try of one renewal."""
    text = f"{subscription.id}:{subscription.version}:renewal"
    return f"pay_{sha256(text.encode()).hexdigest()[:32]}"
