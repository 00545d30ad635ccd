"""Unbalanced money cannot be built, and a hold ends once."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace
from datetime import timedelta
from itertools import product
from typing import Any

import pytest

from autospot.domain.errors import InvalidInput, NotFound
from autospot.domain.ledger import (
    POINTS,
    Account,
    AccountKind,
    AlreadySettled,
    Balance,
    CauseKind,
    HoldExpired,
    InsufficientFunds,
    PendingState,
    TransferExists,
    settled,
)
from autospot.domain.ledger.account import POINTS_ISSUE, points
from autospot.domain.money import AMOUNT_LIMIT
from tests.support.book import Book
from tests.support.ledger import BANK, DAVE, DORA, HARBOUR, NOON, pending, post, posted, void


def a_book(*transfers: Any) -> Book:
    book = Book("EUR")
    for transfer in transfers:
        book.enter(transfer)
    return book


@pytest.mark.parametrize("amount", [0, -1, AMOUNT_LIMIT + 1, True, 1.0, "5"])
def test_an_amount_is_a_whole_positive_number_up_to_the_limit(amount: Any) -> None:
    with pytest.raises(InvalidInput):
        posted(amount=amount)


def test_the_greatest_amount_is_allowed() -> None:
    assert posted(amount=AMOUNT_LIMIT).amount == AMOUNT_LIMIT


def test_a_transfer_has_two_accounts() -> None:
    with pytest.raises(InvalidInput):
        posted(DORA, DORA)


def test_a_transfer_never_changes() -> None:
    with pytest.raises(FrozenInstanceError):
        posted().amount = 1  # type: ignore[misc]


@pytest.mark.parametrize("currency", [POINTS, "XYZ", "eur", ""])
def test_money_accounts_keep_money(currency: str) -> None:
    with pytest.raises(InvalidInput):
        posted(currency=currency)


def test_points_accounts_keep_points() -> None:
    dora = points("usr_dora")
    assert posted(POINTS_ISSUE, dora, 5, currency=POINTS).currency == POINTS
    with pytest.raises(InvalidInput):
        posted(POINTS_ISSUE, dora, 5, currency="EUR")
    with pytest.raises(InvalidInput):
        posted(BANK, dora, 5, currency=POINTS)


@pytest.mark.parametrize("kind", ["posted", "pending"])
def test_only_a_post_or_void_settles(kind: str) -> None:
    with pytest.raises(InvalidInput):
        replace(posted(), kind=kind, settles="trf_1")  # type: ignore[arg-type]
    with pytest.raises(InvalidInput):
        replace(posted(), kind="void")


def test_a_hold_expires_after_it_began() -> None:
    with pytest.raises(InvalidInput):
        pending(hold_seconds=0)


def test_accounts_are_read_as_they_are_written() -> None:
    accounts = [Account(kind, "" if kind in ("compensation", "points_issue") else "a-1") for kind in AccountKind]
    assert [Account.parse(str(account)) for account in accounts] == accounts


@pytest.mark.parametrize(
    "text", ["", "wallet", "wallet:", "till:usr_1", "compensation:usr_1", "wallet:a b", "wallet:a:b"]
)
def test_a_text_that_names_no_account_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        Account.parse(text)


def test_a_hold_reserves_and_its_post_takes_part_and_releases_the_rest() -> None:
    hold = pending(amount=300)
    book = a_book(posted(amount=500), hold)
    assert (book.balance(DORA).posted, book.balance(DORA).available) == (500, 200)

    book.enter(post(hold, 120))

    assert book.balance(DORA) == Balance(credits=500, debits=120)
    assert book.balance(HARBOUR) == Balance(credits=120)


@pytest.mark.parametrize(("cause", "state"), [(CauseKind.RELEASE, "voided"), (CauseKind.EXPIRY, "expired")])
def test_a_void_or_an_expiry_releases_all(cause: CauseKind, state: str) -> None:
    hold = pending(amount=300)
    book = a_book(posted(amount=500), hold, void(hold, cause=cause))

    assert book.balance(DORA) == Balance(credits=500)
    assert book.balance(HARBOUR) == Balance()
    assert book.states[hold.id] == state


def test_a_post_takes_at_most_what_is_held() -> None:
    hold = pending(amount=300)
    with pytest.raises(InvalidInput):
        post(hold, 301)


def test_a_hold_can_be_posted_until_it_expires() -> None:
    hold = pending(hold_seconds=60)
    last = NOON + timedelta(seconds=59)
    assert post(hold, 1, at=last).at == last
    with pytest.raises(HoldExpired):
        post(hold, 1, at=NOON + timedelta(seconds=60))


def test_only_a_pending_transfer_is_settled() -> None:
    with pytest.raises(InvalidInput):
        post(posted(), 1)


def test_a_hold_is_settled_once_whatever_comes_second() -> None:
    for first, second in product((post, void), repeat=2):
        hold = pending(amount=300)
        ended = first(hold, 100) if first is post else void(hold)
        book = a_book(posted(amount=500), hold, ended)
        before = dict(book.balances)
        with pytest.raises(AlreadySettled):
            book.enter(second(hold, 100) if second is post else void(hold))
        assert book.balances == before


@pytest.mark.parametrize("state", [PendingState.POSTED, PendingState.VOIDED, PendingState.EXPIRED])
@pytest.mark.parametrize("by", ["post", "void", "expire"])
def test_the_ends_of_a_hold_are_final(state: PendingState, by: Any) -> None:
    with pytest.raises(AlreadySettled):
        settled(state, by)


def test_a_wallet_cannot_be_spent_twice_while_part_of_it_is_held() -> None:
    book = a_book(posted(amount=500), pending(amount=300))
    with pytest.raises(InsufficientFunds):
        book.enter(posted(DORA, HARBOUR, 201))
    with pytest.raises(InsufficientFunds):
        book.enter(pending(amount=201))
    book.enter(posted(DORA, DAVE, 200))
    assert book.balance(DORA).available == 0


def test_busy_accounts_may_be_below_zero() -> None:
    assert a_book(posted(amount=500)).balance(BANK).posted == -500


def test_a_transfer_is_entered_once() -> None:
    first = posted()
    book = a_book(first)
    with pytest.raises(TransferExists):
        book.enter(first)
    assert book.balance(DORA).posted == 500


def test_the_settlement_of_an_unknown_hold_is_refused() -> None:
    with pytest.raises(InvalidInput):
        a_book().enter(post(replace(pending(), currency="CHF"), 1))
    with pytest.raises(NotFound):
        a_book().enter(post(pending(), 1))


def test_one_currency_per_ledger() -> None:
    with pytest.raises(InvalidInput):
        a_book().enter(posted(currency="CHF"))
