"""Everything the API is made of: services wired to each other, and the operations that stand on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from api.accounts import AccountOperations
from api.api_keys import ApiKeyOperations
from api.assignments import AssignmentOperations
from api.audit import AuditOperations
from api.auth import AccessTokens
from api.bays import BayOperations
from api.bookings import BookingOperations
from api.contract import Contract, contract_of
from api.current import CurrentLots
from api.documents import Documents
from api.guidance import GuidanceOperations
from api.health import Health
from api.invoices import InvoiceOperations
from api.lots import Lots
from api.money import MoneyOperations
from api.notifications import NotificationOperations
from api.operator_bookings import OperatorBookingOperations
from api.sessions import SessionOperations
from api.sign_in import SignInOperations
from api.subscriptions import SubscriptionOperations
from api.tariffs import TariffOperations
from api.waiting import WaitingOperations
from autospot.clock import Clock
from autospot.domain.invoice import Seller
from autospot.domain.lot import Lot
from autospot.domain.payment.points import PointsTerms
from autospot.follower import Follower
from autospot.live import LiveLots
from autospot.services.accounts.people import People
from autospot.services.cashier.cashier import Cashier, CashTerms, cashier
from autospot.services.desk.office import Office, Surroundings, booking_office
from autospot.services.desk.own_data import ParkingData
from autospot.services.gateway.directory import Gateways
from autospot.services.gateway.simulated import SimulatedGateway
from autospot.services.invoicing.invoices import Invoicing
from autospot.services.invoicing.supplies import Supplies
from autospot.services.keys import SecretKeys
from autospot.services.noticeboard import LayoutOf, Noticeboard
from autospot.services.paid_things import paid_things
from autospot.services.quoting import Quoting
from autospot.services.reminding import Reminding
from autospot.services.subscribing import Subscribing
from autospot.services.tariffs import LotTariffs
from autospot.settings import Settings
from autospot.storage.history import BayHistory
from autospot.storage.mongo import Database
from autospot.storage.notices import Notices

RESOURCES: tuple[type[Any], ...] = (
    Health,
    Lots,
    SignInOperations,
    AccountOperations,
    ApiKeyOperations,
    AuditOperations,
    TariffOperations,
    BookingOperations,
    OperatorBookingOperations,
    SessionOperations,
    GuidanceOperations,
    AssignmentOperations,
    WaitingOperations,
    BayOperations,
    MoneyOperations,
    SubscriptionOperations,
    InvoiceOperations,
    NotificationOperations,
    Documents,
)
"""Every resource of the API. The demo's mailbox is not part of it."""


def declared_contract() -> Contract:
    """What the API declares, without anything behind it: for `autospot openapi`."""
    return contract_of([object.__new__(resource) for resource in RESOURCES])


@dataclass(frozen=True, slots=True)
class Parts:
    """The services of a program. `gateways` is closed at its end."""

    people: People
    current: CurrentLots
    tariffs: LotTariffs
    cashier: Cashier
    office: Office
    subscribing: Subscribing
    invoicing: Invoicing
    gateways: Gateways
    notices: Notices
    noticeboard: Noticeboard
    history: BayHistory
    clock: Clock

    def resources(self, tokens: AccessTokens) -> Sequence[object]:
        """The operations that stand on them; `Health` is the program's own."""
        people, office, cash = self.people, self.office, self.cashier
        return [
            Lots(self.current, self.history),
            SignInOperations(people.registering, people.sign_in, people.password_reset, tokens),
            AccountOperations(people.profiles, people.garage, people.own_data),
            ApiKeyOperations(people.api_keys),
            AuditOperations(people.audit),
            TariffOperations(
                Quoting(self.current.lot, self.tariffs.book, self.subscribing.coverage, self.subscribing), self.tariffs
            ),
            BookingOperations(office, self.current),
            OperatorBookingOperations(office.overruling),
            SessionOperations(office.parking),
            GuidanceOperations(office.guiding, self.current),
            AssignmentOperations(office.assigning),
            WaitingOperations(office.waiting),
            BayOperations(office.closing, office.bay_edits),
            MoneyOperations(cash.wallets, cash.payments, cash.refunds, cash.points, cash.reports),
            SubscriptionOperations(self.subscribing),
            InvoiceOperations(self.invoicing),
            NotificationOperations(self.notices, self.noticeboard, self.clock),
        ]


