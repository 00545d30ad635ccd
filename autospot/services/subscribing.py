"""Subscribing: the first period, renewals, cancelling, and what subscriptions pay for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Protocol

from autospot.clock import Clock
from autospot.domain.due import Backoff
from autospot.domain.errors import Conflict, NotFound
from autospot.domain.instant import rfc3339
from autospot.domain.ledger.account import wallet
from autospot.domain.lot import BayKind
from autospot.domain.money import Money
from autospot.domain.notice import Notice
from autospot.domain.payment.intent import PaymentState
from autospot.domain.payment.payment import AmountDue, Payment, Subject
from autospot.domain.period import Period
from autospot.domain.subscription import (
    Drawn,
    DueAction,
    PackageUsedUp,
    Plan,
    Subscription,
    SubscriptionState,
    SubscriptionStep,
    begun,
    due_action,
    next_moment,
    renewal_payment_id,
)
from autospot.services.clockwork import Clockwork, DueKind, Schedule
from autospot.services.desk.register import Tell
from autospot.storage.idempotency import Once
from autospot.storage.ledger import Ledger
from autospot.storage.mail_wishes import MailWishesStore
from autospot.storage.mongo import Database, Session
from autospot.storage.subscriptions import Plans, Subscriptions, stored_precision

SUBJECT = "subscription"


class Charging(Protocol):
    """Who takes money from wallets within a bigger step: the cashier's `Payments`."""

    async def charge_within(
        self, session: Session, payment_id: str, user_id: str, due: AmountDue, now: datetime
    ) -> Payment:
        """Takes it, or raises `InsufficientFunds` or `MoneyStopped`; then the whole step is over."""


@dataclass(frozen=True, slots=True)
class SubscriptionDue:
    """Something in the life of this subscription falls due."""

    subscription_id: str


SUBSCRIPTION_DUE = DueKind(
    "subscription", SubscriptionDue, backoff=Backoff(attempts=200, first_seconds=2.0, longest_seconds=900.0)
)
"""Two hundred tries over about two days: an outage, or money that is stopped, is waited for."""


def no_such_plan() -> NotFound:
    return NotFound("there is no such plan")


def no_such_subscription() -> NotFound:
    """Also for those of others."""
    return NotFound("there is no such subscription")


