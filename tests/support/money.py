"""Money for tests: the real cashier on a real database, the simulated gateway on a real socket, a thing to pay for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from api.money import MoneyOperations
from autospot.clock import Clock, SetClock
from autospot.domain.access import Principal, Role
from autospot.domain.audit import Actor
from autospot.domain.errors import Conflict, NotFound
from autospot.domain.ids import new_id
from autospot.domain.ledger import Cause, CauseKind, Transfer
from autospot.domain.ledger.account import clearing, wallet
from autospot.domain.money import Money
from autospot.domain.payment.intent import PaymentState
from autospot.domain.payment.payment import AmountDue, CardSide, Payment, Subject
from autospot.domain.payment.points import PointsTerms
from autospot.services.audit import Audit
from autospot.services.cashier.cashier import Cashier, CashTerms, cashier
from autospot.services.clockwork import Clockwork, Schedule
from autospot.services.gateway.directory import Gateways
from autospot.services.gateway.simulated import SimulatedGateway
from autospot.storage.audit import AuditLog
from autospot.storage.due import DueRows
from autospot.storage.idempotency import IdempotencyKeys
from autospot.storage.ledger import Ledger
from autospot.storage.mongo import Database, Document, Session
from autospot.storage.payments import Payments
from gateway_sim.run import RunningGateway, running_gateway
from tests.support.api import RunningApi, running_api
from tests.support.people import present
from tests.support.services import eventually, free_port

API_KEY = "key of the tests"
WEBHOOK_SECRET = "whsec_" + "dGhlIHRlc3RzIHNpZ24gd2l0aCB0aGlz"
VAT = 1900
OPERATOR = Principal("usr_otto", frozenset({Role.OPERATOR}), frozenset({"harbour"}))
ADMIN = Principal("usr_ada", frozenset({Role.ADMIN}))
ACTOR = Actor("user", "usr_otto", "request-1")


class Washes:
    """Car washes: the simplest thing that can be paid. Each has a price, an owner and what was paid for it."""

    def __init__(self, database: Database) -> None:
        self._washes = database.collection("washes")

    async def order(self, owner: str = "usr_dora", price: int = 1000, *, hold_seconds: int = 0) -> Subject:
        wash_id = new_id("wsh")
        await self._washes.insert_one(
            {"_id": wash_id, "owner": owner, "price": price, "states": [], "kept": 0, "hold_seconds": hold_seconds}
        )
        return Subject("wash", wash_id)

    async def amount_due(self, session: Session, user_id: str, subject_id: str, now: datetime) -> AmountDue:
        wash = await self._washes.find_one_and_update(
            {"_id": subject_id, "owner": user_id}, {"$inc": {"asked": 1}}, session=session
        )
        if wash is None:
            raise NotFound("there is no such wash")
        if wash["states"] and wash["states"][-1] in ("authorised", "succeeded"):
            raise Conflict("this is paid", code="nothing_due")
        hold = wash["hold_seconds"]
        return AmountDue(
            Subject("wash", subject_id),
            "harbour",
            Money(wash["price"], "EUR"),
            VAT,
            "Wash",
            is_hold=hold > 0,
            hold_until=now + timedelta(seconds=hold) if hold else None,
        )

    async def payment_changed(self, session: Session, payment: Payment, now: datetime) -> None:
        assert payment.subject is not None
        change = {"$push": {"states": payment.state.value}, "$set": {"kept": payment.kept}}
        await self._washes.update_one({"_id": payment.subject.id}, change, session=session)

    async def take_discount(
        self, session: Session, user_id: str, subject_id: str, discount: Money, now: datetime
    ) -> None:
        taken = await self._washes.update_one(
            {"_id": subject_id, "owner": user_id, "price": {"$gt": discount.amount}},
            {"$inc": {"price": -discount.amount}},
            session=session,
        )
        if not taken.matched_count:
            raise Conflict("the discount is more than the price", code="discount_too_large")

    async def get(self, subject: Subject) -> Document:
        wash = await self._washes.find_one({"_id": subject.id})
        assert wash is not None
        return wash


async def top_up(database: Database, user_id: str, amount: int, now: datetime) -> None:
    """Fills a wallet as a card would have: a payment and its transfer."""
    payment = Payment(
        new_id("pay"),
        user_id,
        Money(amount, "EUR"),
        PaymentState.SUCCEEDED,
        "Top-up",
        now,
        card=CardSide("simulated", "pm_ok", new_id("pi")),
        captured=amount,
    )
    cause = Cause(CauseKind.TOP_UP, payment.id)
    entry = Transfer.posted(new_id("trf"), clearing("simulated"), wallet(user_id), amount, "EUR", cause, now)

    async def work(session: Session) -> None:
        await Payments(database).add(session, payment)
        await Ledger(database).append(session, entry)

    await database.transaction(work)


@dataclass
class Till:
    """Everything a test about money needs."""

    database: Database
    clock: Clock
    cashier: Cashier
    clockwork: Clockwork
    schedule: Schedule
    gateways: Gateways
    washes: Washes
    stored: Payments = field(init=False)

    def __post_init__(self) -> None:
        self.stored = Payments(self.database)

    async def settle(self) -> None:
        """Does everything that is due, and what that makes due, up to the clock's time."""
        while await self.clockwork.run_due():
            pass

    async def pass_time(self, step: timedelta) -> None:
        assert isinstance(self.clock, SetClock)
        self.clock.move(step)
        await self.settle()

    async def fill(self, user_id: str = "usr_dora", amount: int = 5000) -> None:
        """Puts money into a wallet as a card would have: a payment and its transfer."""
        await top_up(self.database, user_id, amount, self.clock.now())

    async def available(self, user_id: str = "usr_dora") -> int:
        return (await self.cashier.wallets.balance(user_id)).available

    async def stands(self, *accounts: str) -> tuple[int, ...]:
        """What stands on accounts, by their names in the database."""
        from autospot.domain.ledger import Account

        return tuple([await self.cashier.ledger.summed(Account.parse(each), "EUR") for each in accounts])

    async def state(self, payment_id: str) -> str:
        payment = await self.stored.find(payment_id)
        return "absent" if payment is None else payment.state.value

    async def becomes(self, payment_id: str, state: str) -> Payment:
        """The payment once it is in that state, which has to come by itself."""

        async def found() -> Payment | None:
            payment = await self.stored.find(payment_id)
            assert payment is not None
            assert payment.state == state, payment.state
            return payment

        payment = await eventually(found, what=f"{payment_id} is {state}")
        assert payment is not None
        return payment

    async def clean(self) -> None:
        """Fails with the mismatches if the books do not agree."""
        report = await self.cashier.auditor.audit()
        assert report.is_clean, report.mismatches


