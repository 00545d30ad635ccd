"""Plans and subscriptions for tests, built with defaults."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from autospot.domain.money import Money
from autospot.domain.subscription import Plan, Subscription, begun

JUNE_20 = datetime(2026, 6, 20, 10, 0, tzinfo=UTC)


def a_plan(**changes: Any) -> Plan:
    """A monthly pass of 100.00 EUR for the general bays of `harbour`, with `changes`."""
    fields: dict[str, Any] = {
        "id": "month",
        "name": "Monthly pass",
        "lot": "harbour",
        "kind": "general",
        "price": Money(10_000, "EUR"),
        "vat_basis_points": 1900,
        "time_zone": "Europe/Berlin",
        **changes,
    }
    return Plan(**fields)


def a_package(minutes: int = 600, **changes: Any) -> Plan:
    """A package of 10 hours a month for 30.00 EUR, for every kind of bay."""
    fields = {"id": "hours", "kind": None, "price": Money(3000, "EUR"), "package_minutes": minutes, **changes}
    return a_plan(**fields)


def a_subscription(plan: Plan | None = None, now: datetime = JUNE_20) -> Subscription:
    """A subscription of `usr_dora` that begins at `now`."""
    return begun("sub_" + "1" * 32, "usr_dora", plan or a_plan(), "pay_1", now)
