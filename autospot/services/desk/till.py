"""The till: what a booking costs, and the transfers of what is paid for it."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from autospot.domain.booking.booking import Booking, Price
from autospot.domain.errors import NotFound, Unavailable
from autospot.domain.ledger import Cause, CauseKind, Transfer
from autospot.domain.ledger.account import COMPENSATION, revenue, vat, wallet
from autospot.domain.lot import BayKind
from autospot.domain.money import half_up
from autospot.domain.period import Period
from autospot.domain.tariff import Quote, TariffBook, quote
from autospot.storage.ledger import Ledger
from autospot.storage.mongo import Session

BASIS_POINTS = 10_000

TariffsOf = Callable[[str], Awaitable[TariffBook | None]]
"""The tariffs of a lot; None for a lot that is free of charge."""

CoverageOf = Callable[[str, str, BayKind, Period], Awaitable[Sequence[Period]]]
"""For which parts of a period a driver's subscription pays, by driver, lot and kind of bay."""


async def no_coverage(_owner: str, _lot: str, _kind: BayKind, _period: Period) -> Sequence[Period]:
    """Nobody has a subscription."""
    return ()


class Prices:
    """Quotes stays under the tariff that is valid when they begin. What a subscription pays for costs nothing."""

    def __init__(self, tariffs: TariffsOf, coverage: CoverageOf = no_coverage) -> None:
        self._tariffs = tariffs
        self._coverage = coverage

    async def quote(self, owner: str, lot: str, kind: BayKind, period: Period) -> Quote | None:
        """The quote of a stay; None in a lot without a tariff, and before its first one is valid."""
        book = await self._tariffs(lot)
        if book is None:
            return None
        try:
            tariff = book.valid_at(period.start)
        except NotFound:
            return None
        return quote(tariff, period, kind=kind, coverage=await self.coverage(owner, lot, kind, period))

    async def quote_under(self, version_id: str, owner: str, lot: str, kind: BayKind, period: Period) -> Quote:
        """The quote of a stay under the version that was agreed, whatever holds now. `Unavailable` if that version is
        not to be found: money is not guessed."""
        book = await self._tariffs(lot)
        for tariff in book.versions() if book is not None else ():
            if tariff.version_id == version_id:
                return quote(tariff, period, kind=kind, coverage=await self.coverage(owner, lot, kind, period))
        raise Unavailable(f"the tariff {version_id} of lot {lot} is not to be found")

    async def coverage(self, owner: str, lot: str, kind: BayKind, period: Period) -> Sequence[Period]:
        """The parts of `period` that a subscription of `owner` pays for."""
        return await self._coverage(owner, lot, kind, period)


def price_of(quoted: Quote | None) -> Price | None:
    """What a booking remembers of its quote; None for a stay that costs nothing."""
    if quoted is None:
        return None
    return Price(quoted.total, quoted.tariff_version, quoted.hash, quoted.vat_basis_points)


@dataclass(frozen=True, slots=True)
class Bill:
    """Whose money moves for what: `subject` is a booking or session, `version` the one of it that moves money."""

    subject: str
    version: int
    owner: str
    lot: str
    currency: str
    vat_basis_points: int

    def transfer_id(self, part: str) -> str:
        """The id of a transfer of this version: the same at every try."""
        text = f"{self.subject}:{self.version}:{part}"
        return f"trf_{hashlib.sha256(text.encode()).hexdigest()[:32]}"


def bill_of(booking: Booking) -> Bill | None:
    """The bill of a booking; None for one that is free of charge."""
    price = booking.price
    if price is None:
        return None
    currency, vat_rate = price.total.currency, price.vat_basis_points
    return Bill(booking.id, booking.version, booking.owner, booking.lot, currency, vat_rate)


class Till:
    """Moves money between drivers' wallets and lots.

    Guarantees: a version of a booking or session moves money once, whatever is tried again (its transfers' ids derive
    from id and version); the VAT of what is kept is exact over any sequence of payments and refunds.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def settle(self, session: Session, bill: Bill | None, before: int, after: int, now: datetime) -> None:
        """Moves the difference between what was paid before and what shall be paid now. `InsufficientFunds` if the
        wallet has not as much; then the transaction is over."""
        if bill is not None and before != after:
            await self._ledger.append(session, *_transfers(bill, before, after, now))

    async def credit(self, session: Session, bill: Bill | None, amount: int, now: datetime) -> None:
        """Gives the driver `amount` for trouble."""
        if bill is None or amount <= 0:
            return
        cause = Cause(CauseKind.COMPENSATION, bill.subject)
        entry = Transfer.posted(
            bill.transfer_id("credit"), COMPENSATION, wallet(bill.owner), amount, bill.currency, cause, now
        )
        await self._ledger.append(session, entry)


def _transfers(bill: Bill, before: int, after: int, now: datetime) -> list[Transfer]:
    purse, earned, tax = wallet(bill.owner), revenue(bill.lot), vat(bill.lot)
    gross, rate = after - before, bill.vat_basis_points
    due_tax = vat_within(after, rate) - vat_within(before, rate)
    cause = Cause(CauseKind.PAYMENT if gross > 0 else CauseKind.REFUND, bill.subject)
    sides = (purse, earned) if gross > 0 else (earned, purse)
    made = [Transfer.posted(bill.transfer_id("pay"), *sides, abs(gross), bill.currency, cause, now)]
    if due_tax:
        sides = (earned, tax) if due_tax > 0 else (tax, earned)
        cause = Cause(CauseKind.VAT, bill.subject)
        made.append(Transfer.posted(bill.transfer_id("vat"), *sides, abs(due_tax), bill.currency, cause, now))
    return made


def vat_within(gross: int, basis_points: int) -> int:
    """The VAT inside `gross`, rounded half up."""
    return half_up(gross * basis_points, BASIS_POINTS + basis_points)
