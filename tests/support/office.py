"""A parking lot with everything about bookings: real services and database, a clock that is set, live state that is
folded from the feed whenever the test says so."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from autospot.clock import SetClock
from autospot.domain.assignment import Assignment
from autospot.domain.audit import SYSTEM
from autospot.domain.booking.booking import Booking
from autospot.domain.change import Commit, FeedEntry, SensorChange
from autospot.domain.errors import NotFound
from autospot.domain.guidance import Wish
from autospot.domain.instant import to_ms
from autospot.domain.ledger.account import wallet
from autospot.domain.lot import BookingTerms, Lot
from autospot.domain.notice import Notice
from autospot.domain.period import Period
from autospot.domain.subscription import Subscription
from autospot.domain.tariff import Tariff, TariffBook
from autospot.live import LiveBay, LiveLot, LiveLots
from autospot.services.cashier.cashier import Cashier, cashier
from autospot.services.desk.booking import Request
from autospot.services.desk.office import Office, Surroundings, booking_office
from autospot.services.gateway.directory import Gateways
from autospot.services.gateway.simulated import SimulatedGateway
from autospot.services.paid_things import paid_things
from autospot.services.subscribing import Subscribing
from autospot.storage.feed import CaughtUp, Feed, _decode
from autospot.storage.idempotency import Once, Unkept
from autospot.storage.ledger import Ledger
from autospot.storage.mongo import Database, Session
from tests.support.bookings import at, between
from tests.support.lots import a_lot
from tests.support.money import WEBHOOK_SECRET, top_up
from tests.support.people import Town, a_town
from tests.support.subscriptions import a_plan
from tests.support.tariffs import HOURLY, tariff

DORA, CARL = "usr_dora", "usr_carl"
BAY = "B00000"


@dataclass
class Harbour:
    """The lot `harbour` on a Monday from 8 o'clock on."""

    database: Database
    town: Town
    live: LiveLots
    office: Office
    cash: Cashier
    subscribing: Subscribing
    notices: list[Notice] = field(default_factory=list)
    _applied: int = 0

    @property
    def clock(self) -> SetClock:
        return self.town.clock

    def bay(self, code: str = BAY) -> LiveBay:
        """A bay as screens show it, as far as the feed was read."""
        lot = self.live.lot("harbour")
        assert lot is not None
        return lot.bays[code]

    async def book(
        self,
        period: Period | None = None,
        *,
        bay: str | None = BAY,
        owner: str = DORA,
        once: Once[Booking] | None = None,
        **more: Any,
    ) -> Booking:
        """A booking, of B00000 from 10 to 12 unless said otherwise."""
        request = Request(lot="harbour", period=period or between(10, 12), owner=owner, bay=bay, **more)
        return await self.office.desk.book(request, once or Unkept())

    async def assign(self, owner: str = DORA) -> Assignment:
        """The nearest bay, assigned to a driver who is on the way."""
        made = await self.office.assigning.assign(owner, "harbour", Wish(), Unkept())
        await self.settle()
        return made

    async def again(self, booking: Booking) -> Booking:
        """The booking as it stands in the database now."""
        found = await self.office.bookings.find(booking.id)
        assert found is not None
        return found

    async def until(self, instant: datetime) -> None:
        """Lets time pass: everything is done when it falls due, not at the end, and then seen on the screens."""
        while True:
            due_at = await self._next_due()
            if due_at is None or due_at > instant:
                break
            self.clock.move(max(due_at - self.clock.now(), timedelta()))
            await self.settle()
        self.clock.move(instant - self.clock.now())
        await self.settle()

    async def _next_due(self) -> datetime | None:
        row = await self.database.collection("due").find_one(
            {"state": "waiting", "kind": {"$ne": "sweep_promises"}}, sort=[("at", 1)]
        )
        return None if row is None else row["at"]

    async def settle(self) -> None:
        """Does what is due and reads the feed, until nothing more comes of it."""
        done = True
        while done:
            await self.read_feed()
            done = bool(await self.town.people.clockwork.run_due())
        await self.read_feed()

    async def read_feed(self) -> None:
        """Folds what is new in the feed, and shows it to the attendant."""
        rows = self.database.collection("feed").find().sort("stamp", 1).skip(self._applied)
        for row in await rows.to_list(None):
            self._applied += 1
            commit = Commit(self._applied, _decode(row), self.clock.now_ms())
            self.live.apply(commit)
            await self.office.attendant.take(commit)
        await self.office.attendant.take(CaughtUp(0))

    async def sensor(self, occupied: bool | None, since: datetime | None = None, *, bay: str = BAY) -> None:
        """The bay's sensor says something, now unless said otherwise; everybody hears of it."""
        since_ms = to_ms(since or self.clock.now())
        change = SensorChange(bay, occupied, since_ms, since_ms)
        await Feed(self.database).append(FeedEntry("hub/0", sensors={"harbour": [change]}), self.clock.now_ms())
        await self.settle()

    async def fill_wallet(self, amount: int, owner: str = DORA) -> None:
        """Puts money into a driver's wallet."""
        await top_up(self.database, owner, amount, at(0))

    async def clean(self) -> None:
        """Fails with the mismatches if the books do not agree."""
        report = await self.cash.auditor.audit()
        assert report.is_clean, report.mismatches

    async def pass_for(self, owner: str = DORA, **changes: Any) -> Subscription:
        """A monthly pass for `owner` from now on, paid; `changes` as for `a_plan`."""
        plan = a_plan(id=f"pass-{owner.removeprefix('usr_')}", **changes)
        await self.subscribing.plans.put(plan)
        await self.fill_wallet(plan.price.amount, owner)
        return await self.subscribing.subscribe(owner, plan.id, Unkept())

    async def vehicle(self, plate: str = "B-AB 1234", owner: str = DORA) -> str:
        """The id of a new vehicle of `owner`."""
        return (await self.town.people.garage.add(owner, "DE", plate, "", SYSTEM)).id

    async def money(self, owner: str = DORA) -> int:
        """What a driver has in the wallet."""
        return (await Ledger(self.database).balance(wallet(owner), "EUR")).available

    def told(self, user: str | None = DORA) -> list[str]:
        """What a driver (None: the operators) was told, oldest first."""
        return [each.what for each in self.notices if each.user == user]


