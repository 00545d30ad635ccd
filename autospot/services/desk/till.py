"""The till: what a booking costs, and the payments and refunds of it."""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from autospot.domain.booking.booking import Booking, Price
from autospot.domain.errors import NotFound, Unavailable
from autospot.domain.lot import BayKind
from autospot.domain.money import Money
from autospot.domain.payment.payment import AmountDue, Payment, Subject
from autospot.domain.period import Period
from autospot.domain.subscription import Drawn
from autospot.domain.tariff import Quote, Tariff, TariffBook, quote
from autospot.services.cashier.payments import Payments
from autospot.services.cashier.refunds import Refunds
from autospot.storage.mongo import Session

BOOKING: Final = "booking"
SESSION: Final = "session"
"""The kinds of things that are paid here, as payments name them."""

QUOTES_KEPT: Final = 1_024
"""Quotes that are remembered, the ones reckoned last: 75 us each with the hash, and whoever books has asked before."""

TariffsOf = Callable[[str], Awaitable[TariffBook | None]]
"""The tariffs of a lot; None for a lot that is free of charge."""

CoverageOf = Callable[[str, str, BayKind, Period], Awaitable[Sequence[Period]]]
"""For which parts of a period a driver's subscription pays, by driver, lot and kind of bay."""


async def no_coverage(_owner: str, _lot: str, _kind: BayKind, _period: Period) -> Sequence[Period]:
    """Nobody has a subscription."""
    return ()


class Packages(Protocol):
    """Who keeps drivers' minutes packages. What writes is part of the transaction that settles a stay."""

    async def package_seconds(
        self,
        owner: str,
        lot: str,
        kind: BayKind,
        period: Period,
        *,
        own: Sequence[Drawn] = (),
        session: Session | None = None,
    ) -> int:
        """How many seconds are left for a stay; `own` counts as not taken."""

    async def use_package(
        self, session: Session, owner: str, lot: str, kind: BayKind, period: Period, seconds: int
    ) -> Sequence[Drawn]:
        """Takes what a stay uses (`Quote.package_seconds`); `PackageUsedUp` if less is left: quote it again."""

    async def give_back_package(self, session: Session, drawn: Sequence[Drawn]) -> None:
        """Gives back what a stay does not use after all."""


class Prices:
    """Quotes stays under the tariff that is valid when they begin. What a pass pays for costs nothing, nor do the
    minutes that a package has left."""

    def __init__(self, tariffs: TariffsOf, coverage: CoverageOf, packages: Packages) -> None:
        self._tariffs = tariffs
        self._coverage = coverage
        self._quotes: OrderedDict[tuple[str, BayKind, Period], Quote] = OrderedDict()
        self.packages = packages

    async def quote(
        self, owner: str, lot: str, kind: BayKind, period: Period, *, own: Sequence[Drawn] = ()
    ) -> Quote | None:
        """The quote of a stay, to which the minutes `own` belong already; None in a lot without a tariff, and before
        its first one is valid."""
        # All at once: the two that ask for subscriptions then are one look at them, and nobody waits three times.
        book, left, coverage = await asyncio.gather(
            self._tariffs(lot),
            self.packages.package_seconds(owner, lot, kind, period, own=own),
            self.coverage(owner, lot, kind, period),
        )
        if book is None:
            return None
        try:
            tariff = book.valid_at(period.start)
        except NotFound:
            return None
        if coverage or left:
            return quote(tariff, period, kind=kind, coverage=coverage, package_seconds=left)
        return self._plain_quote(tariff, kind, period)

    def _plain_quote(self, tariff: Tariff, kind: BayKind, period: Period) -> Quote:
        """What somebody without subscriptions pays: reckoned once for who asks and then books."""
        key = (tariff.version_id, kind, period)
        quoted = self._quotes.get(key)
        if quoted is None:
            quoted = self._quotes[key] = quote(tariff, period, kind=kind)
            if len(self._quotes) > QUOTES_KEPT:
                self._quotes.popitem(last=False)
        return quoted

    async def quote_under(
        self,
        version_id: str,
        owner: str,
        lot: str,
        kind: BayKind,
        period: Period,
        *,
        own: Sequence[Drawn] = (),
        drawn_seconds: int = 0,
        session: Session | None = None,
    ) -> Quote:
        """The quote of a stay under the version that was agreed, whatever holds now. `drawn_seconds` of packages are
        its own for good; `own` would be given back first. `Unavailable` if that version is not to be found: money is
        not guessed."""
        book = await self._tariffs(lot)
        for tariff in book.versions() if book is not None else ():
            if tariff.version_id == version_id:
                left = await self.packages.package_seconds(owner, lot, kind, period, own=own, session=session)
                coverage = await self.coverage(owner, lot, kind, period)
                return quote(tariff, period, kind=kind, coverage=coverage, package_seconds=left + drawn_seconds)
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
    """Who pays for what: `subject` is a booking or session, `version` the one of it that moves money, `words` what it
    is for a driver."""

    subject: Subject
    version: int
    owner: str
    lot: str
    currency: str
    vat_basis_points: int
    words: str

    def id(self, prefix: str, part: str) -> str:
        """The id of something that this version makes: the same at every try."""
        text = f"{self.subject.id}:{self.version}:{part}"
        return f"{prefix}_{hashlib.sha256(text.encode()).hexdigest()[:32]}"

    def due(self, amount: int) -> AmountDue:
        """What is to be paid of it now."""
        money = Money(amount, self.currency)
        return AmountDue(self.subject, self.lot, money, self.vat_basis_points, self.words)


