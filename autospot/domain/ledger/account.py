"""The accounts there are. An account that is credited is owed money, one that is debited owes it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from autospot.domain.errors import InvalidInput
from autospot.domain.ids import is_code
from autospot.domain.money import CURRENCIES

POINTS = "PTS"
"""The points' currency. No ISO 4217 code, so that it can never be taken for money."""


class AccountKind(StrEnum):
    """What an account is for."""

    WALLET = "wallet"
    """A driver's money in AutoSpot's hands. Never below zero."""
    CLEARING = "clearing"
    """What a payment provider collected and has not paid out. Debited when drivers pay by card."""
    REVENUE = "revenue"
    """What a lot earned, VAT taken off."""
    VAT = "vat"
    """What a lot owes the tax office."""
    FEES = "fees"
    """What a payment provider kept for itself."""
    COMPENSATION = "compensation"
    """What the operator gave away: credits for trouble, discounts."""
    POINTS = "points"
    """A driver's points. Never below zero."""
    POINTS_ISSUE = "points_issue"
    """Where points come from and go to: debited by all points that are out."""


class _Rule(NamedTuple):
    """`guarded`: never below zero, and a balance is kept. `in_points`: its currency is `POINTS`, else money. `owned`:
    there is one per user, lot or provider."""

    guarded: bool = False
    in_points: bool = False
    owned: bool = True


_RULES: dict[AccountKind, _Rule] = {
    AccountKind.WALLET: _Rule(guarded=True),
    AccountKind.CLEARING: _Rule(),
    AccountKind.REVENUE: _Rule(),
    AccountKind.VAT: _Rule(),
    AccountKind.FEES: _Rule(),
    AccountKind.COMPENSATION: _Rule(owned=False),
    AccountKind.POINTS: _Rule(guarded=True, in_points=True),
    AccountKind.POINTS_ISSUE: _Rule(in_points=True, owned=False),
}


@dataclass(frozen=True, slots=True, order=True)
class Account:
    """`kind` and whose it is: a user's id, a lot's or a provider's code; nobody's where there is only one."""

    kind: AccountKind
    of: str = ""

    def __post_init__(self) -> None:
        if _RULES[self.kind].owned != bool(self.of) or (self.of and not is_code(self.of)):
            raise InvalidInput(f"an account of the kind {self.kind} cannot be that of {self.of[:64]!r}")

    def __str__(self) -> str:
        """`wallet:usr_1`, `compensation`: how it stands in the database."""
        return f"{self.kind}:{self.of}" if self.of else self.kind.value

    @classmethod
    def parse(cls, text: str) -> Account:
        """The account that `str` wrote; `InvalidInput` for anything else."""
        kind, _, of = text.partition(":")
        if kind not in _KINDS:
            raise InvalidInput("there is no such kind of account")
        return cls(AccountKind(kind), of)

    @property
    def is_guarded(self) -> bool:
        """True if it may never be below zero."""
        return _RULES[self.kind].guarded

    def keeps(self, currency: str) -> bool:
        """True if amounts of `currency` may stand on it."""
        return currency == POINTS if _RULES[self.kind].in_points else currency in CURRENCIES


_KINDS = frozenset(AccountKind)


def wallet(user_id: str) -> Account:
    """A driver's wallet."""
    return Account(AccountKind.WALLET, user_id)


def clearing(provider: str) -> Account:
    """What a provider holds for the operator."""
    return Account(AccountKind.CLEARING, provider)


def fees(provider: str) -> Account:
    """What a provider kept."""
    return Account(AccountKind.FEES, provider)


def revenue(lot: str) -> Account:
    """What a lot earned."""
    return Account(AccountKind.REVENUE, lot)


def vat(lot: str) -> Account:
    """The VAT in what a lot took."""
    return Account(AccountKind.VAT, lot)


def points(user_id: str) -> Account:
    """A driver's points."""
    return Account(AccountKind.POINTS, user_id)


COMPENSATION = Account(AccountKind.COMPENSATION)
POINTS_ISSUE = Account(AccountKind.POINTS_ISSUE)
