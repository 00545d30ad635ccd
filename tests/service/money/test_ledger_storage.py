"""The ledger in the database: guarded wallets, one settlement per hold, everything or nothing."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta

import pytest

from autospot.domain.errors import NotFound
from autospot.domain.ledger import (
    AlreadySettled,
    Balance,
    InsufficientFunds,
    PendingState,
    Transfer,
    TransferExists,
)
from autospot.storage.ledger import Ledger
from autospot.storage.money_stop import MoneyStop, MoneyStopped
from autospot.storage.mongo import Database, Session
from tests.support.ledger import BANK, DAVE, DORA, HARBOUR, NOON, pending, post, posted, void


@pytest.fixture
def ledger(database: Database) -> Ledger:
    return Ledger(database)


async def enter(database: Database, *transfers: Transfer) -> None:
    async def work(session: Session) -> None:
        await Ledger(database).append(session, *transfers)

    await database.transaction(work)


async def outcomes(database: Database, *transfers: Transfer) -> Counter[str]:
    """How many of the transfers, entered at once, ended how."""
    results = await asyncio.gather(*(enter(database, each) for each in transfers), return_exceptions=True)
    return Counter(type(each).__name__ if isinstance(each, Exception) else "entered" for each in results)


async def test_a_transfer_is_read_as_it_was_written(database: Database, ledger: Ledger) -> None:
    hold = pending()
    transfers = [posted(), hold, post(hold, 120)]
    await enter(database, *transfers)

    history = await ledger.history(DORA, "EUR", 10)
    assert sorted(history, key=lambda each: each.id) == sorted(transfers, key=lambda each: each.id)


async def test_both_sides_count(database: Database, ledger: Ledger) -> None:
    hold = pending(amount=300)
    await enter(database, posted(amount=500), hold, post(hold, 120))

    assert await ledger.balance(DORA, "EUR") == Balance(credits=500, debits=120)
    assert await ledger.summed(HARBOUR, "EUR") == 120
    assert await ledger.summed(BANK, "EUR") == -500
    assert await ledger.summed(DORA, "EUR") == 380


async def test_an_empty_wallet_pays_nothing(database: Database, ledger: Ledger) -> None:
    with pytest.raises(InsufficientFunds):
        await enter(database, posted(DORA, HARBOUR, 1))
    assert await ledger.balance(DORA, "EUR") == Balance()


async def test_what_is_held_cannot_be_spent(database: Database) -> None:
    await enter(database, posted(amount=500), pending(amount=300))
    with pytest.raises(InsufficientFunds):
        await enter(database, posted(DORA, HARBOUR, 201))
    await enter(database, posted(DORA, HARBOUR, 200))


async def test_twenty_payments_at_once_take_no_more_than_there_is(database: Database, ledger: Ledger) -> None:
    await enter(database, posted(amount=700))
    ended = await outcomes(database, *(posted(DORA, HARBOUR, 100) for _ in range(20)))

    assert ended == {"entered": 7, "InsufficientFunds": 13}
    assert (await ledger.balance(DORA, "EUR")).available == 0
    assert await ledger.summed(HARBOUR, "EUR") == 700


async def test_twenty_first_top_ups_at_once_make_one_wallet(database: Database, ledger: Ledger) -> None:
    assert await outcomes(database, *(posted(amount=10) for _ in range(20))) == {"entered": 20}
    assert (await ledger.balance(DORA, "EUR")).posted == 200


async def test_ten_settlements_at_once_settle_once(database: Database, ledger: Ledger) -> None:
    hold = pending(amount=300)
    await enter(database, posted(amount=500), hold)
    ended = await outcomes(database, *(post(hold, 100) if number % 2 else void(hold) for number in range(10)))

    assert ended == {"entered": 1, "AlreadySettled": 9}
    assert await ledger.state(hold.id) is not PendingState.OPEN
    assert (await ledger.balance(DORA, "EUR")).pending_debits == 0


async def test_a_hold_between_busy_accounts_is_settled_once_too(database: Database, ledger: Ledger) -> None:
    hold = pending(BANK, HARBOUR, 300)
    await enter(database, hold)
    ended = await outcomes(database, *(post(hold, 100) for _ in range(5)))

    assert ended == {"entered": 1, "AlreadySettled": 4}
    assert await ledger.summed(HARBOUR, "EUR") == 100


async def test_a_transfer_is_entered_once(database: Database, ledger: Ledger) -> None:
    transfer = posted(amount=10)
    assert await outcomes(database, *[transfer] * 10) == {"entered": 1, "TransferExists": 9}
    with pytest.raises(TransferExists):
        await enter(database, transfer)
    assert (await ledger.balance(DORA, "EUR")).posted == 10


async def test_a_failure_later_in_the_transaction_takes_everything_back(database: Database, ledger: Ledger) -> None:
    await enter(database, posted(amount=100))
    with pytest.raises(InsufficientFunds):
        await enter(database, posted(DORA, DAVE, 60), posted(DORA, HARBOUR, 60))
    assert (await ledger.balance(DORA, "EUR")).posted == 100
    assert await ledger.balance(DAVE, "EUR") == Balance()
    assert len(await ledger.history(DORA, "EUR", 10)) == 1


async def test_a_settlement_needs_its_hold(database: Database) -> None:
    with pytest.raises(NotFound):
        await enter(database, void(pending()))


async def test_a_second_settlement_in_a_row_is_refused(database: Database) -> None:
    hold = pending()
    await enter(database, posted(), hold, void(hold))
    with pytest.raises(AlreadySettled):
        await enter(database, post(hold, 1))


async def test_history_pages_follow_each_other_without_gap_or_overlap(database: Database, ledger: Ledger) -> None:
    made = [posted(amount=number + 1, at=NOON + timedelta(seconds=number // 3)) for number in range(10)]
    await enter(database, *made, posted(DORA, HARBOUR, 5), posted(BANK, DAVE, 5))

    seen: list[Transfer] = []
    before = None
    while page := await ledger.history(DORA, "EUR", 4, before=before):
        seen += page
        before = (page[-1].at, page[-1].id)
    assert len(seen) == len({each.id for each in seen}) == 11
    assert [each.at for each in seen] == sorted((each.at for each in seen), reverse=True)


async def test_while_money_is_stopped_nothing_is_written(database: Database, ledger: Ledger) -> None:
    stop = MoneyStop(database)
    await stop.stop("the books do not agree", NOON)
    await stop.stop("a second reason", NOON)
    with pytest.raises(MoneyStopped):
        await enter(database, posted())
    current = await stop.current()
    assert current is not None
    assert current.reason == "the books do not agree"

    assert await stop.resume()
    await enter(database, posted())
