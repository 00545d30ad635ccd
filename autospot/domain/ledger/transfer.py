"""One transfer: an amount that leaves one account and reaches another. Unbalanced money cannot be built."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal, get_args

from autospot.domain.errors import Conflict, InvalidInput
from autospot.domain.ledger.account import Account
from autospot.domain.ledger.pending import HoldExpired, Settlement
from autospot.domain.money import AMOUNT_LIMIT

TransferKind = Literal["posted", "pending", "post", "void"]
"""`posted` counts at once. `pending` keeps an amount ready; `post` counts part or all of a pending one and releases the
rest, `void` releases all of it."""

_KINDS = frozenset(get_args(TransferKind))
_SETTLES = frozenset({"post", "void"})


class TransferExists(Conflict):
    """A transfer with this id was made before: what is asked for has happened."""

    code = "already_done"


class CauseKind(StrEnum):
    """Why a transfer was made."""

    TOP_UP = "top_up"
    PAYMENT = "payment"
    VAT = "vat"
    PROVIDER_FEE = "provider_fee"
    RELEASE = "release"
    EXPIRY = "expiry"
    REFUND = "refund"
    COMPENSATION = "compensation"
    POINTS_EARNED = "points_earned"
    POINTS_REDEEMED = "points_redeemed"
    POINTS_TAKEN_BACK = "points_taken_back"


@dataclass(frozen=True, slots=True)
class Cause:
    """Why, and of what: the id of the payment, booking or request behind it."""

    kind: CauseKind
    subject: str


@dataclass(frozen=True, slots=True)
class Transfer:
    """An immutable entry of a ledger: `amount` is taken from `debit` and given to `credit`.

    Whatever would break the ledger is an `InvalidInput` here already: an amount that is not 1 to `AMOUNT_LIMIT` whole
    units, one account on both sides, a currency that does not belong on an account, a settlement of nothing. `settles`
    is the id of the pending transfer that a `post` or `void` ends. A correction is a new transfer.
    """

    id: str
    debit: Account
    credit: Account
    amount: int
    currency: str
    kind: TransferKind
    cause: Cause
    at: datetime
    settles: str | None = None
    expires_at: datetime | None = None

    def __post_init__(self) -> None:
        if type(self.amount) is not int or not 0 < self.amount <= AMOUNT_LIMIT:  # a bool is an int to isinstance
            raise InvalidInput(f"a transfer moves 1 to {AMOUNT_LIMIT} whole units", at="/amount")
        if self.debit == self.credit:
            raise InvalidInput("a transfer has two different accounts")
        if not (self.debit.keeps(self.currency) and self.credit.keeps(self.currency)):
            raise InvalidInput(f"{self.debit} and {self.credit} do not both keep {self.currency}", at="/currency")
        if self.kind not in _KINDS or (self.kind in _SETTLES) != (self.settles is not None):
            raise InvalidInput("a post or void settles one pending transfer, and nothing else does")
        if (self.kind == "pending") != (self.expires_at is not None):
            raise InvalidInput("a pending transfer expires, and nothing else does")
        if self.at.tzinfo is None or (self.expires_at is not None and self.expires_at <= self.at):
            raise InvalidInput("a transfer is made at an aware instant, and expires after it")

    @classmethod
    def posted(
        cls, transfer_id: str, debit: Account, credit: Account, amount: int, currency: str, cause: Cause, at: datetime
    ) -> Transfer:
        """A transfer that counts at once and for good."""
        return cls(transfer_id, debit, credit, amount, currency, "posted", cause, at)

    @classmethod
    def pending(
        cls,
        transfer_id: str,
        debit: Account,
        credit: Account,
        amount: int,
        currency: str,
        cause: Cause,
        at: datetime,
        expires_at: datetime,
    ) -> Transfer:
        """A hold: nobody else can have the amount until it is posted, voided or expired."""
        return cls(transfer_id, debit, credit, amount, currency, "pending", cause, at, expires_at=expires_at)

    @property
    def settlement(self) -> Settlement:
        """How this transfer ends the hold that it settles: by its kind, and a void by its cause."""
        if self.kind == "post":
            return "post"
        if self.kind == "void":
            return "expire" if self.cause.kind is CauseKind.EXPIRY else "void"
        raise InvalidInput("this transfer settles nothing")

    def posting(self, transfer_id: str, amount: int, cause: Cause, at: datetime) -> Transfer:
        """The settlement that takes `amount` of this hold and releases the rest.

        `InvalidInput` for more than was held, `HoldExpired` from `expires_at` on.
        """
        self._require_pending()
        if amount > self.amount:
            raise InvalidInput(f"{amount} is more than the {self.amount} that were held", at="/amount")
        if self.expires_at is not None and at >= self.expires_at:
            raise HoldExpired("the amount was held for a time that is over")
        return Transfer(transfer_id, self.debit, self.credit, amount, self.currency, "post", cause, at, settles=self.id)

    def voiding(self, transfer_id: str, cause: Cause, at: datetime) -> Transfer:
        """The settlement that releases all of this hold."""
        self._require_pending()
        return Transfer(
            transfer_id, self.debit, self.credit, self.amount, self.currency, "void", cause, at, settles=self.id
        )

    def _require_pending(self) -> None:
        if self.kind != "pending":
            raise InvalidInput("only a pending transfer can be settled")