def a_till(
    database: Database,
    *,
    clock: Clock | None = None,
    gateway_url: str = "http://127.0.0.1:9",
    points: PointsTerms | None = None,
    gateways: Gateways | None = None,
) -> Till:
    """A till on `database`. Without a gateway or its address nobody answers where one should be."""
    clock = clock or SetClock(present())
    rows = DueRows(database)
    schedule, clockwork = Schedule(rows), Clockwork(database, rows, clock, roll=lambda: 0.0)
    gateways = gateways or Gateways([SimulatedGateway(gateway_url, API_KEY, WEBHOOK_SECRET)])
    terms = CashTerms(points=points or PointsTerms())
    desk = cashier(database, gateways, schedule, clockwork, Audit(AuditLog(database)), clock, terms)
    washes = Washes(database)
    desk.payables.register("wash", washes)
    return Till(database, clock, desk, clockwork, schedule, gateways, washes)


@dataclass
class Shop:
    """A till with its API and its gateway, all on real sockets."""

    till: Till
    api: RunningApi
    gateway: RunningGateway


@asynccontextmanager
async def a_shop(
    database: Database, *, slow_seconds: float = 0.2, points: PointsTerms | None = None
) -> AsyncIterator[Shop]:
    """A shop whose gateway tells its webhooks to its API."""
    gateway_port = free_port()
    till = a_till(database, gateway_url=f"http://127.0.0.1:{gateway_port}", points=points)
    operations = money_operations(till)
    async with running_api(operations, keys=IdempotencyKeys(database), clock=till.clock) as api:
        url = f"{api.url}/v1/gateway/webhooks/simulated"
        async with running_gateway(
            webhook_url=url,
            webhook_secret=WEBHOOK_SECRET,
            api_key=API_KEY,
            port=gateway_port,
            slow_seconds=slow_seconds,
        ) as gateway:
            yield Shop(till, api, gateway)
            await till.gateways.close()


def money_operations(till: Till) -> MoneyOperations:
    """The API about money, of a till."""
    desk = till.cashier
    return MoneyOperations(desk.wallets, desk.payments, desk.refunds, desk.points, desk.reports)
