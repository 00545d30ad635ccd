"""`plans` and `subscriptions`. A subscription holds the plan as it was when it began; its price is the one agreed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from pydantic import TypeAdapter
from pymongo import ASCENDING, DESCENDING
from pymongo.errors import DuplicateKeyError

from autospot.domain.errors import Conflict, PreconditionFailed
from autospot.domain.period import Period
from autospot.domain.subscription import Plan, Subscription, SubscriptionState
from autospot.storage.batches import Batches
from autospot.storage.mongo import Database, Document, Index, Session
from autospot.storage.outages import answering

INDEXES = (
    Index("plans", [("lot", ASCENDING)]),
    Index("subscriptions", [("owner", ASCENDING), ("anchor", DESCENDING), ("_id", DESCENDING)]),
    Index(
        "subscriptions",
        [("owner", ASCENDING), ("plan.id", ASCENDING)],
        {"unique": True, "partialFilterExpression": {"open": True}},
    ),
)
"""The unique one: nobody pays twice for one plan."""

PLANS_LIMIT: Final = 500
SUBSCRIPTIONS_LIMIT: Final = 500
"""Most subscriptions of one driver that are read at once."""

_plan: TypeAdapter[Plan] = TypeAdapter(Plan)


class Plans:
    """Reads and writes `plans`."""

    def __init__(self, database: Database) -> None:
        self._plans = database.collection("plans")

    async def put(self, plan: Plan) -> None:
        """Offers a plan, or changes what is offered from now on."""
        row = _plan_row(plan)
        with answering():
            await self._plans.replace_one({"_id": plan.id}, {**row, "_id": plan.id}, upsert=True)

    async def remove(self, plan_id: str) -> None:
        """Offers it no more. Subscriptions under it go on."""
        with answering():
            await self._plans.delete_one({"_id": plan_id})

    async def find(self, plan_id: str, *, session: Session | None = None) -> Plan | None:
        """A plan that is offered."""
        with answering(session):
            row = await self._plans.find_one({"_id": plan_id}, {"_id": 0}, session=session)
        return None if row is None else _plan.validate_python(row)

    async def offered(self, lot: str | None = None) -> Sequence[Plan]:
        """All plans, or those of a lot, by lot and id."""
        wanted = {} if lot is None else {"lot": lot}
        with answering():
            cursor = self._plans.find(wanted, {"_id": 0}).sort([("lot", 1), ("id", 1)]).limit(PLANS_LIMIT)
            return [_plan.validate_python(row) async for row in cursor]


@dataclass(frozen=True, slots=True)
class Stay:
    """For whom, where and when somebody asks what pays."""

    owner: str
    lot: str
    period: Period


class Subscriptions:
    """Reads and writes `subscriptions`."""

    def __init__(self, database: Database) -> None:
        self._subscriptions = database.collection("subscriptions")
        self._stays: Batches[Stay, Sequence[Subscription]] = Batches(self._paying)

    async def add(self, session: Session, subscription: Subscription) -> None:
        """Stores a new one; `Conflict` (code `already_subscribed`) beside an open one of the same plan."""
        try:
            await self._subscriptions.insert_one(_row(subscription), session=session)
        except DuplicateKeyError:
            raise Conflict("you have this subscription already", code="already_subscribed") from None

    async def replace(self, session: Session, before: Subscription, after: Subscription) -> None:
        """Stores what became of `before`; `PreconditionFailed` if it changed since it was read."""
        done = await self._subscriptions.replace_one(
            {"_id": before.id, "version": before.version}, _row(after), session=session
        )
        if not done.matched_count:
            raise PreconditionFailed("the subscription changed meanwhile: read it again, then decide")

    async def find(
        self, subscription_id: str, *, owner: str | None = None, session: Session | None = None
    ) -> Subscription | None:
        """One subscription, with `owner` only if it is his."""
        wanted: Document = {"_id": subscription_id}
        if owner is not None:
            wanted["owner"] = owner
        with answering(session):
            row = await self._subscriptions.find_one(wanted, session=session)
        return None if row is None else _subscription(row)

    async def of(self, owner: str) -> Sequence[Subscription]:
        """All of a driver's, newest first."""
        with answering():
            cursor = self._subscriptions.find({"owner": owner}).sort([("anchor", DESCENDING), ("_id", DESCENDING)])
            return [_subscription(row) async for row in cursor.limit(SUBSCRIPTIONS_LIMIT)]

    async def paying_for(
        self, owner: str, lot: str, period: Period, *, session: Session | None = None
    ) -> Sequence[Subscription]:
        """A driver's subscriptions to a lot that are paid for at some time of a period, first to end first."""
        stay = Stay(owner, lot, period)
        if session is None:
            return await self._stays.ask(stay)
        return (await self._paying([stay], session))[0]

    async def _paying(self, stays: Sequence[Stay], session: Session | None = None) -> Sequence[Sequence[Subscription]]:
        """What pays for each stay. Few drivers have any: one look tells of all who book at the same moment."""
        wanted: Document = {
            "owner": {"$in": list({stay.owner for stay in stays})},
            "paid_until": {"$gt": min(stay.period.start for stay in stays)},
        }
        order, most = [("paid_until", 1), ("_id", 1)], SUBSCRIPTIONS_LIMIT * len(stays)
        with answering(session):
            if session is None:
                rows = await self._subscriptions.visit(lambda rows: list(rows.find(wanted, sort=order, limit=most)))
            else:
                rows = await self._subscriptions.find(wanted, session=session).sort(order).limit(most).to_list(most)
        found = [_subscription(row) for row in rows]
        return [[each for each in found if _pays_for(each, stay)] for stay in stays]


def _pays_for(each: Subscription, stay: Stay) -> bool:
    is_theirs = (each.owner, each.plan.lot) == (stay.owner, stay.lot)
    return is_theirs and each.paid_until > stay.period.start and each.covered_from < stay.period.until


_PLAIN: Final = (
    "owner",
    "anchor",
    "number",
    "period_from",
    "paid_until",
    "covered_from",
    "payment",
    "used_seconds",
    "reminded",
    "tries",
    "retry_at",
    "version",
)


def _plan_row(plan: Plan) -> Document:
    return dict(_plan.dump_python(plan))


def _row(subscription: Subscription) -> Document:
    return {
        "_id": subscription.id,
        "state": subscription.state.value,
        "open": subscription.is_open,
        "plan": _plan_row(subscription.plan),
        **{name: getattr(subscription, name) for name in _PLAIN},
    }


def _subscription(row: Document) -> Subscription:
    return Subscription(
        id=row["_id"],
        state=SubscriptionState(row["state"]),
        plan=_plan.validate_python(row["plan"]),
        **{name: row[name] for name in _PLAIN},
    )


def stored_precision(now: datetime) -> datetime:
    """`now` as it comes back from the database: in milliseconds."""
    return now.replace(microsecond=now.microsecond // 1000 * 1000)
