"""Plans and subscriptions."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from api.call import Call
from api.contract import PUBLIC, Idempotency, Input, Output, Reply, operation
from api.limits import LimitClass
from api.values import Instant
from autospot.domain.access import Action
from autospot.domain.errors import Conflict
from autospot.domain.ids import Code
from autospot.domain.ledger import InsufficientFunds
from autospot.domain.lot import BayKind
from autospot.domain.money import Money
from autospot.domain.subscription import Plan, Subscription, SubscriptionState
from autospot.services.subscribing import Subscribing, no_such_plan, no_such_subscription
from autospot.storage.money_stop import MoneyStopped

SUBSCRIBED = Conflict("you have this subscription already", code="already_subscribed")
OVER = Conflict("a subscription that is ended cannot cancel", code="illegal_step")
NOT_ENOUGH = InsufficientFunds("there is not enough in it that is free")
STOPPED = MoneyStopped("payments rest while the books are checked: come back later")


class PlansQuery(Input):
    """Plans of a lot, or all."""

    lot: Code | None = None


class SubscriptionBody(Input):
    """What to subscribe to."""

    plan: Code


class SubscriptionPath(Input):
    """A subscription."""

    id: str = Field(pattern=r"^sub_[0-9a-f]{32}$")


class PlanView(Output):
    """What may be subscribed to. `pass`: the lot's bays (of `kind`, or any) cost nothing in what is paid for;
    `package`: so many minutes of each period do."""

    id: str
    name: str
    type: Literal["pass", "package"]
    lot: str
    kind: BayKind | None
    price: Money
    vat_basis_points: int
    months: int
    package_minutes: int | None


class PlansView(Output):
    """What is offered."""

    data: list[PlanView]


class SubscriptionView(Output):
    """A subscription, with its plan as agreed. `renews_at` is null where it ends with `paid_until`."""

    id: str = Field(examples=["sub_5b1c…"])
    plan: PlanView
    state: SubscriptionState
    period_from: Instant
    paid_until: Instant
    renews_at: Instant | None
    package_seconds_left: int | None
    payment: str


class SubscriptionsView(Output):
    """A driver's subscriptions."""

    data: list[SubscriptionView]


class SubscriptionOperations:
    """Plans for everybody, subscriptions for drivers."""

    def __init__(self, subscribing: Subscribing) -> None:
        self._subscribing = subscribing

    @operation("GET /v1/plans", summary="What may be subscribed to", tag="money", access=PUBLIC)
    async def plans(self, query: PlansQuery) -> PlansView:
        """By lot; there are at most 500."""
        return PlansView(data=[plan_view(each) for each in await self._subscribing.plans.offered(query.lot)])

    @operation("GET /v1/subscriptions", summary="My subscriptions", tag="money", access=Action.DRIVE)
    async def subscriptions(self, call: Call) -> SubscriptionsView:
        """Newest first."""
        found = await self._subscribing.of(call.principal.user_id)
        return SubscriptionsView(data=[subscription_view(each) for each in found])

    @operation(
        "POST /v1/subscriptions",
        summary="Subscribe to a plan",
        tag="money",
        access=Action.DRIVE,
        status=201,
        limit=LimitClass.MONEY,
        idempotency=Idempotency.MONEY,
        errors=(no_such_plan(), NOT_ENOUGH, SUBSCRIBED, STOPPED),
    )
    async def subscribe(self, call: Call, body: SubscriptionBody) -> SubscriptionView:
        """From now on. The wallet pays this period now and each following one when it begins, until it is cancelled."""
        once = call.once(subscription_view)
        await self._subscribing.subscribe(call.principal.user_id, body.plan, once)
        return once.kept

    @operation(
        "POST /v1/subscriptions/{id}/cancel",
        summary="Cancel a subscription",
        tag="money",
        access=Action.DRIVE,
        etag=True,
        errors=(no_such_subscription(), OVER),
    )
    async def cancel(self, call: Call, path: SubscriptionPath) -> Reply[SubscriptionView]:
        """Good until the end of what is paid, then over. Moves no money."""
        after = await self._subscribing.cancel(call.principal.user_id, path.id)
        return Reply(subscription_view(after), etag=str(after.version))


def plan_view(plan: Plan) -> PlanView:
    """A plan in the words of the API."""
    return PlanView(
        id=plan.id,
        name=plan.name,
        type="pass" if plan.package_minutes is None else "package",
        lot=plan.lot,
        kind=plan.kind,
        price=plan.price,
        vat_basis_points=plan.vat_basis_points,
        months=plan.months,
        package_minutes=plan.package_minutes,
    )


def subscription_view(subscription: Subscription) -> SubscriptionView:
    """A subscription in the words of the API."""
    is_package = subscription.plan.package_minutes is not None
    return SubscriptionView(
        id=subscription.id,
        plan=plan_view(subscription.plan),
        state=subscription.state,
        period_from=subscription.period_from,
        paid_until=subscription.paid_until,
        renews_at=_renews_at(subscription),
        package_seconds_left=subscription.left_seconds if is_package else None,
        payment=subscription.payment,
    )


def _renews_at(subscription: Subscription) -> Instant | None:
    match subscription.state:
        case SubscriptionState.ACTIVE:
            return subscription.paid_until
        case SubscriptionState.PAST_DUE:
            return subscription.retry_at
    return None
