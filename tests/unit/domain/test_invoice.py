"""Invoices: their numbers, their VAT, their fingerprints."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autospot.domain.errors import InvalidInput
from autospot.domain.invoice import Invoice, InvoiceLine, counter_of, number_of, qr_text, vat_of_next
from autospot.domain.payment.payment import vat_within
from tests.support.invoices import an_invoice


def test_a_number_is_counted_in_its_series_and_the_sellers_year() -> None:
    new_year = datetime(2025, 12, 31, 23, 30, tzinfo=UTC)
    assert counter_of("invoice", new_year, "Europe/Berlin") == "INV-2026"
    assert counter_of("credit_note", new_year, "Europe/Dublin") == "CRN-2025"
    assert number_of("INV-2026", 7) == "INV-2026-000007"


def test_net_and_vat_add_up_to_what_is_paid() -> None:
    invoice = an_invoice(vat=vat_of_next([], "invoice", 600, 2300))
    assert (invoice.gross, invoice.vat, invoice.net) == (600, 112, 488)


@given(
    steps=st.lists(st.integers(1, 5000), min_size=1, max_size=8),
    rate=st.sampled_from([0, 700, 1900, 2300]),
    back=st.lists(st.integers(1, 5000), max_size=8),
)
def test_the_vat_of_all_documents_is_the_vat_of_what_was_kept(steps: list[int], rate: int, back: list[int]) -> None:
    documents: list[Invoice] = []
    left = sum(steps)
    for gross in steps:
        documents.append(_next(documents, "invoice", gross, rate))
    for gross in back:
        if gross <= left:
            documents.append(_next(documents, "credit_note", gross, rate))
            left -= gross
    signed = sum(each.vat if each.kind == "invoice" else -each.vat for each in documents)
    assert signed == vat_within(left, rate)
    assert all(0 <= each.vat <= each.gross for each in documents)


@pytest.mark.parametrize(
    "changes",
    [
        {"number": "INV-2026-000043"},
        {"vat": 111},
        {"lines": (InvoiceLine("Parking", 601),)},
        {"user_id": "usr_other"},
        {"kind": "credit_note"},
        {"corrects": ("INV-2026-000001",)},
        {"issued_at": datetime(2026, 6, 20, 10, 0, 1, tzinfo=UTC)},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_whatever_a_document_says_changes_its_fingerprint(changes: dict[str, object]) -> None:
    assert an_invoice(**changes).hash != an_invoice().hash
    assert an_invoice().hash == an_invoice().hash


def test_the_code_holds_what_is_needed_to_check_the_paper() -> None:
    text = qr_text(an_invoice())
    assert text.startswith("autospot:invoice/INV-2026-000042?issued=2026-06-20&total=600&vat=112&currency=EUR&hash=")
    assert text.endswith(an_invoice().hash)


@pytest.mark.parametrize("lines", [(), (InvoiceLine("Parking", 0),), (InvoiceLine("Parking", -5),)])
def test_a_document_is_about_a_positive_amount(lines: tuple[InvoiceLine, ...]) -> None:
    with pytest.raises(InvalidInput):
        an_invoice(lines=lines)


def _next(documents: list[Invoice], kind: str, gross: int, rate: int) -> Invoice:
    vat = vat_of_next(documents, kind, gross, rate)  # type: ignore[arg-type]
    return an_invoice(kind=kind, lines=(InvoiceLine("Parking", gross),), vat=vat, vat_basis_points=rate)