def bill_of(booking: Booking) -> Bill | None:
    """The bill of a booking; None for one that is free of charge."""
    price = booking.price
    if price is None:
        return None
    return Bill(
        subject_of(booking),
        booking.version,
        booking.owner,
        booking.lot,
        price.total.currency,
        price.vat_basis_points,
        words_of(booking.lot, booking.bay),
    )


def subject_of(booking: Booking) -> Subject:
    """The booking, as payments name it."""
    return Subject(BOOKING, booking.id)


def words_of(lot: str, bay: str) -> str:
    """What a payment for a bay is for."""
    return f"Parking {lot}, bay {bay}"


class Till:
    """Takes from wallets what bookings and sessions cost, and gives back: as payments of the cashier.

    Guarantees: a version of a booking or session moves money once, whatever is tried again (the ids of its payments and
    refunds derive from id and version); what is given back is refunded of the payments of that very thing, so nobody
    else can give it back again. Whoever keeps the thing is not told: he is the one who asks.
    """

    def __init__(self, payments: Payments, refunds: Refunds) -> None:
        self._payments = payments
        self._refunds = refunds

    async def settle(self, session: Session, bill: Bill | None, before: int, after: int, now: datetime) -> None:
        """Moves the difference between what was paid before and what shall be paid now. `InsufficientFunds` if the
        wallet has not as much; then the transaction is over."""
        if bill is None or before == after:
            return
        if after > before:
            due = bill.due(after - before)
            await self._payments.charge_within(session, bill.id("pay", "pay"), bill.owner, due, now)
        else:
            await self._give_back(session, bill, before - after, now)

    async def _give_back(self, session: Session, bill: Bill, amount: int, now: datetime) -> None:
        """Refunds `amount` of what was paid, the last payment first: to the wallet or card that it came from."""
        left = amount
        for payment in reversed(await self._payments.of_subject(bill.subject, session=session)):
            share = min(left, payment.kept)
            if share > 0:
                refund_id = bill.id("rfd", payment.id)
                await self._refunds.refund_within(session, payment, refund_id, share, bill.words, now)
                left -= share
        if left:
            raise RuntimeError(f"{bill.subject} is to give back {left} more than was paid for it")

    async def late(self, session: Session, payment: Payment, now: datetime) -> None:
        """Money came for what cannot be had any more: all of it goes to the driver's wallet."""
        reason, refund_id = "paid too late", payment.part_id("rfd", "late")
        await self._refunds.refund_within(session, payment, refund_id, payment.kept, reason, now, to_wallet=True)

    async def kept(self, session: Session, subject: Subject) -> int:
        """What was paid for a thing and not given back."""
        return sum(each.kept for each in await self._payments.of_subject(subject, session=session))

    async def hand_over(self, session: Session, before: Booking, after: Booking) -> None:
        """What was paid for a booking counts for the one that takes its place."""
        await self._payments.hand_over_within(session, subject_of(before), subject_of(after))

    async def credit(self, session: Session, bill: Bill | None, amount: int, now: datetime) -> None:
        """Gives the driver `amount` for trouble."""
        if bill is None or amount <= 0:
            return
        money = Money(amount, bill.currency)
        await self._refunds.compensate_within(
            session, bill.id("trf", "credit"), bill.owner, money, bill.subject.id, now
        )
