"""A subscription and a wallet at random: no period is unpaid, none is paid twice, nothing paid is taken away."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from autospot.domain.errors import Conflict, InvalidInput
from autospot.domain.period import Period
from autospot.domain.subscription import (
    TRIES_LIMIT,
    Drawn,
    Subscription,
    SubscriptionState,
    SubscriptionStep,
    due_action,
    next_moment,
)
from tests.support.subscriptions import JUNE_20, a_package, a_plan, a_subscription

PRICE = 3000


class SubscriptionMachine(RuleBasedStateMachine):
    """The model is a list of the spans that were paid for, and what that took from the wallet."""

    here: Subscription
    now: datetime

    @initialize(
        is_package=st.booleans(),
        months=st.sampled_from([1, 3]),
        start_days=st.integers(0, 400),
        funds=st.integers(0, 4),
    )
    def begin(self, is_package: bool, months: int, start_days: int, funds: int) -> None:
        make = a_package if is_package else a_plan
        self.now = JUNE_20 + timedelta(days=start_days)
        self.here = a_subscription(make(months=months), self.now)
        self.wallet, self.payments, self.used = funds * PRICE, 1, 0
        self.drawn: list[Drawn] = []
        self.paid = [Period(self.now, self.here.paid_until)]
        self.revoked_at: datetime | None = None

    @rule(hours=st.integers(1, 24 * 50))
    def time_passes(self, hours: int) -> None:
        """Everything is done when it falls due, as the due-queue does it."""
        end = self.now + timedelta(hours=hours)
        while (moment := next_moment(self.here)) is not None and moment <= end:
            self.now = max(self.now, moment)
            self._act()
        self.now = end

    @rule(hours=st.integers(1, 24 * 200))
    def nobody_is_there_for_a_while(self, hours: int) -> None:
        self.now += timedelta(hours=hours)
        while due_action(self.here, self.now) is not None:
            self._act()

    def _act(self) -> None:
        action = due_action(self.here, self.now)
        assert action is not None
        before = self.here
        if action == "remind":
            self.here = before.noted_reminder()
        elif action == "end":
            self.here = before.after(SubscriptionStep.END)
        elif self.wallet < PRICE:
            self.here = before.failed(self.now)
        else:
            self.wallet -= PRICE
            self.payments += 1
            self.here = before.renewed(f"pay_{self.payments}", self.now)
            self.paid.append(Period(self.here.period_from, self.here.paid_until))
            self.used = 0
        assert self.here.version == before.version + 1

    @rule()
    def cancel(self) -> None:
        before = self.here
        try:
            self.here = before.cancelled()
        except Conflict:
            assert before.state in (SubscriptionState.ENDING, SubscriptionState.ENDED)
        else:
            assert self.here.paid_until == before.paid_until

    @rule(amount=st.integers(1, 2 * PRICE))
    def fill(self, amount: int) -> None:
        self.wallet += amount

    @precondition(lambda self: self.here.is_open)
    @rule()
    def refund(self) -> None:
        self.here = self.here.revoked(self.now)
        self.revoked_at = self.now

    @rule(seconds=st.integers(1, 40_000))
    def use(self, seconds: int) -> None:
        try:
            self.here = self.here.using(seconds)
        except Conflict:
            assert self.used + seconds > (self.here.plan.package_minutes or 0) * 60
        else:
            self.used += seconds
            self.drawn.append(Drawn(self.here.id, self.here.payment, seconds))

    @precondition(lambda self: self.drawn)
    @rule(which=st.integers(0, 100), share=st.floats(0, 1))
    def give_back(self, which: int, share: float) -> None:
        """All or part of what a stay took: it comes back to the period it came from, or to nobody."""
        drawn = self.drawn.pop(which % len(self.drawn))
        given = replace(drawn, seconds=max(1, round(drawn.seconds * share)))
        is_over = drawn.payment != self.here.payment
        before, self.here = self.here, self.here.regaining(given)
        if is_over:
            assert self.here == before
        else:
            self.used -= given.seconds
            if given.seconds < drawn.seconds:
                self.drawn.append(replace(drawn, seconds=drawn.seconds - given.seconds))

    @rule(seconds=st.integers(1, 40_000))
    def give_back_what_nobody_took(self, seconds: int) -> None:
        before = self.here
        try:
            self.here.regaining(Drawn(before.id, before.payment, self.used + seconds))
        except InvalidInput:
            assert self.here == before
        else:
            raise AssertionError("more came back than was taken")

    @invariant()
    def what_was_paid_is_covered_and_nothing_else(self) -> None:
        if self.here.plan.package_minutes is not None:
            return
        last = self.paid[-1]
        for span in self.paid:
            for instant in (span.start, span.until - timedelta(seconds=1)):
                stay = Period(instant, instant + timedelta(seconds=1))
                is_kept = self.revoked_at is None or stay.until <= self.revoked_at
                is_recent = span.start >= self.here.covered_from
                assert (self.here.coverage("harbour", "general", stay) is not None) == (is_kept and is_recent)
        after = Period(last.until, last.until + timedelta(hours=1))
        assert self.here.coverage("harbour", "general", after) is None

    @invariant()
    def paid_spans_do_not_overlap(self) -> None:
        assert all(one.until <= other.start for one, other in zip(self.paid, self.paid[1:], strict=False))

    @invariant()
    def money_and_package_stay_within_their_bounds(self) -> None:
        assert self.wallet >= 0
        assert len(self.paid) == self.payments
        assert 0 <= self.here.left_seconds <= (self.here.plan.package_minutes or 0) * 60
        assert self.here.used_seconds == self.used
        assert self.here.tries < TRIES_LIMIT

    @invariant()
    def only_what_is_open_falls_due(self) -> None:
        assert (next_moment(self.here) is not None) == self.here.is_open


TestSubscriptionMachine = SubscriptionMachine.TestCase
TestSubscriptionMachine.settings = settings(max_examples=300, stateful_step_count=25, deadline=None)
