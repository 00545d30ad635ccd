"""Invoices from real payments: on a real ledger, numbered, listed, downloaded."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from api.invoices import InvoiceOperations
from autospot.domain.errors import NotFound
from autospot.domain.invoice import Invoice, qr_text
from autospot.domain.money import Money
from autospot.services.clockwork import Clockwork, Schedule
from autospot.services.invoicing.invoices import BATCH, INVOICING, Invoicing, Round
from autospot.services.invoicing.supplies import Supplies
from autospot.storage.due import DueRows
from autospot.storage.idempotency import Unkept
from autospot.storage.mongo import Database, Session
from tests.support.api import bearer, running_api
from tests.support.bookings import at, between
from tests.support.invoices import SELLER, codes_in, drawn, text_on
from tests.support.money import ACTOR, ADMIN, Till, a_till
from tests.support.office import DORA, Harbour, a_harbour, hourly
from tests.support.services import eventually


@pytest.fixture
def till(database: Database) -> Till:
    return a_till(database)


@pytest.fixture
async def invoicing(till: Till) -> Invoicing:
    supplies = Supplies(till.database)
    made = Invoicing(till.database, supplies, till.schedule, till.clockwork, till.clock, SELLER)
    await made.begin()
    return made


async def paid(till: Till, price: int = 1190, owner: str = "usr_dora") -> str:
    wash = await till.washes.order(owner, price)
    return (await till.cashier.payments.pay_from_wallet(owner, wash, Unkept())).id


async def numbers(invoicing: Invoicing, user: str = "usr_dora") -> list[str]:
    return sorted(each.number for each in await invoicing.of(user, 200))


async def test_a_payment_has_one_invoice_with_its_vat(till: Till, invoicing: Invoicing) -> None:
    await till.fill()
    payment_id = await paid(till)
    await till.pass_time(timedelta(seconds=10))
    await till.pass_time(timedelta(minutes=1))

    (invoice,) = await invoicing.of("usr_dora", 10)
    year = till.clock.now().year
    assert (invoice.number, invoice.kind, invoice.payment) == (f"INV-{year}-000001", "invoice", payment_id)
    assert (invoice.gross, invoice.net, invoice.vat, invoice.vat_basis_points) == (1190, 1000, 190, 1900)
    assert await till.stands("vat:harbour") == (invoice.vat,)


async def test_refunds_are_credit_notes_that_end_at_nothing(till: Till, invoicing: Invoicing) -> None:
    await till.fill()
    payment_id = await paid(till, 1001)
    for amount in (333, None):
        await till.pass_time(timedelta(seconds=10))
        back = None if amount is None else Money(amount, "EUR")
        await till.cashier.refunds.refund(ADMIN, ACTOR, payment_id, back, "wet", Unkept())
    await till.pass_time(timedelta(seconds=10))

    documents = await invoicing.of("usr_dora", 10)
    assert sorted((each.kind, each.gross) for each in documents) == [
        ("credit_note", 333),
        ("credit_note", 668),
        ("invoice", 1001),
    ]
    assert sum(each.signed_gross for each in documents) == 0
    assert sum(each.vat if each.kind == "invoice" else -each.vat for each in documents) == 0
    (invoice,) = [each for each in documents if each.kind == "invoice"]
    assert {each.corrects for each in documents if each.kind == "credit_note"} == {(invoice.number,)}


async def test_top_ups_have_no_invoice(till: Till, invoicing: Invoicing) -> None:
    await till.fill()
    await till.pass_time(timedelta(minutes=1))
    assert await invoicing.of("usr_dora", 10) == []


async def test_numbers_have_no_gap_and_no_twin_when_many_rounds_run_at_once(till: Till, invoicing: Invoicing) -> None:
    count = BATCH + 10
    await till.fill(amount=count * 10)
    for _ in range(count):
        await paid(till, 10)
    rounds = [_another(till) for _ in range(4)]

    async def all_made() -> bool:
        await asyncio.gather(*(each.run_due() for each in rounds))
        return len(await numbers(invoicing)) == count

    await eventually(all_made)
    year = till.clock.now().year
    assert await numbers(invoicing) == [f"INV-{year}-{number:06d}" for number in range(1, count + 1)]


async def test_a_number_whose_transaction_fails_is_given_again(till: Till, invoicing: Invoicing) -> None:
    await till.fill()
    await paid(till)
    invoices = invoicing._invoices

    async def interrupted(session: Session) -> None:
        await invoices.next_count(session, f"INV-{till.clock.now().year}")
        raise NotFound("the process dies here")

    with pytest.raises(NotFound):
        await till.database.transaction(interrupted)
    await till.pass_time(timedelta(seconds=10))
    assert await numbers(invoicing) == [f"INV-{till.clock.now().year}-000001"]


async def test_the_billing_history_is_listed_and_downloaded(till: Till, invoicing: Invoicing, tmp_path: Path) -> None:
    await till.fill()
    await till.fill("usr_dave")
    for owner in ("usr_dora", "usr_dora", "usr_dora", "usr_dave"):
        await paid(till, 500, owner)
    await till.pass_time(timedelta(seconds=10))

    async with running_api(InvoiceOperations(invoicing), clock=till.clock) as api:
        first = (await api.call("GET", "/v1/invoices?limit=2", headers=bearer("usr_dora"))).json
        rest = (
            await api.call("GET", f"/v1/invoices?limit=2&cursor={first['next_cursor']}", headers=bearer("usr_dora"))
        ).json
        listed = [*first["data"], *rest["data"]]
        paper = await api.call("GET", f"/v1/invoices/{listed[0]['id']}", headers=bearer("usr_dora"))
        foreign = await api.call("GET", f"/v1/invoices/{listed[0]['id']}", headers=bearer("usr_dave"))

    assert len({each["number"] for each in listed}) == 3
    assert rest["next_cursor"] is None
    assert {each["total"]["amount"] for each in listed} == {500}
    assert (paper.status, paper.headers["Content-Type"]) == (200, "application/pdf")
    assert f'"{listed[0]["number"]}.pdf"' in paper.headers["Content-Disposition"]
    assert foreign.status == 404
    assert listed[0]["number"] in text_on(paper.body)
    (code,) = codes_in(drawn(paper.body, tmp_path))
    assert listed[0]["hash"] in code


async def office_with_invoices(database: Database) -> tuple[Harbour, Invoicing]:
    harbour = await a_harbour(database, prices=hourly())
    people = harbour.town.people
    invoicing = Invoicing(database, Supplies(database), people.schedule, people.clockwork, harbour.clock, SELLER)
    await harbour.fill_wallet(5000)
    return harbour, invoicing


async def test_a_booking_and_its_cancellation_are_told_in_words(database: Database) -> None:
    harbour, invoicing = await office_with_invoices(database)
    booking = await harbour.book(between(10, 12))
    await invoicing.begin()
    await harbour.settle()
    await harbour.office.changes.cancel(DORA, booking.id, Unkept())
    await harbour.town.people.schedule.move(INVOICING, "round", harbour.clock.now(), Round())
    await harbour.settle()

    documents: list[Invoice] = list(await invoicing.of(DORA, 10))
    assert sorted((each.kind, each.gross) for each in documents) == [("credit_note", 400), ("invoice", 400)]
    assert {each.subject for each in documents} == {booking.id}
    assert "bay B00000, 2040-11-26 10:00 to 2040-11-26 12:00" in documents[0].lines[0].words
    assert qr_text(documents[0]) != qr_text(documents[1])


async def test_an_extension_has_an_invoice_of_its_own_and_each_refund_names_its_invoice(database: Database) -> None:
    harbour, invoicing = await office_with_invoices(database)
    booking = await harbour.book(between(10, 12))
    await harbour.office.changes.extend(DORA, booking.id, at(13), Unkept())
    await harbour.office.changes.cancel(DORA, booking.id, Unkept())
    await invoicing.begin()
    await harbour.settle()

    documents = await invoicing.of(DORA, 10)
    assert {each.subject for each in documents} == {booking.id}
    invoices = {each.payment: each for each in documents if each.kind == "invoice"}
    notes = {each.payment: each for each in documents if each.kind == "credit_note"}
    assert sorted(each.gross for each in invoices.values()) == [200, 400]
    for payment, note in notes.items():
        assert (note.corrects, note.vat) == ((invoices[payment].number,), invoices[payment].vat)
    await harbour.clean()


def _another(till: Till) -> Clockwork:
    """One more process that makes invoices."""
    rows = DueRows(till.database)
    clockwork = Clockwork(till.database, rows, till.clock, roll=lambda: 0.0)
    supplies = Supplies(till.database)
    Invoicing(till.database, supplies, Schedule(rows), clockwork, till.clock, SELLER)
    return clockwork
