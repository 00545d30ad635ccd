"""Making invoices and credit notes, and showing them to whoever they are for."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import structlog

from autospot.clock import Clock
from autospot.domain.due import Backoff
from autospot.domain.errors import NotFound
from autospot.domain.instant import rfc3339
from autospot.domain.invoice import (
    WORDS_LIMIT,
    Invoice,
    InvoiceLine,
    Seller,
    counter_of,
    invoice_id,
    number_of,
    vat_of_next,
)
from autospot.services.clockwork import Clockwork, DueKind, Schedule
from autospot.services.invoicing.paper import invoice_pdf
from autospot.services.invoicing.supplies import Supplies, Supply
from autospot.storage.invoices import Invoices, Taken
from autospot.storage.mongo import Database, Session

ROUND_EVERY: Final = timedelta(seconds=10)
"""How long after a payment its invoice may take."""

BATCH: Final = 50
"""Documents of one transaction; a round that is full is followed by the next at once."""

LOOK_BACK: Final = timedelta(minutes=10)
"""A transfer bears the time at which its request began and is seen when it is committed: seconds later, never this."""

EXPORTED: Final = 10_000

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Round:
    """The scheduled look at what has no document yet."""


INVOICING = DueKind("invoicing", Round, backoff=Backoff(attempts=1000), lease=timedelta(seconds=60), at_once=1)


def no_such_invoice() -> NotFound:
    """Also for those of others."""
    return NotFound("there is no such invoice")


class Invoicing:
    """Makes one document for each transfer by which a lot took money or gave it back.

    Guarantees: numbers have no gaps within series and year, whatever is tried again or dies; a transfer has one
    document; payments do not wait for each other's numbers, since documents are made afterwards, in rounds.
    """

    def __init__(
        self,
        database: Database,
        supplies: Supplies,
        schedule: Schedule,
        clockwork: Clockwork,
        clock: Clock,
        seller: Seller,
    ) -> None:
        self._invoices = Invoices(database)
        self._supplies = supplies
        self._schedule = schedule
        self._clock = clock
        self._seller = seller
        clockwork.exactly_once(INVOICING, self._round)

    async def begin(self) -> None:
        """Has rounds made from now on, by whichever process has a clockwork. Safe at every start."""
        await self._schedule.put(INVOICING, "round", self._clock.now(), Round())

    async def of(self, user_id: str, most: int, *, before: tuple[datetime, str] | None = None) -> Sequence[Invoice]:
        """A user's documents, newest first."""
        return await self._invoices.newest(user_id, most, before=before)

    async def paper(self, user_id: str, wanted_id: str) -> tuple[Invoice, bytes]:
        """One of the user's documents as PDF; `NotFound` for anybody else's."""
        invoice = await self._invoices.find(wanted_id, user_id)
        if invoice is None:
            raise no_such_invoice()
        return invoice, await asyncio.to_thread(invoice_pdf, invoice)  # drawing takes 20 ms of computing

    async def exported(self, user_id: str) -> Sequence[Mapping[str, Any]]:
        """For `OwnData.export_section`. Documents outlast the account, as tax law asks."""
        return [
            {"number": each.number, "issued_at": rfc3339(each.issued_at), "total": each.signed_gross, "vat": each.vat}
            for each in await self._invoices.newest(user_id, EXPORTED)
        ]

    async def _round(self, session: Session, _round: Round, now: datetime) -> None:
        until = await self._invoices.invoiced_until(session)
        since = None if until is None else until - LOOK_BACK
        waiting = await self._invoices.uninvoiced(session, since, BATCH)
        for taken in waiting:
            await self._make(session, taken, now)
        is_full = len(waiting) == BATCH
        await self._invoices.mark(session, waiting[-1].at if is_full else now)
        await self._schedule.put(INVOICING, "round", now if is_full else now + ROUND_EVERY, Round(), session=session)

    async def _make(self, session: Session, taken: Taken, now: datetime) -> None:
        supply = await self._supplies.find(session, taken.payment, self._seller.time_zone)
        if supply is None:
            log.error("money was taken for nothing that is known", transfer=taken.transfer_id, payment=taken.payment)
            await self._invoices.skip(session, taken, "unknown payment")
            return
        before = await self._invoices.of_payment(session, taken.payment)
        counter = counter_of(taken.kind, now, self._seller.time_zone)
        number = number_of(counter, await self._invoices.next_count(session, counter))
        await self._invoices.add(session, _document(taken, supply, before, number, self._seller, now))


def _document(
    taken: Taken, supply: Supply, before: Sequence[Invoice], number: str, seller: Seller, now: datetime
) -> Invoice:
    corrects = tuple(each.number for each in before if each.kind == "invoice") if taken.kind == "credit_note" else ()
    return Invoice(
        id=invoice_id(taken.transfer_id),
        number=number,
        kind=taken.kind,
        user_id=supply.user_id,
        lot=taken.lot,
        subject=supply.subject,
        payment=taken.payment,
        source=taken.transfer_id,
        issued_at=now,
        supplied_at=taken.at,
        seller=seller,
        lines=(InvoiceLine(supply.words[:WORDS_LIMIT], taken.amount),),
        currency=taken.currency,
        vat_basis_points=supply.vat_basis_points,
        vat=vat_of_next(before, taken.kind, taken.amount, supply.vat_basis_points),
        corrects=corrects,
    )
