"""Invoices and credit notes: what was paid for, how much of it is VAT, and a number without gaps. Pure.

The facts are those of a simplified invoice (Council Directive 2006/112/EC, articles 220a and 226b): date of issue, the
seller with VAT number, what was supplied and when, the rate and the amount of VAT; a credit note also names what it
corrects. A simplified invoice does without the customer's name, so a closed account leaves no name behind in documents
that the law wants kept; the customer is an account id.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from hashlib import sha256
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

from autospot.domain.errors import InvalidInput
from autospot.domain.instant import rfc3339
from autospot.domain.payment.payment import vat_within
from autospot.domain.tariff.canonical import canonical_json

InvoiceKind = Literal["invoice", "credit_note"]
SERIES: Final[dict[InvoiceKind, str]] = {"invoice": "INV", "credit_note": "CRN"}
NUMBER_DIGITS: Final = 6
LINES_LIMIT: Final = 6
WORDS_LIMIT: Final = 140
"""Lines, and letters of one: what fits on a page."""
ADDRESS_LIMIT: Final = 6
"""Lines of a seller's address."""


@dataclass(frozen=True, slots=True)
class Seller:
    """Who sells: as it stands on every document issued. `time_zone` (IANA) says in which year and on which day."""

    name: str
    address: tuple[str, ...]
    vat_id: str
    time_zone: str

    def __post_init__(self) -> None:
        if not self.name or len(self.address) > ADDRESS_LIMIT:
            raise InvalidInput(f"a seller has a name and at most {ADDRESS_LIMIT} lines of address")


@dataclass(frozen=True, slots=True)
class InvoiceLine:
    """What was supplied, in words, and what it costs with VAT, in minor units, positive."""

    words: str
    gross: int


@dataclass(frozen=True)
class Invoice:
    """One document, immutable. Amounts are positive on both kinds; a credit note gives back.

    `payment` took the money or gave it back, for `subject`: a booking, session or subscription. `source` is the
    transfer that moved it: there is one document per transfer. `vat` is reckoned over all documents of a payment, as in
    the ledger, so that they end at exactly the VAT of what was kept of it. `corrects` is the number of the invoice that
    a credit note is about.
    """

    id: str
    number: str
    kind: InvoiceKind
    user_id: str
    lot: str
    subject: str
    payment: str
    source: str
    issued_at: datetime
    supplied_at: datetime
    seller: Seller
    lines: tuple[InvoiceLine, ...]
    currency: str
    vat_basis_points: int
    vat: int
    corrects: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        is_said = all(line.gross > 0 and len(line.words) <= WORDS_LIMIT for line in self.lines)
        if not 0 < len(self.lines) <= LINES_LIMIT or not is_said:
            raise InvalidInput(f"an invoice has 1 to {LINES_LIMIT} short lines, each of a positive amount")

    @property
    def gross(self) -> int:
        """What is paid, or given back."""
        return sum(line.gross for line in self.lines)

    @property
    def net(self) -> int:
        """The same without VAT."""
        return self.gross - self.vat

    @property
    def signed_gross(self) -> int:
        """What the document adds to what its subject cost."""
        return self.gross if self.kind == "invoice" else -self.gross

    @cached_property
    def hash(self) -> str:
        """SHA-256, in hex, over the canonical JSON of everything the document says."""
        return sha256(canonical_json(self._facts())).hexdigest()

    def _facts(self) -> dict[str, Any]:
        seller = self.seller
        return {
            "number": self.number,
            "kind": self.kind,
            "customer": self.user_id,
            "lot": self.lot,
            "subject": self.subject,
            "payment": self.payment,
            "issued_at": rfc3339(self.issued_at),
            "supplied_at": rfc3339(self.supplied_at),
            "seller": [seller.name, list(seller.address), seller.vat_id, seller.time_zone],
            "lines": [[line.words, line.gross] for line in self.lines],
            "currency": self.currency,
            "vat_basis_points": self.vat_basis_points,
            "vat": self.vat,
            "corrects": list(self.corrects),
        }


def invoice_id(source: str) -> str:
    """The id of the document about a transfer: the same at every try."""
    return f"inv_{sha256(source.encode()).hexdigest()[:32]}"


def counter_of(kind: InvoiceKind, issued_at: datetime, time_zone: str) -> str:
    """The series and year in which a document is counted: `INV-2026`, by the seller's calendar."""
    return f"{SERIES[kind]}-{issued_at.astimezone(ZoneInfo(time_zone)).year}"


def number_of(counter: str, count: int) -> str:
    """`INV-2026-000042`: counted from 1 without gaps within series and year."""
    return f"{counter}-{count:0{NUMBER_DIGITS}d}"


def vat_of_next(before: Sequence[Invoice], kind: InvoiceKind, gross: int, vat_basis_points: int) -> int:
    """The VAT of one more document of a payment, after the ones it has: the difference between the VAT of what is kept
    then and of what was kept before. Half a unit up; the sum over all documents is exact."""
    kept = sum(each.signed_gross for each in before)
    after = kept + (gross if kind == "invoice" else -gross)
    return abs(vat_within(after, vat_basis_points) - vat_within(kept, vat_basis_points))


def qr_text(invoice: Invoice) -> str:
    """What the QR code on a document says, for programs: `autospot:invoice/INV-2026-000042?…`, with the hash that the
    API gives for it, so that paper and record can be held against each other."""
    day = invoice.issued_at.astimezone(ZoneInfo(invoice.seller.time_zone)).date().isoformat()
    return (
        f"autospot:invoice/{invoice.number}?issued={day}&total={invoice.gross}&vat={invoice.vat}"
        f"&currency={invoice.currency}&hash={invoice.hash}"
    )
