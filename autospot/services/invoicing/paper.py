"""Invoices as PDF: one A4 page. Equal invoices give equal bytes.

The font is DejaVu Sans, of which a page embeds the letters that it needs: it has those of every language written in
Latin, Greek or Cyrillic. A letter that it lacks is printed without its accent, or as a question mark.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import segno
from reportlab.lib.colors import Color
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.lib.utils import simpleSplit
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from autospot.domain.invoice import Invoice, qr_text
from autospot.domain.money import Money
from autospot.domain.tariff.quote import percent_text

FONTS: Final = Path(__file__).with_name("fonts")
PLAIN: Final = "AutoSpotPlain"
BOLD: Final = "AutoSpotBold"
LEFT: Final = 22 * mm
RIGHT: Final = A4[0] - 22 * mm
TOP: Final = A4[1] - 24 * mm
AMOUNTS_WIDTH: Final = 38 * mm
QR_SIZE: Final = 42 * mm
QR_TOP: Final = 64 * mm
CORRECTS_NAMED: Final = 8
"""Numbers that a credit note names; the rest are counted."""

QR_QUIET: Final = 4
"""Modules of empty margin that readers need (ISO/IEC 18004)."""

GREY: Final = Color(0.38, 0.40, 0.44)
BLACK: Final = Color(0.07, 0.08, 0.10)
TITLES: Final = {"invoice": "Invoice", "credit_note": "Credit note"}


def invoice_pdf(invoice: Invoice) -> bytes:
    """The document as PDF."""
    _register_fonts()
    buffer = BytesIO()
    canvas = Canvas(buffer, pagesize=A4, invariant=True, lang="en")
    title = f"{TITLES[invoice.kind]} {invoice.number}"
    canvas.setTitle(title)
    canvas.setAuthor(invoice.seller.name)
    canvas.setSubject(f"{Money(invoice.gross, invoice.currency)}, {_day(invoice, invoice.issued_at)}")
    y = _seller(canvas, invoice)
    y = _heading(canvas, invoice, y)
    y = _lines(canvas, invoice, y)
    _totals(canvas, invoice, y)
    _code(canvas, invoice)
    canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def _register_fonts() -> None:
    if PLAIN not in pdfmetrics.getRegisteredFontNames():
        pdfmetrics.registerFont(TTFont(PLAIN, FONTS / "DejaVuSans.ttf"))
        pdfmetrics.registerFont(TTFont(BOLD, FONTS / "DejaVuSans-Bold.ttf"))


def _seller(canvas: Canvas, invoice: Invoice) -> float:
    _write(canvas, LEFT, TOP, invoice.seller.name, font=BOLD, size=12)
    y = TOP - 5.5 * mm
    for line in (*invoice.seller.address, f"VAT no. {invoice.seller.vat_id}"):
        _write(canvas, LEFT, y, line, size=8.5, colour=GREY)
        y -= 4.4 * mm
    return y - 12 * mm


def _heading(canvas: Canvas, invoice: Invoice, y: float) -> float:
    _write(canvas, LEFT, y, TITLES[invoice.kind], font=BOLD, size=20)
    y -= 10 * mm
    for label, value in _facts(invoice):
        _write(canvas, LEFT, y, label, size=9, colour=GREY)
        for line in simpleSplit(value, PLAIN, 9, RIGHT - LEFT - 38 * mm):
            _write(canvas, LEFT + 38 * mm, y, line, size=9)
            y -= 5 * mm
    return y - 8 * mm


def _facts(invoice: Invoice) -> Iterator[tuple[str, str]]:
    yield "Number", invoice.number
    yield "Issued", _day(invoice, invoice.issued_at)
    yield "Supplied", _day(invoice, invoice.supplied_at)
    yield "Customer", invoice.user_id
    yield "For", invoice.subject
    yield "Payment", invoice.payment
    if invoice.corrects:
        named, more = invoice.corrects[:CORRECTS_NAMED], len(invoice.corrects) - CORRECTS_NAMED
        yield "Corrects", ", ".join(named) + (f" and {more} more" if more > 0 else "")


def _lines(canvas: Canvas, invoice: Invoice, y: float) -> float:
    _write(canvas, LEFT, y, "Supplied", size=8.5, colour=GREY)
    _write_right(canvas, RIGHT, y, f"{invoice.currency}, VAT included", size=8.5, colour=GREY)
    y = _rule(canvas, y - 2.5 * mm)
    for line in invoice.lines:
        _write_right(canvas, RIGHT, y, _amount(line.gross, invoice), size=10)
        for words in simpleSplit(line.words, PLAIN, 10, RIGHT - LEFT - AMOUNTS_WIDTH):
            _write(canvas, LEFT, y, words, size=10)
            y -= 5.5 * mm
    return _rule(canvas, y + 1.5 * mm)


def _totals(canvas: Canvas, invoice: Invoice, y: float) -> None:
    rate = percent_text(invoice.vat_basis_points)
    for label, amount in (("Net", invoice.net), (f"VAT {rate}", invoice.vat)):
        _write_right(canvas, RIGHT - AMOUNTS_WIDTH, y, label, size=10, colour=GREY)
        _write_right(canvas, RIGHT, y, _amount(amount, invoice), size=10)
        y -= 6 * mm
    words = "Paid" if invoice.kind == "invoice" else "Given back"
    y -= 1 * mm
    _write_right(canvas, RIGHT - AMOUNTS_WIDTH, y, words, font=BOLD, size=12)
    _write_right(canvas, RIGHT, y, str(Money(invoice.gross, invoice.currency)), font=BOLD, size=12)


def _code(canvas: Canvas, invoice: Invoice) -> None:
    """The QR code, as rectangles of whole modules, and what it is for."""
    matrix = segno.make(qr_text(invoice), error="m", micro=False).matrix
    module = QR_SIZE / (len(matrix) + 2 * QR_QUIET)
    left, top = LEFT - QR_QUIET * module, QR_TOP
    canvas.setFillColor(BLACK)
    path = canvas.beginPath()
    for row, cells in enumerate(matrix):
        for column, is_dark in enumerate(cells):
            if is_dark:
                x = left + (column + QR_QUIET) * module
                path.rect(x, top - (row + QR_QUIET + 1) * module, module, module)
    canvas.drawPath(path, stroke=0, fill=1)
    beside = LEFT + QR_SIZE + 2 * mm
    for number, line in enumerate(("This code holds number, date, amounts and", "the document's fingerprint:")):
        _write(canvas, beside, top - 8 * mm - number * 4.4 * mm, line, size=8.5, colour=GREY)
    for number, part in enumerate((invoice.hash[:32], invoice.hash[32:])):
        _write(canvas, beside, top - 19 * mm - number * 4.4 * mm, part, size=8.5, colour=GREY)


def _rule(canvas: Canvas, y: float) -> float:
    canvas.setStrokeColor(GREY)
    canvas.setLineWidth(0.5)
    canvas.line(LEFT, y, RIGHT, y)
    return y - 6.5 * mm


def _write(
    canvas: Canvas, x: float, y: float, text: str, *, font: str = PLAIN, size: float, colour: Color = BLACK
) -> None:
    canvas.setFont(font, size)
    canvas.setFillColor(colour)
    canvas.drawString(x, y, printable(text))


def _write_right(
    canvas: Canvas, x: float, y: float, text: str, *, font: str = PLAIN, size: float, colour: Color = BLACK
) -> None:
    canvas.setFont(font, size)
    canvas.setFillColor(colour)
    canvas.drawRightString(x, y, printable(text))


def printable(text: str) -> str:
    """The text in letters that the font has."""
    return "".join(_letter(each) for each in text)


def _letter(letter: str) -> str:
    has = _letters()
    plain = unicodedata.normalize("NFKD", letter)[0]
    return letter if ord(letter) in has else plain if ord(plain) in has else "?"


def _amount(amount: int, invoice: Invoice) -> str:
    return str(Money(amount, invoice.currency)).removesuffix(f" {invoice.currency}")


def _day(invoice: Invoice, instant: datetime) -> str:
    return instant.astimezone(ZoneInfo(invoice.seller.time_zone)).date().isoformat()


@cache
def _letters() -> frozenset[int]:
    """The code points that the font has."""
    return frozenset(TTFont(PLAIN, FONTS / "DejaVuSans.ttf").face.charToGlyph)
