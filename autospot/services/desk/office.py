"""Everything about bookings, wired together once: for the program, and in the same way for tests."""

from __future__ import annotations

from dataclasses import dataclass, field

from autospot.clock import Clock
from autospot.live import LiveLots
from autospot.services.accounts.vehicles import Garage
from autospot.services.assigning import Assigning
from autospot.services.attendant import Attendant
from autospot.services.audit import Audit
from autospot.services.bay_edits import BayEdits
from autospot.services.cashier.cashier import Cashier
from autospot.services.clockwork import Clockwork, Schedule
from autospot.services.closing import Closing
from autospot.services.desk.booking import BookingDesk, LotOf
from autospot.services.desk.changes import BookingChanges
from autospot.services.desk.choice import Choice
from autospot.services.desk.keeper import Keeper
from autospot.services.desk.matching import GATHER_SECONDS, Matching
from autospot.services.desk.moving import Mover
from autospot.services.desk.one_tap import OneTap
from autospot.services.desk.overruling import Overruling
from autospot.services.desk.payables import BookingPayments, SessionPayments
from autospot.services.desk.register import Register, Tell
from autospot.services.desk.series import SeriesDesk
from autospot.services.desk.stays import Stays
from autospot.services.desk.till import CoverageOf, Packages, Prices, TariffsOf, Till, no_coverage
from autospot.services.desk.timekeeper import Timekeeper
from autospot.services.guides import Guides
from autospot.services.guiding import Guiding
from autospot.services.keys import SecretKeys
from autospot.services.parking import Parking
from autospot.services.waiting import Waiting
from autospot.storage.assignments import Assignments
from autospot.storage.bookings import Bookings
from autospot.storage.calendars import Calendars
from autospot.storage.claims import Claims
from autospot.storage.lots import Lots
from autospot.storage.mail_wishes import MailWishesStore
from autospot.storage.mongo import Database
from autospot.storage.sessions import Sessions
from autospot.storage.waiting import WaitingList


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the office stands on. `lot_of` gives live lots, `live` is the fold they come from, `guides` their distances;
    `gather_seconds` is how long drivers who ask for a bay are waited for."""

    database: Database
    live: LiveLots
    lot_of: LotOf
    clock: Clock
    schedule: Schedule
    clockwork: Clockwork
    garage: Garage
    audit: Audit
    cashier: Cashier
    tariffs: TariffsOf
    tell: Tell
    packages: Packages
    keys: SecretKeys
    coverage: CoverageOf = no_coverage
    guides: Guides = field(default_factory=Guides)
    gather_seconds: float = GATHER_SECONDS


@dataclass(frozen=True, slots=True)
class Office:
    """The services about bookings, sessions, assignments and guidance."""

    bookings: Bookings
    calendars: Calendars
    claims: Claims
    sessions: Sessions
    desk: BookingDesk
    series: SeriesDesk
    changes: BookingChanges
    overruling: Overruling
    keeper: Keeper
    mover: Mover
    stays: Stays
    parking: Parking
    assigning: Assigning
    guiding: Guiding
    waiting: Waiting
    closing: Closing
    bay_edits: BayEdits
    attendant: Attendant
    timekeeper: Timekeeper
    one_tap: OneTap
    register: Register
    booking_payments: BookingPayments
    session_payments: SessionPayments


def booking_office(around: Surroundings) -> Office:
    """Wires it. Afterwards: `await office.keeper.begin()` once, `office.attendant.run()` in the background, and the two
    keepers of payments registered with the cashier."""
    database, clock, lot_of = around.database, around.clock, around.lot_of
    bookings, calendars, claims = Bookings(database), Calendars(database), Claims(database)
    sessions, assignments, wishes = Sessions(database), Assignments(database), WaitingList(database)
    prices = Prices(around.tariffs, around.coverage, around.packages)
    till = Till(around.cashier.payments, around.cashier.refunds)
    schedule, clockwork = around.schedule, around.clockwork
    register = Register(bookings, calendars, claims, wishes, schedule, clockwork, till, around.packages, around.tell)
    choice = Choice(calendars, around.guides)
    keeper = Keeper(calendars, bookings, assignments, choice, schedule, clockwork, clock)
    matching = Matching(lot_of, around.guides, choice, keeper, clock, around.gather_seconds)
    mover = Mover(database, lot_of, keeper, register, till)
    stays = Stays(database, sessions, register, prices, around.garage)
    assigning = Assigning(
        database, assignments, calendars, claims, lot_of, keeper, matching, register, schedule, clockwork, clock
    )
    parking = Parking(
        database, sessions, bookings, claims, lot_of, prices, till, stays, assigning, register, around.garage, clock
    )
    attendant = Attendant(database, around.live, bookings, sessions, claims, stays, parking, clock)
    changes = BookingChanges(database, bookings, lot_of, prices, keeper, register, around.garage, clock)
    one_tap = OneTap(around.keys, bookings, changes, lot_of, clock)
    leads_of = MailWishesStore(database).leads_of
    desk = BookingDesk(database, bookings, lot_of, prices, keeper, register, around.garage, leads_of, clock)
    return Office(
        bookings=bookings,
        calendars=calendars,
        claims=claims,
        sessions=sessions,
        desk=desk,
        series=SeriesDesk(database, bookings, desk, lot_of),
        changes=changes,
        overruling=Overruling(database, bookings, register, around.audit, clock),
        keeper=keeper,
        mover=mover,
        stays=stays,
        parking=parking,
        assigning=assigning,
        guiding=Guiding(lot_of, choice, around.guides, clock),
        waiting=Waiting(database, wishes, bookings, desk, lot_of, register, schedule, clockwork, clock),
        closing=Closing(database, claims, bookings, lot_of, mover, around.audit, schedule, clockwork, clock),
        bay_edits=BayEdits(database, Lots(database), around.audit, clock),
        attendant=attendant,
        booking_payments=BookingPayments(register, till),
        session_payments=SessionPayments(sessions, prices, till),
        timekeeper=Timekeeper(
            database, bookings, lot_of, register, mover, stays, clockwork, clock, attendant.has_watched, one_tap
        ),
        one_tap=one_tap,
        register=register,
    )
