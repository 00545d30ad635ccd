"""A driver's wallet: what is in it and what happened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from autospot.domain.instant import rfc3339
from autospot.domain.ledger import Balance, Transfer
from autospot.domain.ledger.account import wallet
from autospot.domain.money import Money
from autospot.domain.payment.auto_top_up import AutoTopUp
from autospot.services.cashier.auto_top_ups import WalletFilling
from autospot.storage.ledger import Ledger
from autospot.storage.mongo import Session
from autospot.storage.payments import Payments

EXPORTED = 10_000
"""Most rows of each kind in an export of one's own data."""


class Wallets:
    """Shows wallets, in the one currency of this installation."""

    def __init__(self, ledger: Ledger, payments: Payments, filling: WalletFilling, currency: str) -> None:
        self._ledger = ledger
        self._payments = payments
        self.filling = filling
        self.currency = currency

    async def balance(self, user_id: str) -> Balance:
        """What is in it, and what of that is held."""
        return await self._ledger.balance(wallet(user_id), self.currency)

    async def newest(
        self, user_id: str, most: int, *, before: tuple[datetime, str] | None = None
    ) -> Sequence[Transfer]:
        """What happened, newest first; `before`: time and id of the last one seen."""
        return await self._ledger.history(wallet(user_id), self.currency, most, before=before)

    async def wish(self, user_id: str) -> AutoTopUp | None:
        """How its owner wants it filled by itself; None: not at all."""
        return await self.filling.wish(user_id)

    async def objection(self, user_id: str) -> str | None:
        """Why the account cannot be closed yet: for `OwnData.objection`."""
        balance = await self.balance(user_id)
        if balance.posted:
            return f"there is money in your wallet: {Money(balance.posted, self.currency)}"
        if any(payment.is_open for payment in await self._payments.newest(user_id, EXPORTED)):
            return "a payment of yours is not finished yet"
        return None

    async def erase(self, session: Session, user_id: str, _now: datetime) -> None:
        """For `OwnData.erasure`: the card's token goes; transfers and payments stay, as the law asks."""
        await self.filling.forget(session, user_id)

    async def exported_payments(self, user_id: str) -> Sequence[Mapping[str, Any]]:
        """For `OwnData.export_section`: payments."""
        return [
            {
                "id": payment.id,
                "for": None if payment.subject is None else str(payment.subject),
                "amount": dict(payment.amount.as_json()),
                "state": payment.state.value,
                "captured": payment.captured,
                "returned": payment.returned,
                "created_at": rfc3339(payment.created_at),
            }
            for payment in await self._payments.newest(user_id, EXPORTED)
        ]

    async def exported_transactions(self, user_id: str) -> Sequence[Mapping[str, Any]]:
        """For `OwnData.export_section`: what happened to the wallet."""
        account = wallet(user_id)
        return [
            {
                "id": transfer.id,
                "at": rfc3339(transfer.at),
                "kind": transfer.kind,
                "cause": transfer.cause.kind.value,
                "amount": transfer.amount if transfer.credit == account else -transfer.amount,
                "currency": transfer.currency,
            }
            for transfer in await self.newest(user_id, EXPORTED)
        ]