async def a_harbour(
    database: Database,
    *,
    bays: int = 3,
    lot: Lot | None = None,
    terms: BookingTerms | None = None,
    prices: Tariff | None = None,
    start: datetime | None = None,
) -> Harbour:
    """A harbour without a tariff, unless one is given; its bays are free."""
    layout = lot or a_lot("harbour", bays)
    layout = layout.model_copy(update={"booking": terms or layout.booking, "version": 1})
    town, live, notices = a_town(database), LiveLots(), list[Notice]()
    town.clock.move((start or at(8)) - town.clock.now())
    live.begin("epoch", 0, [(layout, 0)])
    book = TariffBook([prices]) if prices else None

    def lot_of(code: str) -> LiveLot:
        found = live.lot(code)
        if found is None:
            raise NotFound("there is no such lot")
        return found

    async def tariffs(_lot: str) -> TariffBook | None:
        return book

    async def tell(_session: Session, notice: Notice, _now: datetime) -> None:
        if notice not in notices:
            notices.append(notice)

    people = town.people
    gateways = Gateways([SimulatedGateway("http://127.0.0.1:9", "no key", WEBHOOK_SECRET)])
    cash = cashier(database, gateways, people.schedule, people.clockwork, people.audit, town.clock)
    subscribing = Subscribing(database, cash.payments, people.schedule, people.clockwork, tell, town.clock)
    office = booking_office(
        Surroundings(
            database,
            live,
            lot_of,
            town.clock,
            people.schedule,
            people.clockwork,
            people.garage,
            people.audit,
            cash,
            tariffs,
            tell,
            subscribing,
            town.keys,
            subscribing.coverage,
        )
    )
    for kind, keeper in (
        ("booking", office.booking_payments),
        ("session", office.session_payments),
        ("subscription", subscribing),
    ):
        cash.payables.register(kind, keeper)
    cash.auditor.also(paid_things(database))
    harbour = Harbour(database, town, live, office, cash, subscribing, notices)
    await office.attendant.begin()
    change = [SensorChange(bay.bay, False, to_ms(at(0)), to_ms(at(0))) for bay in layout.bays]
    live.apply(Commit(0, FeedEntry("hub/0", sensors={"harbour": change}), to_ms(at(0))))
    return harbour


def hourly() -> Tariff:
    """2.00 for each started hour."""
    return tariff(HOURLY)


def events(booking: Booking) -> list[str]:
    """What happened to a booking, in order."""
    return [event.what for event in booking.events]
