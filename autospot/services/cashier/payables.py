"""What can be paid: bookings, sessions, whatever registers here. The cashier knows none of them by name."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from autospot.domain.errors import NotFound
from autospot.domain.money import Money
from autospot.domain.payment.payment import AmountDue, Payment, Subject
from autospot.storage.mongo import Session


class Payable(Protocol):
    """Who keeps the things of one kind. All calls are part of the cashier's transaction: pass `session` on, let driver
    errors out, and expect to be called again when the transaction is tried again."""

    async def amount_due(self, session: Session, user_id: str, subject_id: str, now: datetime) -> AmountDue:
        """What the thing costs its owner now. Must write to the thing in `session`, so that two payments of it at the
        same time meet as a conflict and the second sees what the first has paid.

        `NotFound` for things of others; `Conflict` (code `nothing_due`) when nothing is to be paid, or not any more.
        """

    async def payment_changed(self, session: Session, payment: Payment, now: datetime) -> None:
        """A payment of the thing took a step: money is there (`authorised`, `succeeded`), will not come (`failed`,
        `cancelled`), or went back (`refunded`, or `kept` less than `captured`)."""

    async def take_discount(
        self, session: Session, user_id: str, subject_id: str, discount: Money, now: datetime
    ) -> None:
        """The thing costs `discount` less. `NotFound`, or `Conflict` if it cannot: paid already, or worth less."""


class Payables:
    """The keepers, by kind. Registered where the program is wired."""

    def __init__(self) -> None:
        self._keepers: dict[str, Payable] = {}

    def register(self, kind: str, keeper: Payable) -> None:
        """Things of `kind` are kept by `keeper`."""
        if kind in self._keepers:
            raise ValueError(f"{kind} has a keeper already")
        self._keepers[kind] = keeper

    def keeper(self, subject: Subject) -> Payable:
        """Who keeps `subject`; `NotFound` for a kind that nobody keeps."""
        keeper = self._keepers.get(subject.kind)
        if keeper is None:
            raise NotFound("there is no such thing to pay")
        return keeper
