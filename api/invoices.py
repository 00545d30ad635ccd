"""Billing history: invoices and credit notes, as a list and on paper."""

from __future__ import annotations

from pydantic import Field

from api.call import Call
from api.contract import File, Input, Output, operation
from api.limits import LimitClass
from api.pages import Page, PageQuery, cursor_after, instant_at
from api.values import Instant
from autospot.domain.access import Action
from autospot.domain.invoice import Invoice, InvoiceKind
from autospot.domain.money import Money
from autospot.services.invoicing.invoices import Invoicing, no_such_invoice

PDF = "application/pdf"


class InvoicePath(Input):
    """An invoice or credit note."""

    id: str = Field(pattern=r"^inv_[0-9a-f]{32}$")


class InvoiceLineView(Output):
    """What was supplied, VAT included."""

    words: str
    total: Money


class InvoiceView(Output):
    """An invoice, or a credit note, whose amounts went back. `subject` is the booking, session or subscription."""

    id: str = Field(examples=["inv_5b1c…"])
    number: str = Field(examples=["INV-2026-000042"])
    kind: InvoiceKind
    issued_at: Instant
    supplied_at: Instant
    lot: str
    subject: str
    payment: str
    lines: list[InvoiceLineView]
    net: Money
    vat: Money
    vat_basis_points: int
    total: Money
    corrects: list[str] = Field(description="numbers of the invoices that a credit note is about")
    hash: str = Field(description="the fingerprint that the document's QR code holds")


class InvoiceOperations:
    """Reads only: documents are made from the ledger, within seconds of a payment."""

    def __init__(self, invoicing: Invoicing) -> None:
        self._invoicing = invoicing

    @operation("GET /v1/invoices", summary="My invoices and credit notes", tag="money", access=Action.DRIVE)
    async def list_invoices(self, call: Call, query: PageQuery) -> Page[InvoiceView]:
        """Newest first."""
        found = await self._invoicing.of(call.principal.user_id, query.limit + 1, before=instant_at(query.cursor))
        page = found[: query.limit]
        more = len(found) > len(page)
        return Page(
            data=[invoice_view(each) for each in page],
            next_cursor=cursor_after(page[-1].issued_at, page[-1].id) if more else None,
        )

    @operation(
        "GET /v1/invoices/{id}",
        summary="An invoice as PDF",
        tag="money",
        access=Action.DRIVE,
        limit=LimitClass.REPORT,
        media=(PDF,),
        errors=(no_such_invoice(),),
    )
    async def paper(self, call: Call, path: InvoicePath) -> File:
        """One A4 page, with a QR code that holds number, date, amounts and fingerprint."""
        invoice, body = await self._invoicing.paper(call.principal.user_id, path.id)
        return File(body, PDF, name=f"{invoice.number}.pdf", etag=invoice.hash[:32])


def invoice_view(invoice: Invoice) -> InvoiceView:
    """A document in the words of the API."""
    currency = invoice.currency
    return InvoiceView(
        id=invoice.id,
        number=invoice.number,
        kind=invoice.kind,
        issued_at=invoice.issued_at,
        supplied_at=invoice.supplied_at,
        lot=invoice.lot,
        subject=invoice.subject,
        payment=invoice.payment,
        lines=[InvoiceLineView(words=line.words, total=Money(line.gross, currency)) for line in invoice.lines],
        net=Money(invoice.net, currency),
        vat=Money(invoice.vat, currency),
        vat_basis_points=invoice.vat_basis_points,
        total=Money(invoice.gross, currency),
        corrects=list(invoice.corrects),
        hash=invoice.hash,
    )
