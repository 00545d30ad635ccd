"""Everything about money, wired together: what the programs, the command line and the tests start from."""

from __future__ import annotations

from dataclasses import dataclass, field

from autospot.clock import Clock
from autospot.domain.payment.points import PointsTerms
from autospot.services.audit import Audit
from autospot.services.auditor import Auditor
from autospot.services.cashier.auto_top_ups import WalletFilling
from autospot.services.cashier.bookkeeping import Bookkeeping
from autospot.services.cashier.gateway_work import GatewayWork
from autospot.services.cashier.payables import Payables
from autospot.services.cashier.payments import Payments
from autospot.services.cashier.points import Points
from autospot.services.cashier.refunds import Refunds
from autospot.services.cashier.reports import GatewayReports
from autospot.services.cashier.wallets import Wallets
from autospot.services.clockwork import Clockwork, Schedule
from autospot.services.gateway.directory import Gateways
from autospot.storage import payments as stored
from autospot.storage.audits import LedgerAudits
from autospot.storage.auto_top_ups import AutoTopUps
from autospot.storage.gateway_inbox import GatewayInbox
from autospot.storage.ledger import Ledger
from autospot.storage.money_stop import MoneyStop
from autospot.storage.mongo import Database


@dataclass(frozen=True, slots=True)
class CashTerms:
    """What an operator decides: the currency of all payments, and what points are worth."""

    currency: str = "EUR"
    points: PointsTerms = field(default_factory=PointsTerms)


@dataclass(frozen=True, slots=True)
class Cashier:
    """The services. Things that can be paid are registered with `payables`. Nothing here has a `run` of its own: the
    clockwork does what falls due."""

    payables: Payables
    payments: Payments
    refunds: Refunds
    points: Points
    wallets: Wallets
    reports: GatewayReports
    auditor: Auditor
    ledger: Ledger


def cashier(
    database: Database,
    gateways: Gateways,
    schedule: Schedule,
    clockwork: Clockwork,
    audit: Audit,
    clock: Clock,
    terms: CashTerms = CashTerms(),
) -> Cashier:
    """Wires the services. Nothing is asked of the database or a gateway yet."""
    ledger, payments, payables = Ledger(database), stored.Payments(database), Payables()
    filling = WalletFilling(AutoTopUps(database), ledger, schedule, clockwork, clock, terms.currency)
    books = Bookkeeping(ledger, payments, payables, terms.points, filling)
    reports = GatewayReports(database, gateways, GatewayInbox(database), payments, books, clock)
    work = GatewayWork(database, gateways, payments, books, reports, schedule, clockwork, clock)
    paying = Payments(
        database,
        payments,
        payables,
        books,
        gateways,
        work,
        reports,
        schedule,
        clockwork,
        clock,
        terms.currency,
    )
    filling.begins_by(paying.auto_top_up)
    return Cashier(
        payables=payables,
        payments=paying,
        refunds=Refunds(database, payments, books, work, audit, clock),
        points=Points(database, ledger, payables, terms.points, clock, terms.currency),
        wallets=Wallets(ledger, payments, filling, terms.currency),
        reports=reports,
        auditor=Auditor(database, LedgerAudits(database), MoneyStop(database), schedule, clockwork, clock),
        ledger=ledger,
    )
