"""Filling wallets that run low, for those who asked for it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from autospot.clock import Clock
from autospot.domain.due import Backoff, Due
from autospot.domain.ids import new_id
from autospot.domain.ledger.account import wallet
from autospot.domain.money import Money
from autospot.domain.payment.auto_top_up import AutoTopUp
from autospot.domain.payment.intent import PaymentState
from autospot.domain.payment.payment import Payment
from autospot.services.clockwork import Clockwork, DueKind, Schedule
from autospot.storage.auto_top_ups import AutoTopUps
from autospot.storage.ledger import Ledger
from autospot.storage.mongo import Session

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class LowWallet:
    """A wallet that fell below what its owner wants in it."""

    user_id: str


AUTO_TOP_UP = DueKind("auto_top_up", LowWallet, backoff=Backoff(attempts=10, first_seconds=5.0))

BeginTopUp = Callable[[str, str, Money, str], Awaitable[Payment]]
"""Begins a top-up by card: payment id, user, amount, method."""


class WalletFilling:
    """Notices low wallets, and has them filled.

    Guarantees: one top-up per wallet at a time; after a card failed, none until the owner says so again.
    """

    def __init__(
        self, wishes: AutoTopUps, ledger: Ledger, schedule: Schedule, clockwork: Clockwork, clock: Clock, currency: str
    ) -> None:
        self._wishes = wishes
        self._ledger = ledger
        self._schedule = schedule
        self._clock = clock
        self._currency = currency
        self._begin: BeginTopUp | None = None
        clockwork.at_least_once(AUTO_TOP_UP, self._fill)

    def begins_by(self, begin: BeginTopUp) -> None:
        """Says how a top-up begins."""
        self._begin = begin

    async def wish(self, user_id: str) -> AutoTopUp | None:
        """What the owner asked for."""
        return await self._wishes.find(user_id)

    async def opt_in(self, user_id: str, below: int, amount: int, method: str) -> AutoTopUp:
        """Asks for it from now on, in place of what was asked before; looks at the wallet at once."""
        before = await self._wishes.find(user_id)
        wish = AutoTopUp(below, amount, method, running=before.running if before else None)
        await self._wishes.put(user_id, wish)
        await self._schedule.ensure(AUTO_TOP_UP, user_id, self._clock.now(), LowWallet(user_id))
        return wish

    async def opt_out(self, user_id: str) -> None:
        """No top-up begins from now on; one that runs ends as it ends."""
        await self._wishes.remove(user_id)

    async def forget(self, session: Session, user_id: str) -> None:
        """The same, as part of the end of an account."""
        await self._wishes.remove(user_id, session=session)

    async def wishes_of(self, session: Session, users: Iterable[str]) -> Mapping[str, AutoTopUp]:
        """What those among `users` asked for who did."""
        found = {user_id: await self._wishes.find(user_id, session=session) for user_id in users}
        return {user_id: wish for user_id, wish in found.items() if wish is not None}

    async def debited(self, session: Session, user_id: str, wish: AutoTopUp, now: datetime) -> None:
        """Something was taken from the wallet of somebody with a `wish`, or is held of it."""
        balance = await self._ledger.balance(wallet(user_id), self._currency, session=session)
        if wish.is_wanted(balance.available):
            await self._schedule.ensure(AUTO_TOP_UP, user_id, now, LowWallet(user_id), session=session)

    async def ended(self, session: Session, payment: Payment) -> None:
        """A top-up has come to its end, this way or that."""
        wish = await self._wishes.find(payment.user_id, session=session)
        if wish is None or wish.running != payment.id:
            return
        failed = payment.state in (PaymentState.FAILED, PaymentState.CANCELLED)
        paused = (payment.failure or "cancelled") if failed else None
        await self._wishes.put(payment.user_id, replace(wish, running=None, paused=paused), session=session)

    async def _fill(self, low: LowWallet, _due: Due) -> None:
        if self._begin is None:
            raise RuntimeError("nobody said how a top-up begins")
        wish = await self._wishes.find(low.user_id)
        if wish is None:
            return
        payment_id = wish.running
        if payment_id is None:
            balance = await self._ledger.balance(wallet(low.user_id), self._currency)
            if not wish.is_wanted(balance.available):
                return
            payment_id = new_id("pay")  # noted before it is used, so a second try goes on with the same
            if not await self._wishes.begin(low.user_id, payment_id):
                return  # its owner changed the wish this very moment
        await self._begin(payment_id, low.user_id, Money(wish.amount, self._currency), wish.method)
        log.info("wallet filled by itself", payment=payment_id)
