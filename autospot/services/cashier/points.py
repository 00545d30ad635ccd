"""Points: how many there are, and spending them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from autospot.clock import Clock
from autospot.domain.ledger import Balance, Transfer
from autospot.domain.ledger.account import POINTS, points
from autospot.domain.money import Money
from autospot.domain.payment.entries import points_spent
from autospot.domain.payment.payment import Subject
from autospot.domain.payment.points import PointsTerms
from autospot.services.cashier.payables import Payables
from autospot.storage.idempotency import Once
from autospot.storage.ledger import Ledger
from autospot.storage.mongo import Database, Session


@dataclass(frozen=True, slots=True)
class Redeemed:
    """Points that became a discount. `left` are the points that remain."""

    transfer_id: str
    points: int
    discount: Money
    left: int


class Points:
    """A driver's points."""

    def __init__(
        self,
        database: Database,
        ledger: Ledger,
        payables: Payables,
        terms: PointsTerms,
        clock: Clock,
        currency: str,
    ) -> None:
        self._database = database
        self._ledger = ledger
        self._payables = payables
        self.terms = terms
        self._clock = clock
        self.currency = currency

    async def balance(self, user_id: str) -> Balance:
        """How many there are."""
        return await self._ledger.balance(points(user_id), POINTS)

    async def newest(
        self, user_id: str, most: int, *, before: tuple[datetime, str] | None = None
    ) -> Sequence[Transfer]:
        """Points earned, spent and taken back, newest first."""
        return await self._ledger.history(points(user_id), POINTS, most, before=before)

    async def redeem(self, user_id: str, count: int, subject: Subject, once: Once[Redeemed]) -> Redeemed:
        """Takes the points' worth off what `subject` costs. `InvalidInput` for too few at once, `InsufficientFunds` for
        more than there are; `NotFound` or `Conflict` from whoever keeps the thing."""
        now, discount = self._clock.now(), self.terms.discount(count, self.currency)

        async def work(session: Session) -> Redeemed:
            transfer = points_spent(once.id("trf"), user_id, count, subject.id, now)
            await self._ledger.append(session, transfer)
            await self._payables.keeper(subject).take_discount(session, user_id, subject.id, discount, now)
            left = await self._ledger.balance(points(user_id), POINTS, session=session)
            redeemed = Redeemed(transfer.id, count, discount, left.available)
            await once.keep(session, redeemed)
            return redeemed

        return await self._database.transaction(work)
