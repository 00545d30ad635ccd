"""A booking's life under everything that can happen in any order: drivers, sensors, operators and time.

What the attendant lives on is played on purpose as well: holders who come, others who park on promised bays, sensors
that fall silent under a booking, bays that are closed under one, drivers on the way, and stays without a booking.

A Hypothesis state machine with a clock that stands still until it is moved. After every step the promises, the claims,
the sessions, the events and the money must agree. `AUTOSPOT_PROOF_SCALE=1` runs many more and longer lives.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Coroutine
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import uuid4

import pymongo
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from autospot.domain.access import Principal, Role
from autospot.domain.booking.booking import Booking
from autospot.domain.booking.life import TRANSITIONS, BookingState, Step
from autospot.domain.booking.moments import shown_from
from autospot.domain.errors import Conflict, InvalidInput, PreconditionFailed
from autospot.domain.instant import to_ms
from autospot.domain.ledger import Account
from autospot.domain.ledger.account import COMPENSATION, clearing, revenue, vat, wallet
from autospot.domain.lot import BookingTerms
from autospot.domain.money import Money
from autospot.domain.parking_session import SessionState
from autospot.domain.payment.intent import PaymentState
from autospot.domain.payment.payment import AmountDue, Payment
from autospot.domain.period import Period
from autospot.services.desk.changes import Change
from autospot.storage.bookings import BookingQuery
from autospot.storage.idempotency import Unkept
from autospot.storage.ledger import Ledger
from autospot.storage.mongo import Database
from autospot.storage.payments import Payments
from autospot.storage.schema import DECLARED
from autospot.storage.sessions import SessionQuery
from tests.support.agreement import books_of, disagreements
from tests.support.bookings import at
from tests.support.money import ACTOR
from tests.support.office import CARL, DORA, Harbour, a_harbour, hourly
from tests.support.payables import due, pay
from tests.support.subscriptions import a_package

SCALE = float(os.environ.get("AUTOSPOT_PROOF_SCALE", "0.02"))
LIVES, STEPS = max(4, int(200 * SCALE)), max(18, int(60 * SCALE))
BAYS = 2
TERMS = BookingTerms(no_show_fee=100, open_per_driver=20)
OTTO = Principal("usr_otto", frozenset({Role.OPERATOR}), frozenset({"harbour"}))
EVE = "usr_eve"
DRIVERS = st.sampled_from([DORA, CARL])
UNBOOKED = st.sampled_from([CARL, EVE])
"""Who parks without a booking: nobody with a package, since sessions do not say how much of one they used."""
CODES = st.sampled_from([f"B{number:05d}" for number in range(BAYS)])
REFUSALS = (Conflict, InvalidInput, PreconditionFailed)

T = TypeVar("T")


class Lives(RuleBasedStateMachine):
    """One lot of two bays, two drivers, an operator, and time."""

    url = ""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.name = f"lives_{uuid4().hex}"
        self.database = Database(self.url, self.name)
        self.harbour: Harbour = self.run(self._begin())
        self.asked: list[tuple[str, AmountDue]] = []

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(work)

    async def _begin(self) -> Harbour:
        await self.database.prepare(DECLARED)
        harbour = await a_harbour(self.database, bays=BAYS, terms=TERMS, prices=hourly())
        for owner in (DORA, CARL, EVE):
            await harbour.fill_wallet(3_000, owner)
        package = a_package(minutes=240)
        await harbour.fill_wallet(package.price.amount)
        await harbour.subscribing.plans.put(package)
        await harbour.subscribing.subscribe(DORA, package.id, Unkept())
        return harbour

    def teardown(self) -> None:
        self.database.close()
        with pymongo.MongoClient[dict[str, object]](self.url) as client:
            client.drop_database(self.name)
        self.loop.run_until_complete(asyncio.sleep(0))
        self.loop.close()

    async def _try(self, work: Coroutine[Any, Any, object]) -> None:
        with suppress(*REFUSALS):
            await work
        await self.harbour.settle()

    async def _bookings(self) -> list[Booking]:
        return list(await self.harbour.office.bookings.newest(BookingQuery(), 10_000))

    async def _promised(self) -> list[Booking]:
        return [each for each in await self._bookings() if each.state is BookingState.CONFIRMED]

    @rule(owner=DRIVERS, bay=st.one_of(st.none(), CODES), steps=st.integers(0, 16), hours=st.integers(1, 3))
    def book(self, owner: str, bay: str | None, steps: int, hours: int) -> None:
        minutes = (self.harbour.clock.now() - at(0)) // timedelta(minutes=15) + steps
        start = at(0) + timedelta(minutes=15 * minutes)
        period = Period(start, start + timedelta(hours=hours))
        kind = None if bay else "general"
        payment = "card" if hours == 2 else "wallet"
        self.run(self._try(self.harbour.book(period, bay=bay, kind=kind, owner=owner, payment=payment)))

    @precondition(lambda self: self.run(self._bookings()))
    @rule(data=st.data(), what=st.sampled_from(["cancel", "overrule", "confirm", "extend", "bay", "shorten", "later"]))
    def change(self, data: st.DataObject, what: str) -> None:
        bookings = self.run(self._bookings())
        chosen = bookings[data.draw(st.integers(0, len(bookings) - 1))]
        changes, quarter = self.harbour.office.changes, timedelta(minutes=15)
        start, until = chosen.period.start, chosen.period.until
        works: dict[str, Any] = {
            "cancel": lambda: changes.cancel(chosen.owner, chosen.id, Unkept()),
            "overrule": lambda: self.harbour.office.overruling.cancel(OTTO, chosen.id, "a flood", "req_2", Unkept()),
            "confirm": lambda: changes.confirm(chosen.owner, chosen.id, Unkept()),
            "extend": lambda: changes.extend(chosen.owner, chosen.id, until + quarter, Unkept()),
            "bay": lambda: changes.change(chosen.owner, chosen.id, Change(bay="B00001"), Unkept()),
            "shorten": lambda: changes.change(
                chosen.owner, chosen.id, Change(Period(start, max(start + quarter, until - quarter))), Unkept()
            ),
            "later": lambda: changes.change(
                chosen.owner, chosen.id, Change(Period(start + quarter, until + quarter)), Unkept()
            ),
        }
        self.run(self._try(works[what]()))

    @precondition(lambda self: self.run(self._bookings()))
    @rule(data=st.data())
    def a_card_payment_begins(self, data: st.DataObject) -> None:
        bookings = self.run(self._bookings())
        chosen = bookings[data.draw(st.integers(0, len(bookings) - 1))]

        async def begin() -> None:
            asked = await due(self.harbour, self.harbour.office.booking_payments, chosen.id, chosen.owner)
            self.asked.append((chosen.owner, asked))

        self.run(self._try(begin()))

    @precondition(lambda self: self.asked)
    @rule(state=st.sampled_from([PaymentState.SUCCEEDED, PaymentState.SUCCEEDED, PaymentState.FAILED]))
    def a_card_payment_ends(self, state: PaymentState) -> None:
        """In time or long after the booking is gone."""
        (owner, asked), keeper = self.asked.pop(0), self.harbour.office.booking_payments
        self.run(self._try(pay(self.harbour, keeper, asked, state, self.harbour.clock.now(), owner)))

    @rule(data=st.data(), share=st.floats(0, 1))
    def an_operator_refunds(self, data: st.DataObject, share: float) -> None:
        payments = [
            each for each in self.run(self._payments()) if each.kept and str(each.subject).startswith("booking:")
        ]
        if payments:
            chosen = payments[data.draw(st.integers(0, len(payments) - 1))]
            amount = Money(max(1, round(chosen.kept * share)), "EUR")
            refunds = self.harbour.cash.refunds
            self.run(self._try(refunds.refund(OTTO, ACTOR, chosen.id, amount, "rain", Unkept())))

    async def _payments(self) -> list[Payment]:
        found = [each for owner in (DORA, CARL, EVE) for each in await Payments(self.database).newest(owner, 10_000)]
        return [each for each in found if each.subject is not None]

    @rule(bay=CODES, occupied=st.sampled_from([True, True, False, None]))
    def sensor(self, bay: str, occupied: bool | None) -> None:
        if self.harbour.bay(bay).occupied is not occupied:
            self.run(self.harbour.sensor(occupied, bay=bay))

    @precondition(lambda self: self.run(self._promised()))
    @rule(data=st.data(), minutes=st.integers(-15, 29), occupied=st.sampled_from([True, True, True, None]))
    def the_holder_comes(self, data: st.DataObject, minutes: int, occupied: bool | None) -> None:
        """Within his time; or his bay cannot be seen from then on."""
        booking = data.draw(st.sampled_from(self.run(self._promised())))
        self._at_the_bay(booking, booking.period.start + timedelta(minutes=minutes), occupied)

    @precondition(lambda self: self.run(self._promised()))
    @rule(data=st.data(), minutes=st.integers(16, 60))
    def somebody_else_parks_there(self, data: st.DataObject, minutes: int) -> None:
        """Before anybody could be taken for the holder."""
        booking = data.draw(st.sampled_from(self.run(self._promised())))
        self._at_the_bay(booking, booking.period.start - timedelta(minutes=minutes), True)

    @precondition(lambda self: self.run(self._promised()))
    @rule(data=st.data(), minutes=st.sampled_from([1, 4, 10, 40]))
    def his_bay_is_closed(self, data: st.DataObject, minutes: int) -> None:
        booking = data.draw(st.sampled_from(self.run(self._promised())))
        self.run(self.harbour.until(max(self.harbour.clock.now(), booking.period.start - timedelta(minutes=minutes))))
        self.operator(booking.bay, closes=True)

    def _at_the_bay(self, booking: Booking, instant: datetime, occupied: bool | None) -> None:
        self.run(self.harbour.until(max(self.harbour.clock.now(), instant)))
        self.sensor(booking.bay, occupied)

    @rule(owner=UNBOOKED)
    def is_on_the_way(self, owner: str) -> None:
        self.run(self._try(self.harbour.assign(owner)))

    @rule(owner=UNBOOKED, bay=CODES)
    def says_that_he_is_parked(self, owner: str, bay: str) -> None:
        self.run(self._try(self.harbour.office.parking.begin(owner, "harbour", bay, None, Unkept())))

    @rule(owner=UNBOOKED)
    def says_that_he_leaves(self, owner: str) -> None:
        async def stop() -> None:
            running = SessionQuery(owner, states=[SessionState.RUNNING])
            for parked in await self.harbour.office.sessions.newest(running, BAYS):
                await self._try(self.harbour.office.parking.stop(owner, parked.id, Unkept()))

        self.run(stop())

    @rule(minutes=st.sampled_from([1, 5, 10, 15, 30, 60]))
    def time_passes(self, minutes: int) -> None:
        self.run(self.harbour.until(self.harbour.clock.now() + timedelta(minutes=minutes)))

    @rule(bay=CODES, closes=st.booleans())
    def operator(self, bay: str, closes: bool) -> None:
        closing = self.harbour.office.closing
        if closes:
            until = self.harbour.clock.now() + timedelta(hours=1)
            self.run(self._try(closing.close(OTTO, "harbour", bay, "paint", until, "req_1")))
        else:
            self.run(self._try(closing.open(OTTO, "harbour", bay, "req_1")))

    @invariant()
    def what_is_stored_agrees(self) -> None:
        assert disagreements(self.run(books_of(self.database, "harbour")), self.harbour.clock.now()) == []

    @invariant()
    def what_is_told_of_a_booking_is_how_it_came_to_be(self) -> None:
        for booking in self.run(self._bookings()):
            steps = [Step(event.what) for event in booking.events if event.what in set(Step)]
            states = {BookingState.HELD, BookingState.CONFIRMED}
            for step in steps:
                states = {TRANSITIONS[state, step] for state in states if (state, step) in TRANSITIONS}
            assert booking.state in states

    @invariant()
    def screens_show_what_is_claimed(self) -> None:
        now = self.harbour.clock.now()
        for booking in self.run(self._bookings()):
            wanted = booking.is_open and shown_from(booking) <= now < booking.period.until
            assert booking.claimed == wanted, booking
        claims = self.run(books_of(self.database, "harbour")).claims
        for bay in self.harbour.live.lots["harbour"].bays.values():
            refs = {each["ref"] for each in claims if each["bay"] == bay.bay}
            assert bay.claim.ref in refs if bay.claim else not refs, bay
            assert bay.claim is None or bay.claim.until_ms > to_ms(now)

    @invariant()
    def money_agrees(self) -> None:
        async def check() -> None:
            ledger = Ledger(self.database)
            accounts: list[Account] = [
                *map(wallet, (DORA, CARL, EVE)),
                revenue("harbour"),
                vat("harbour"),
                COMPENSATION,
            ]
            sums = {each: await ledger.summed(each, "EUR") for each in [*accounts, clearing("simulated")]}
            assert sum(sums.values()) == 0
            settled = sum(each.settled for each in await self._payments())
            assert sums[revenue("harbour")] + sums[vat("harbour")] == settled
            await self.harbour.clean()
            assert all(sums[wallet(owner)] >= 0 for owner in (DORA, CARL, EVE))

        self.run(check())

    @invariant()
    def packages_agree(self) -> None:
        async def check() -> None:
            (package,) = await self.harbour.subscribing.of(DORA)
            bookings = await self._bookings()
            assert package.used_seconds == sum(each.package_seconds for each in bookings)
            for each in bookings:
                assert each.package_seconds == sum(drawn.seconds for drawn in each.drawn)

        self.run(check())


@pytest.mark.timeout(120 + 6_000 * SCALE)
def test_whatever_happens_in_whatever_order_everything_agrees(mongo_url: str) -> None:
    machine = type("LivesHere", (Lives,), {"url": mongo_url})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=LIVES,
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            print_blob=True,
        ),
    )
