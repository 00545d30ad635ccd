"""Puts drivers with money, and a tariff, into AutoSpot's database: through its own storage, before it starts.

    python -m bench.booking_drivers '{"url": "mongodb://…", "database": "bench_1", "secret": "…", "drivers": 2000}'

Prints a JSON list with an access token for each driver, as signing in would have given.
"""

from __future__ import annotations

import asyncio
import json
import sys
from datetime import datetime
from typing import Any, Final

from api.auth import AccessTokens
from autospot.clock import SystemClock
from autospot.domain.access import Role
from autospot.domain.accounts.account import Account
from autospot.domain.accounts.sign_in import Family
from autospot.domain.ids import new_id
from autospot.domain.ledger import Cause, CauseKind, Transfer
from autospot.domain.ledger.account import COMPENSATION, wallet
from autospot.domain.tariff import parse_tariff
from autospot.services.keys import SecretKeys
from autospot.storage import schema
from autospot.storage.accounts import Accounts
from autospot.storage.ledger import Ledger
from autospot.storage.mongo import Database, Session
from autospot.storage.tariffs import Tariffs
from bench.booking_plan import LOTS, WALLET_MINOR
from bench.schedule import lot_code

AT_ONCE: Final = 50
"""Drivers per transaction."""

TARIFF: Final = {
    "format": "autospot-tariff/1",
    "id": "bench",
    "version": 1,
    "name": "Two euros for each started hour",
    "valid_from": "2024-01-01",
    "time_zone": "Europe/Berlin",
    "currency": "EUR",
    "vat": {"basis_points": 1900, "included": True},
    "price": {"type": "ladder", "steps": [{"minutes": 60, "price": 200, "repeat": True}]},
}


async def prepare(database: Database, drivers: int, now: datetime) -> list[Account]:
    """The accounts, each with `WALLET_MINOR` in its wallet; every lot gets `TARIFF`."""
    await database.prepare(schema.DECLARED)
    tariffs, tariff = Tariffs(database), parse_tariff(TARIFF)
    for lot in range(LOTS):
        await database.transaction(lambda session, lot=lot: tariffs.add(lot_code(lot), tariff, now, session=session))  # type: ignore[misc]
    accounts = [_account(number, now) for number in range(drivers)]
    for first in range(0, drivers, AT_ONCE):
        await _store(database, accounts[first : first + AT_ONCE], now)
    return accounts


async def _store(database: Database, accounts: list[Account], now: datetime) -> None:
    async def work(session: Session) -> None:
        for account in accounts:
            await Accounts(database).add(account, "no password", session=session)
        await Ledger(database).append(session, *(_top_up(account, now) for account in accounts))

    await database.transaction(work)


def _account(number: int, now: datetime) -> Account:
    email = f"driver{number}@example.org"
    return Account(
        new_id("usr"), email, "Driver", "en", frozenset({Role.DRIVER}), frozenset(), "active", created_at=now, version=1
    )


def _top_up(account: Account, now: datetime) -> Transfer:
    cause = Cause(CauseKind.COMPENSATION, f"bench of {account.id}")
    return Transfer.posted(new_id("trf"), COMPENSATION, wallet(account.id), WALLET_MINOR, "EUR", cause, now)


async def main(arguments: dict[str, Any]) -> None:
    """Prepare, then print the tokens."""
    clock = SystemClock()
    database = Database(arguments["url"], arguments["database"])
    try:
        accounts = await prepare(database, arguments["drivers"], clock.now())
    finally:
        database.close()
    tokens, now = AccessTokens(SecretKeys([arguments["secret"]]), clock), clock.now()
    families = [Family(new_id("fam"), account.id, "bench", now, now) for account in accounts]
    print(json.dumps([tokens.issue(account, family) for account, family in zip(accounts, families, strict=True)]))


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1])))
