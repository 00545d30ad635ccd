"""What is printed is what was issued: read by a parser, drawn by poppler, scanned by a barcode reader."""

from __future__ import annotations

from pathlib import Path

import pytest

from autospot.domain.invoice import InvoiceLine, Seller, qr_text
from autospot.services.invoicing.paper import invoice_pdf
from tests.support.invoices import SELLER, an_invoice, codes_in, drawn, text_on


def test_the_paper_says_everything_that_the_law_asks_for() -> None:
    text = text_on(invoice_pdf(an_invoice()))
    for words in (
        "Invoice",
        "INV-2026-000042",
        "2026-06-20",
        "Harbour Parking Ltd",
        "VAT no. IE1234567T",
        "bay 214",
        "VAT 23 %",
        "1.12",
        "4.88",
        "6.00 EUR",
        "usr_7777",
    ):
        assert words in text, words


def test_a_credit_note_names_what_it_corrects() -> None:
    note = an_invoice(kind="credit_note", number="CRN-2026-000001", corrects=("INV-2026-000041", "INV-2026-000042"))
    text = text_on(invoice_pdf(note))
    assert "Credit note" in text
    assert "INV-2026-000041, INV-2026-000042" in text
    assert "Given back" in text


def test_the_code_on_the_drawn_page_decodes(tmp_path: Path) -> None:
    invoice = an_invoice()
    assert codes_in(drawn(invoice_pdf(invoice), tmp_path)) == [qr_text(invoice)]


def test_a_page_full_of_words_keeps_its_code_and_its_margins(tmp_path: Path) -> None:
    seller = Seller(
        "Spółka Parkingowa Łódź", tuple(f"Zeile {n} äöüß" for n in range(6)), "PL1234567890", "Europe/Warsaw"
    )
    lines = tuple(
        InvoiceLine("Parken mit sehr langen Worten, die umgebrochen werden müssen " * 2, 999) for _ in range(6)
    )
    invoice = an_invoice(seller=seller, lines=lines, corrects=tuple(f"INV-2026-{n:06d}" for n in range(12)))
    pdf = invoice_pdf(invoice)
    picture = drawn(pdf, tmp_path)
    assert codes_in(picture) == [qr_text(invoice)]
    assert "and 4 more" in text_on(pdf).replace("\n", " ")
    assert "Spółka Parkingowa Łódź" in text_on(pdf)
    width, height = picture.size
    margin = picture.crop((int(width * 0.92), 0, width, height))
    assert margin.getextrema() == (255, 255)  # nothing runs out of the page


@pytest.mark.parametrize(
    "name",
    [
        "Zażółć gęślą jaźń, Łódź",
        "Çeşme Otoparkı İstanbul, Iğdır",
        "Žižkov, Příliš žluťoučký kůň úpěl ďábelské ódy",
        "Őrség Parkoló, Győr",
        "Șoseaua Ștefan cel Mare, București",
        "Đorđe Šćepanović, Čačak",
        "Σταθμός Αθήνα, Паркинг София",
    ],
)
def test_names_are_printed_with_all_their_letters(name: str) -> None:
    seller = Seller(name, (name,), "PL1234567890", "Europe/Warsaw")
    text = text_on(invoice_pdf(an_invoice(seller=seller)))
    assert text.count(name) == 2, "in bold above, in plain letters below"


def test_a_letter_that_no_font_has_does_not_stop_a_document() -> None:
    seller = Seller("Parking \U0001f697 漢", (), "PL1", "Europe/Warsaw")
    assert "Parking ? ?" in text_on(invoice_pdf(an_invoice(seller=seller)))


def test_equal_documents_are_equal_bytes() -> None:
    assert invoice_pdf(an_invoice()) == invoice_pdf(an_invoice(seller=SELLER))
    assert invoice_pdf(an_invoice(vat=111)) != invoice_pdf(an_invoice())
