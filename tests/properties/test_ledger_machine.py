"""Any order of top-ups, payments, holds, settlements and their refusals: no cent is made, lost or spent twice."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, multiple, rule

from autospot.domain.errors import Conflict, InvalidInput
from autospot.domain.ledger import Account, AlreadySettled, CauseKind, HoldExpired, InsufficientFunds, Transfer
from tests.support.book import Book
from tests.support.ledger import BANK, DAVE, DORA, HARBOUR, NOON, pending, post, posted, void

WALLETS = st.sampled_from([DORA, DAVE])
AMOUNTS = st.integers(1, 400)


class Purse:
    """What a person with pencil and paper would note of a wallet: what is in it, and what is held of it."""

    def __init__(self) -> None:
        self.inside = 0
        self.held: dict[str, int] = {}

    @property
    def free(self) -> int:
        return self.inside - sum(self.held.values())


class LedgerMachine(RuleBasedStateMachine):
    holds: Bundle[Transfer] = Bundle("holds")
    ended: Bundle[Transfer] = Bundle("ended")

    def __init__(self) -> None:
        super().__init__()
        self.book = Book("EUR")
        self.purses: dict[Account, Purse] = {DORA: Purse(), DAVE: Purse()}
        self.earned = 0
        self.collected = 0
        self.entered = 0

    def enter(self, transfer: Transfer) -> None:
        self.book.enter(transfer)
        self.entered += 1

    def refused(self, transfer: Transfer, error: type[Exception]) -> None:
        before = (dict(self.book.balances), dict(self.book.states))
        try:
            self.book.enter(transfer)
        except error:
            assert (dict(self.book.balances), dict(self.book.states)) == before
        else:
            raise AssertionError(f"{transfer} was entered")

    @rule(wallet=WALLETS, amount=AMOUNTS)
    def top_up(self, wallet: Account, amount: int) -> None:
        self.enter(posted(BANK, wallet, amount))
        self.purses[wallet].inside += amount
        self.collected += amount

    @rule(wallet=WALLETS, amount=AMOUNTS)
    def pay(self, wallet: Account, amount: int) -> None:
        transfer, purse = posted(wallet, HARBOUR, amount), self.purses[wallet]
        if amount > purse.free:
            self.refused(transfer, InsufficientFunds)
            return
        self.enter(transfer)
        purse.inside -= amount
        self.earned += amount

    @rule(target=holds, wallet=WALLETS, amount=AMOUNTS)
    def hold(self, wallet: Account, amount: int) -> object:
        transfer, purse = pending(wallet, HARBOUR, amount), self.purses[wallet]
        if amount > purse.free:
            self.refused(transfer, InsufficientFunds)
            return multiple()
        self.enter(transfer)
        purse.held[transfer.id] = amount
        return transfer

    @rule(target=ended, held=consumes(holds), share=st.floats(0, 1))
    def capture(self, held: Transfer, share: float) -> Transfer:
        amount = max(1, round(held.amount * share))
        self.enter(post(held, amount))
        purse = self.purses[held.debit]
        del purse.held[held.id]
        purse.inside -= amount
        self.earned += amount
        return held

    @rule(target=ended, held=consumes(holds), cause=st.sampled_from([CauseKind.RELEASE, CauseKind.EXPIRY]))
    def release(self, held: Transfer, cause: CauseKind) -> Transfer:
        self.enter(void(held, cause=cause))
        del self.purses[held.debit].held[held.id]
        return held

    @rule(held=ended, is_post=st.booleans())
    def settle_again(self, held: Transfer, is_post: bool) -> None:
        self.refused(post(held, 1) if is_post else void(held), AlreadySettled)

    @rule(held=holds, more=AMOUNTS, late=st.booleans())
    def capture_too_much_or_too_late(self, held: Transfer, more: int, late: bool) -> None:
        try:
            post(held, held.amount + (0 if late else more), at=NOON + timedelta(days=1 if late else 0))
        except (InvalidInput, HoldExpired):
            return
        raise AssertionError("a settlement was built that cannot be")

    @rule(held=holds)
    def enter_again(self, held: Transfer) -> None:
        self.refused(held, Conflict)

    @invariant()
    def the_sum_is_zero(self) -> None:
        assert sum(balance.posted for balance in self.book.balances.values()) == 0
        assert sum(each.pending_credits - each.pending_debits for each in self.book.balances.values()) == 0

    @invariant()
    def wallets_are_what_was_noted(self) -> None:
        for account, purse in self.purses.items():
            balance = self.book.balance(account)
            assert (balance.posted, balance.available) == (purse.inside, purse.free)
            assert balance.available >= 0
        assert self.book.balance(HARBOUR).posted == self.earned
        assert self.book.balance(BANK).posted == -self.collected


TestLedger = LedgerMachine.TestCase
TestLedger.settings = settings(max_examples=250, stateful_step_count=30, deadline=None)