def parts_of(
    database: Database, follower: Follower, people: People, keys: SecretKeys, clock: Clock, settings: Settings
) -> Parts:
    """Wires the services. Nothing is asked of the database yet."""
    current = CurrentLots(follower.live, clock, follower.ready.is_set)
    tariffs = LotTariffs(database, people.audit, clock, settings.currency)
    gateways, notices = Gateways(_gateways(settings)), Notices(database)
    noticeboard = Noticeboard(
        database, notices, people.postman, people.schedule, people.clockwork, _layouts_of(follower.live)
    )
    points = PointsTerms(settings.points_paid_per_point, settings.points_worth, settings.points_redeem_least)
    money = cashier(
        database,
        gateways,
        people.schedule,
        people.clockwork,
        people.audit,
        clock,
        CashTerms(currency=settings.currency, points=points),
    )
    _let_people_go(people, money)
    subscribing = Subscribing(database, money.payments, people.schedule, people.clockwork, noticeboard.tell, clock)
    around = Surroundings(
        database=database,
        live=follower.live,
        lot_of=current.lot,
        clock=clock,
        schedule=people.schedule,
        clockwork=people.clockwork,
        garage=people.garage,
        audit=people.audit,
        cashier=money,
        tariffs=tariffs.book,
        tell=noticeboard.tell,
        coverage=subscribing.coverage,
        packages=subscribing,
        keys=keys,
    )
    office = booking_office(around)
    Reminding(database, office.bookings, office.register, subscribing, people.clockwork, clock)
    for kind, keeper in (
        ("booking", office.booking_payments),
        ("session", office.session_payments),
        ("subscription", subscribing),
    ):
        money.payables.register(kind, keeper)
    money.auditor.also(paid_things(database))
    invoicing = Invoicing(database, Supplies(database), people.schedule, people.clockwork, clock, _seller(settings))
    parking_data = ParkingData(office.bookings, office.sessions)
    for objection in (parking_data.objection, subscribing.objection):
        people.own_data.objection(objection)
    for name, rows in (
        ("bookings", parking_data.bookings),
        ("parking_sessions", parking_data.sessions),
        ("subscriptions", subscribing.exported),
        ("invoices", invoicing.exported),
        ("notices", noticeboard.exported),
    ):
        people.own_data.export_section(name, rows)
    people.own_data.erasure(noticeboard.erase)
    return Parts(
        people=people,
        current=current,
        tariffs=tariffs,
        cashier=money,
        office=office,
        subscribing=subscribing,
        invoicing=invoicing,
        gateways=gateways,
        notices=notices,
        noticeboard=noticeboard,
        history=BayHistory(database),
        clock=clock,
    )


def _layouts_of(live: LiveLots) -> LayoutOf:
    def layout_of(code: str) -> Lot | None:
        lot = live.lot(code)
        return None if lot is None else lot.layout

    return layout_of


def _let_people_go(people: People, money: Cashier) -> None:
    """What an export of one's data holds of money, and what closing an account does about it."""
    people.own_data.objection(money.wallets.objection)
    people.own_data.erasure(money.wallets.erase)
    people.own_data.export_section("payments", money.wallets.exported_payments)
    people.own_data.export_section("wallet", money.wallets.exported_transactions)


def _seller(settings: Settings) -> Seller:
    address = tuple(line.strip() for line in settings.seller_address.split(",") if line.strip())
    return Seller(settings.seller_name, address, settings.seller_vat_id, settings.seller_time_zone)


def _gateways(settings: Settings) -> list[SimulatedGateway]:
    if settings.gateway_url is None or settings.gateway_key is None or settings.gateway_webhook_secret is None:
        return []
    key, secret = settings.gateway_key.get_secret_value(), settings.gateway_webhook_secret.get_secret_value()
    return [SimulatedGateway(settings.gateway_url, key, secret, return_url=settings.site_url)]
