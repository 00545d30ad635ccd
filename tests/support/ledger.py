"""Builders of accounts and transfers, with defaults for whatever a test does not speak of."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from autospot.domain.ids import new_id
from autospot.domain.ledger import Account, AccountKind, Cause, CauseKind, Transfer
from autospot.domain.ledger.account import POINTS

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
DORA = Account(AccountKind.WALLET, "usr_dora")
DAVE = Account(AccountKind.WALLET, "usr_dave")
HARBOUR = Account(AccountKind.REVENUE, "harbour")
BANK = Account(AccountKind.CLEARING, "simulated")
CAUSE = Cause(CauseKind.PAYMENT, "pay_1")


def posted(
    debit: Account = BANK,
    credit: Account = DORA,
    amount: int = 500,
    *,
    transfer_id: str | None = None,
    currency: str = "EUR",
    cause: Cause = CAUSE,
    at: datetime = NOON,
) -> Transfer:
    """A transfer that counts at once; a top-up of Dora's wallet by card unless told otherwise."""
    return Transfer.posted(transfer_id or new_id("trf"), debit, credit, amount, currency, cause, at)


def pending(
    debit: Account = DORA,
    credit: Account = HARBOUR,
    amount: int = 300,
    *,
    transfer_id: str | None = None,
    at: datetime = NOON,
    hold_seconds: int = 300,
) -> Transfer:
    """A hold of five minutes on Dora's wallet, for the harbour."""
    expires_at = at + timedelta(seconds=hold_seconds)
    return Transfer.pending(transfer_id or new_id("trf"), debit, credit, amount, "EUR", CAUSE, at, expires_at)


def post(hold: Transfer, amount: int, *, at: datetime = NOON) -> Transfer:
    """A settlement of `hold` by `amount`."""
    return hold.posting(new_id("trf"), amount, CAUSE, at)


def void(hold: Transfer, *, cause: CauseKind = CauseKind.RELEASE) -> Transfer:
    """A settlement that releases `hold`."""
    return hold.voiding(new_id("trf"), Cause(cause, "pay_1"), NOON)


__all__ = ["BANK", "CAUSE", "DAVE", "DORA", "HARBOUR", "NOON", "POINTS", "pending", "post", "posted", "void"]
