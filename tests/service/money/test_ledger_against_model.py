"""Any sequence of transfers: the database does what the pure ledger does, refusals and balances alike."""

from __future__ import annotations

import asyncio
from uuid import uuid4

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autospot.domain.errors import AutoSpotError
from autospot.domain.ledger import Account, Transfer
from autospot.storage import money
from autospot.storage.audits import LedgerAudits
from autospot.storage.ledger import Ledger
from autospot.storage.mongo import Database, Session
from tests.support.book import Book
from tests.support.ledger import BANK, DAVE, DORA, HARBOUR, pending, post, posted, void

ACCOUNTS = [DORA, DAVE, HARBOUR, BANK]

Step = tuple[str, int, int, int]


def transfer_of(step: Step, holds: list[Transfer]) -> Transfer | None:
    """What a step means now: settlements take one of the holds made so far."""
    what, first, second, amount = step
    debit, credit = ACCOUNTS[first], ACCOUNTS[second]
    if what in ("posted", "pending"):
        return None if debit == credit else (posted if what == "posted" else pending)(debit, credit, amount)
    if not holds:
        return None
    hold = holds[amount % len(holds)]
    return post(hold, 1 + amount % hold.amount) if what == "post" else void(hold)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["posted", "posted", "pending", "post", "void"]),
        st.integers(0, 3),
        st.integers(0, 3),
        st.integers(1, 300),
    ),
    min_size=5,
    max_size=25,
)


async def enter(database: Database, ledger: Ledger, transfer: Transfer) -> str:
    async def work(session: Session) -> None:
        await ledger.append(session, transfer)

    try:
        await database.transaction(work)
    except AutoSpotError as error:
        return error.code
    return "entered"


def expected(book: Book, transfer: Transfer) -> str:
    try:
        book.enter(transfer)
    except AutoSpotError as error:
        return error.code
    return "entered"


async def follow(mongo_url: str, name: str, steps: list[Step]) -> None:
    database = Database(mongo_url, name)
    try:
        await database.prepare(money.DECLARED)
        ledger, book, holds = Ledger(database), Book("EUR"), list[Transfer]()
        for step in steps:
            transfer = transfer_of(step, holds)
            if transfer is None:
                continue
            outcome = expected(book, transfer)
            assert await enter(database, ledger, transfer) == outcome
            if outcome == "entered" and transfer.kind == "pending":
                holds.append(transfer)
        added = await database.transaction(LedgerAudits(database).added_up)
        for account in ACCOUNTS:
            assert added.get((str(account), "EUR"), book.balance(Account.parse("wallet:nobody"))) == book.balance(
                account
            )
            if account.is_guarded:
                assert await ledger.balance(account, "EUR") == book.balance(account)
    finally:
        await database.client.drop_database(name)
        database.close()


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_the_database_follows_the_model(mongo_url: str, steps: list[Step]) -> None:
    asyncio.run(follow(mongo_url, f"model_{uuid4().hex}", steps))
