"""What a transfer does to each of its two accounts: the one definition that the database and the audit share."""

from __future__ import annotations

from dataclasses import dataclass

from autospot.domain.errors import Conflict, InvalidInput
from autospot.domain.ledger.account import Account
from autospot.domain.ledger.transfer import Transfer


class InsufficientFunds(Conflict):
    """The wallet, or the points, do not hold that much that is free."""

    code = "insufficient_funds"


@dataclass(frozen=True, slots=True)
class Balance:
    """What was ever credited and debited, and what is held on either side. All in the ledger's units."""

    credits: int = 0
    debits: int = 0
    pending_credits: int = 0
    pending_debits: int = 0

    @property
    def posted(self) -> int:
        """What stands on the account."""
        return self.credits - self.debits

    @property
    def available(self) -> int:
        """What may be spent: what stands there without what is held."""
        return self.posted - self.pending_debits

    def after(self, movement: Movement) -> Balance:
        """The balance that `movement` leaves. The guard is not checked here."""
        return Balance(
            self.credits + movement.credits,
            self.debits + movement.debits,
            self.pending_credits + movement.pending_credits,
            self.pending_debits + movement.pending_debits,
        )


@dataclass(frozen=True, slots=True)
class Movement:
    """What is added to an account's balance. `needs` must be available before, on a guarded account."""

    account: Account
    credits: int = 0
    debits: int = 0
    pending_credits: int = 0
    pending_debits: int = 0
    needs: int = 0


def movements(transfer: Transfer, settled: Transfer | None = None) -> tuple[Movement, Movement]:
    """The movements on the debited and on the credited account. `settled` is the pending one that a post or void ends.

    A movement never needs anything when it ends a hold: what it takes was held.
    """
    held = _held(transfer, settled)
    debit, credit, amount = transfer.debit, transfer.credit, transfer.amount
    match transfer.kind:
        case "posted":
            return Movement(debit, debits=amount, needs=amount), Movement(credit, credits=amount)
        case "pending":
            return Movement(debit, pending_debits=amount, needs=amount), Movement(credit, pending_credits=amount)
        case "post":
            return (
                Movement(debit, debits=amount, pending_debits=-held),
                Movement(credit, credits=amount, pending_credits=-held),
            )
        case "void":
            return Movement(debit, pending_debits=-held), Movement(credit, pending_credits=-held)


def _held(transfer: Transfer, settled: Transfer | None) -> int:
    if transfer.settles is None:
        return 0
    if settled is None or settled.id != transfer.settles or settled.kind != "pending":
        raise InvalidInput("this is not the pending transfer that is settled")
    same = (settled.debit, settled.credit, settled.currency) == (transfer.debit, transfer.credit, transfer.currency)
    if not same or transfer.amount > settled.amount:
        raise InvalidInput("a settlement has the accounts and the currency of its hold, and at most its amount")
    return settled.amount
