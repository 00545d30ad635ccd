"""Invoices for tests, built with sensible defaults; what is read from their paper."""

from __future__ import annotations

import io
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import zxingcpp
from PIL import Image
from pypdf import PdfReader

from autospot.domain.invoice import Invoice, InvoiceLine, Seller

SELLER = Seller("Harbour Parking Ltd", ("1 Dock Road", "Galway H91 X2Y3", "Ireland"), "IE1234567T", "Europe/Dublin")


def an_invoice(**changes: Any) -> Invoice:
    """An invoice of 6.00 EUR with 23 % VAT, with `changes`."""
    fields: dict[str, Any] = {
        "id": "inv_" + "0" * 32,
        "number": "INV-2026-000042",
        "kind": "invoice",
        "user_id": "usr_" + "7" * 32,
        "lot": "harbour",
        "subject": "bkg_" + "5" * 32,
        "payment": "pay_" + "3" * 32,
        "source": "trf_1",
        "issued_at": datetime(2026, 6, 20, 10, 0, tzinfo=UTC),
        "supplied_at": datetime(2026, 6, 19, 23, 30, tzinfo=UTC),
        "seller": SELLER,
        "lines": (InvoiceLine("Parking, harbour, bay 214, 2026-06-20 09:00 to 2026-06-20 11:30", 600),),
        "currency": "EUR",
        "vat_basis_points": 2300,
        "vat": 112,
        **changes,
    }
    return Invoice(**fields)


def text_on(pdf: bytes) -> str:
    """All text of a one-page PDF."""
    (page,) = PdfReader(io.BytesIO(pdf)).pages
    return page.extract_text()


def drawn(pdf: bytes, folder: Path) -> Image.Image:
    """The page as a picture, drawn by poppler."""
    (folder / "page.pdf").write_bytes(pdf)
    command = ["pdftoppm", "-png", "-r", "110", "-singlefile", "page.pdf", "page"]
    subprocess.run(command, cwd=folder, check=True, timeout=30)
    with Image.open(folder / "page.png") as picture:
        return picture.convert("L")


def codes_in(picture: Image.Image) -> list[str]:
    """The text of every QR code in a picture."""
    return [found.text for found in zxingcpp.read_barcodes(picture)]
