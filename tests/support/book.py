"""A whole ledger in memory, made of the product's own pure parts: the model that the database is held against."""

from __future__ import annotations

from dataclasses import dataclass, field

from autospot.domain.errors import InvalidInput, NotFound
from autospot.domain.ledger import (
    Account,
    Balance,
    InsufficientFunds,
    PendingState,
    Transfer,
    TransferExists,
    movements,
    settled,
)


@dataclass
class Book:
    """A ledger in one currency.

    Guarantees: the balances of all accounts add up to zero after every transfer; a guarded account is never below zero,
    holds counted; a hold ends once; a transfer that is refused changes nothing.
    """

    currency: str
    balances: dict[Account, Balance] = field(default_factory=dict)
    holds: dict[str, Transfer] = field(default_factory=dict)
    states: dict[str, PendingState] = field(default_factory=dict)
    _ids: set[str] = field(default_factory=set)

    def balance(self, account: Account) -> Balance:
        """What stands on an account; nothing where nothing ever happened."""
        return self.balances.get(account, Balance())

    def enter(self, transfer: Transfer) -> None:
        """Enters a transfer, or raises and stays as it was.

        `TransferExists`, `AlreadySettled`, `InsufficientFunds`; `NotFound` for the settlement of an unknown hold.
        """
        if transfer.currency != self.currency:
            raise InvalidInput("a ledger has one currency", at="/currency", code="currency_mismatch")
        if transfer.id in self._ids:
            raise TransferExists("this transfer was made before")
        state = self._state_after(transfer)
        moved = movements(transfer, self.holds.get(transfer.settles or ""))
        for movement in moved:
            if movement.account.is_guarded and self.balance(movement.account).available < movement.needs:
                raise InsufficientFunds("there is not enough in it that is free")
        self._ids.add(transfer.id)
        for movement in moved:
            self.balances[movement.account] = self.balance(movement.account).after(movement)
        if transfer.kind == "pending":
            self.holds[transfer.id] = transfer
        if state is not None:
            self.states[transfer.settles or transfer.id] = state

    def _state_after(self, transfer: Transfer) -> PendingState | None:
        if transfer.kind == "pending":
            return PendingState.OPEN
        if transfer.settles is None:
            return None
        if transfer.settles not in self.states:
            raise NotFound("there is no such hold")
        return settled(self.states[transfer.settles], transfer.settlement)
