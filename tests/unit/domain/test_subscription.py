"""The rules of subscriptions: periods, the table, what is covered."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import sites
from autospot.domain.errors import Conflict, InvalidInput
from autospot.domain.period import Period
from autospot.domain.subscription import (
    TRANSITIONS,
    SubscriptionState,
    SubscriptionStep,
    due_action,
    next_moment,
    parse_plans,
    period_end,
)
from autospot.domain.tariff import quote
from tests.support.subscriptions import JUNE_20, a_package, a_plan, a_subscription
from tests.support.tariffs import HOURLY, tariff

HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("anchor", "number", "end"),
    [
        ("2026-01-31T12:00+00:00", 1, "2026-02-28T12:00+00:00"),
        ("2026-01-31T12:00+00:00", 2, "2026-03-31T11:00+00:00"),  # summer time by then: noon UTC was 13:00 there
        ("2027-12-31T12:00+00:00", 2, "2028-02-29T12:00+00:00"),
        ("2026-06-20T10:00+00:00", 12, "2027-06-20T10:00+00:00"),
        ("2026-05-31T23:30+00:00", 1, "2026-06-30T23:30+00:00"),  # 1 June in Berlin
    ],
)
def test_a_period_ends_on_the_same_day_of_the_month_or_its_last(anchor: str, number: int, end: str) -> None:
    assert period_end(a_plan(), datetime.fromisoformat(anchor), number) == datetime.fromisoformat(end)


def test_renewals_do_not_drift_from_the_day_it_began() -> None:
    here = a_subscription(now=datetime(2026, 1, 31, 12, tzinfo=UTC))
    ends = [here.paid_until]
    for _ in range(3):
        here = here.renewed("pay_2", here.paid_until)
        ends.append(here.paid_until)
    assert [each.day for each in ends] == [28, 31, 30, 31]


@pytest.mark.parametrize("state", SubscriptionState)
@pytest.mark.parametrize("step", SubscriptionStep)
def test_a_step_that_the_table_does_not_have_is_refused(state: SubscriptionState, step: SubscriptionStep) -> None:
    here = replace(a_subscription(), state=state)
    if (state, step) in TRANSITIONS:
        assert here.after(step).state is TRANSITIONS[state, step]
    else:
        with pytest.raises(Conflict, match="cannot"):
            here.after(step)


def test_nothing_leads_out_of_the_end() -> None:
    assert not any(state is SubscriptionState.ENDED for state, _step in TRANSITIONS)


def test_a_pass_covers_the_paid_part_of_a_stay_in_its_lot_and_kind() -> None:
    here = a_subscription()
    early = Period(JUNE_20 - HOUR, JUNE_20 + HOUR)
    assert here.coverage("harbour", "general", early) == Period(JUNE_20, JUNE_20 + HOUR)
    assert here.coverage("harbour", "ev", early) is None
    assert here.coverage("market", "general", early) is None
    beyond = Period(here.paid_until - HOUR, here.paid_until + HOUR)
    assert here.coverage("harbour", "general", beyond) == Period(here.paid_until - HOUR, here.paid_until)
    assert here.coverage("harbour", "general", Period(here.paid_until, here.paid_until + HOUR)) is None


def test_a_quote_charges_only_what_the_pass_does_not_cover() -> None:
    here = a_subscription()
    stay = Period(JUNE_20 - 2 * HOUR, JUNE_20 + HOUR)
    covered = here.coverage("harbour", "general", stay)
    assert covered is not None
    quoted = quote(tariff(HOURLY), stay, kind="general", coverage=[covered])
    assert quoted.total.amount == 400
    assert [line.rule for line in quoted.lines if line.kind == "covered"] == ["covered by a subscription"]


def test_a_package_pays_the_first_minutes_and_never_more_than_it_has() -> None:
    here = a_subscription(a_package(90))
    stay = Period(JUNE_20, JUNE_20 + 3 * HOUR)
    assert here.coverage("harbour", "general", stay) is None
    left = here.package_for("harbour", "ev", stay)
    quoted = quote(tariff(HOURLY), stay, package_seconds=left)
    assert (left, quoted.package_seconds, quoted.total.amount) == (5400, 5400, 400)
    after = here.using(quoted.package_seconds)
    assert after.package_for("harbour", "ev", stay) == 0
    with pytest.raises(Conflict, match="left"):
        after.using(1)
    assert after.renewed("pay_2", after.paid_until).left_seconds == 5400


def test_cancelling_keeps_what_is_paid() -> None:
    here = a_subscription()
    after = here.cancelled()
    assert (after.state, after.paid_until) == (SubscriptionState.ENDING, here.paid_until)
    assert due_action(after, here.paid_until - timedelta(days=3)) == "remind"
    assert due_action(after.noted_reminder(), here.paid_until) == "end"
    assert next_moment(after.after(SubscriptionStep.END)) is None


def test_a_late_payment_buys_days_to_come_and_not_days_gone() -> None:
    here = a_subscription()
    failed = here.failed(here.paid_until)
    later = here.paid_until + timedelta(days=1)
    assert due_action(failed, later) == "renew"
    again = failed.renewed("pay_2", later)
    assert (again.covered_from, again.paid_until) == (later, period_end(again.plan, later, 1))
    gap = Period(here.paid_until, here.paid_until + HOUR)
    assert again.coverage("harbour", "general", gap) is None


def test_a_renewal_after_a_long_outage_is_charged_once() -> None:
    here = a_subscription()
    away = here.paid_until + timedelta(days=70)
    again = here.renewed("pay_2", away)
    assert again.period_from == away
    assert due_action(again, away) is None


def test_what_is_refunded_is_no_longer_covered() -> None:
    here = a_subscription()
    gone = here.revoked(JUNE_20 + HOUR)
    assert gone.coverage("harbour", "general", Period(JUNE_20, JUNE_20 + 2 * HOUR)) == Period(JUNE_20, JUNE_20 + HOUR)
    assert here.revoked(JUNE_20).coverage("harbour", "general", Period(JUNE_20, JUNE_20 + HOUR)) is None


def test_the_example_plans_are_read() -> None:
    plans = parse_plans((Path(sites.__file__).parent / "plans.json").read_bytes())
    assert {each.lot for each in plans} == {"harbour", "market-street"}
    with pytest.raises(InvalidInput) as refused:
        parse_plans('[{"id": "x", "name": "X", "lot": "harbour"}]')
    assert refused.value.at.startswith("/0/")