class Subscribing:
    """Keeps subscriptions. A change, its money and what falls due next are one transaction.

    Guarantees: a period is paid once, whatever is tried again; a renewal that the wallet cannot pay takes nothing and
    is tried again on the following days; what is paid for is covered to its end, cancelled or not.
    """

    def __init__(
        self,
        database: Database,
        charging: Charging,
        schedule: Schedule,
        clockwork: Clockwork,
        tell: Tell,
        clock: Clock,
    ) -> None:
        self._database = database
        self._charging = charging
        self._schedule = schedule
        self._tell = tell
        self._clock = clock
        self._ledger = Ledger(database)
        self._subscriptions = Subscriptions(database)
        self._wishes = MailWishesStore(database)
        self.plans = Plans(database)
        clockwork.exactly_once(SUBSCRIPTION_DUE, self._due)

    async def of(self, owner: str) -> Sequence[Subscription]:
        """A driver's subscriptions, newest first."""
        return await self._subscriptions.of(owner)

    async def subscribe(self, owner: str, plan_id: str, once: Once[Subscription]) -> Subscription:
        """Begins one now and pays its first period from the wallet. `NotFound`, `InsufficientFunds`, `MoneyStopped`,
        `Conflict` (code `already_subscribed`)."""
        now = stored_precision(self._clock.now())

        async def work(session: Session) -> Subscription:
            plan = await self.plans.find(plan_id, session=session)
            if plan is None:
                raise no_such_plan()
            made = begun(once.id("sub"), owner, plan, once.id("pay"), now)
            await self._subscriptions.add(session, made)
            await self._charging.charge_within(session, made.payment, owner, _amount_due(made), now)
            await self._arm(session, made)
            await once.keep(session, made)
            return made

        return await self._database.transaction(work)

    async def cancel(self, owner: str, subscription_id: str) -> Subscription:
        """Has it end with the period that is paid. A second time changes nothing; `Conflict` (code `illegal_step`) once
        it has ended."""

        async def work(session: Session) -> Subscription:
            before = await self._load(session, subscription_id, owner)
            if before.state is SubscriptionState.ENDING:
                return before
            return await self._store(session, before, before.cancelled())

        return await self._database.transaction(work)

    async def coverage(self, owner: str, lot: str, kind: BayKind, period: Period) -> Sequence[Period]:
        """The parts of a stay that passes pay for: the `CoverageOf` of the booking desk."""
        found = await self._subscriptions.paying_for(owner, lot, period)
        parts = (each.coverage(lot, kind, period) for each in found)
        return [part for part in parts if part is not None]

    async def package_seconds(
        self,
        owner: str,
        lot: str,
        kind: BayKind,
        period: Period,
        *,
        own: Sequence[Drawn] = (),
        session: Session | None = None,
    ) -> int:
        """`Packages`: what is left for a stay, and what of `own` would be left for it if it were given back."""
        found = await self._subscriptions.paying_for(owner, lot, period, session=session)
        return sum(each.regaining_all(own).package_for(lot, kind, period) for each in found)

    async def use_package(
        self, session: Session, owner: str, lot: str, kind: BayKind, period: Period, seconds: int
    ) -> Sequence[Drawn]:
        """`Packages`: the first to end first."""
        left, drawn = seconds, list[Drawn]()
        for each in await self._subscriptions.paying_for(owner, lot, period, session=session):
            share = min(left, each.package_for(lot, kind, period))
            if share > 0:
                await self._subscriptions.replace(session, each, each.using(share))
                drawn.append(Drawn(each.id, each.payment, share))
                left -= share
        if left:
            raise PackageUsedUp("there is not as much left in your packages")
        return drawn

    async def give_back_package(self, session: Session, drawn: Sequence[Drawn]) -> None:
        """`Packages`: to the periods it came from."""
        for each in drawn:
            found = await self._subscriptions.find(each.subscription, session=session)
            if found is not None and found.payment == each.payment:
                await self._subscriptions.replace(session, found, found.regaining(each))

    async def amount_due(self, session: Session, user_id: str, subject_id: str, now: datetime) -> AmountDue:  # noqa: ARG002 - as `Payable` has it
        """`Payable`: a subscription is paid by itself, from the wallet; there is never something to pay beside."""
        await self._load(session, subject_id, user_id)
        raise Conflict("a subscription is paid from the wallet by itself", code="nothing_due")

    async def take_discount(
        self,
        session: Session,
        user_id: str,
        subject_id: str,
        discount: Money,  # noqa: ARG002 - as `Payable` has it
        now: datetime,  # noqa: ARG002
    ) -> None:
        """`Payable`: none, for the same reason."""
        await self._load(session, subject_id, user_id)
        raise Conflict("a subscription is paid from the wallet by itself", code="nothing_due")

    async def payment_changed(self, session: Session, payment: Payment, now: datetime) -> None:
        """`Payable`: when the whole payment of the present period went back, the subscription is over."""
        if payment.subject is None or payment.state is not PaymentState.REFUNDED:
            return
        before = await self._subscriptions.find(payment.subject.id, session=session)
        if before is not None and before.is_open and before.payment == payment.id:
            after = await self._store(session, before, before.revoked(stored_precision(now)))
            await self._say(session, after, "subscription_ended", now)

    async def remind_anew(self, user_id: str) -> None:
        """Has what falls due next fall due as their driver wants to be reminded now."""
        for each in await self.of(user_id):
            if each.is_open:
                await self._database.transaction(partial(self._rearm, each.id))

    async def _rearm(self, subscription_id: str, session: Session) -> None:
        found = await self._subscriptions.find(subscription_id, session=session)
        if found is not None:
            await self._arm(session, found)

    async def objection(self, user_id: str) -> str | None:
        """For `OwnData.objection`: why the account cannot be closed yet."""
        is_renewing = any(
            each.state in (SubscriptionState.ACTIVE, SubscriptionState.PAST_DUE) for each in await self.of(user_id)
        )
        return "a subscription of yours would be renewed: cancel it first" if is_renewing else None

    async def exported(self, user_id: str) -> Sequence[Mapping[str, Any]]:
        """For `OwnData.export_section`."""
        return [
            {"id": each.id, "plan": each.plan.id, "state": each.state.value, "paid_until": rfc3339(each.paid_until)}
            for each in await self.of(user_id)
        ]

    async def _due(self, session: Session, due: SubscriptionDue, now: datetime) -> None:
        now = stored_precision(now)
        found = await self._subscriptions.find(due.subscription_id, session=session)
        if found is None or not found.is_open:
            return
        action = due_action(found, now, (await self._wishes.of(found.owner, session=session)).leads)
        if action is None:  # it was renewed or cancelled since this row was written
            await self._arm(session, found)
            return
        after, what = await self._acted(session, found, action, now)
        await self._store(session, found, after)
        await self._say(session, after, what, now)

    async def _acted(
        self, session: Session, before: Subscription, action: DueAction, now: datetime
    ) -> tuple[Subscription, str]:
        match action:
            case "remind":
                is_ending = before.state is SubscriptionState.ENDING
                return before.noted_reminder(), "subscription_expiring" if is_ending else "subscription_renewing"
            case "end":
                return before.after(SubscriptionStep.END), "subscription_ended"
            case "renew":
                return await self._renewed(session, before, now)

    async def _renewed(self, session: Session, before: Subscription, now: datetime) -> tuple[Subscription, str]:
        """The look into the wallet only chooses the way; the guard is where the money is taken, and a wallet that is
        emptied at this moment meets it as a conflict."""
        price = before.plan.price
        balance = await self._ledger.balance(wallet(before.owner), price.currency, session=session)
        if balance.available < price.amount:
            after = before.failed(now)
            return after, "subscription_unpaid" if after.is_open else "subscription_ended"
        after = before.renewed(renewal_payment_id(before), now)
        await self._charging.charge_within(session, after.payment, after.owner, _amount_due(after), now)
        return after, "subscription_renewed"

    async def _store(self, session: Session, before: Subscription, after: Subscription) -> Subscription:
        await self._subscriptions.replace(session, before, after)
        await self._arm(session, after)
        return after

    async def _arm(self, session: Session, subscription: Subscription) -> None:
        at = next_moment(subscription, (await self._wishes.of(subscription.owner, session=session)).leads)
        if at is None:
            await self._schedule.cancel(SUBSCRIPTION_DUE, subscription.id, session=session)
        else:
            due = SubscriptionDue(subscription.id)
            await self._schedule.move(SUBSCRIPTION_DUE, subscription.id, at, due, session=session)

    async def _say(self, session: Session, subscription: Subscription, what: str, now: datetime) -> None:
        facts = {"plan": subscription.plan.name, "until": rfc3339(subscription.paid_until)}
        notice = Notice("driver", subscription.plan.lot, what, subscription.id, subscription.owner, facts)
        await self._tell(session, notice, now)

    async def _load(self, session: Session, subscription_id: str, owner: str) -> Subscription:
        found = await self._subscriptions.find(subscription_id, owner=owner, session=session)
        if found is None:
            raise no_such_subscription()
        return found


async def load_plans(plans: Plans, offered: Sequence[Plan]) -> int:
    """Offers plans that are not offered yet, from a file; how many those were."""
    new = [each for each in offered if await plans.find(each.id) is None]
    for each in new:
        await plans.put(each)
    return len(new)


def _amount_due(subscription: Subscription) -> AmountDue:
    plan = subscription.plan
    first, last = (each.date().isoformat() for each in (subscription.period_from, subscription.paid_until))
    words = f"{plan.name}, {first} to {last}"
    return AmountDue(Subject(SUBJECT, subscription.id), plan.lot, plan.price, plan.vat_basis_points, words)
