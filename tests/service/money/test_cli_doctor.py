"""`autospot doctor` as an operator uses it, against a real database."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable

import pymongo
import pytest
from click.testing import Result
from typer.testing import CliRunner

from autospot.cli_doctor import app
from autospot.storage import money, people
from autospot.storage.idempotency import Unkept
from autospot.storage.mongo import Database
from tests.support.money import a_till

Doctor = Callable[..., Result]


@pytest.fixture
def doctor(mongo_url: str, mongo_db_name: str) -> Doctor:
    """Runs `autospot doctor …` on books with one payment."""

    async def keep_books() -> None:
        database = Database(mongo_url, mongo_db_name)
        await database.prepare((*money.DECLARED, *people.DECLARED))
        till = a_till(database)
        await till.fill(amount=5000)
        await till.cashier.payments.pay_from_wallet("usr_dora", await till.washes.order(), Unkept())
        database.close()

    asyncio.run(keep_books())

    def run(*arguments: str) -> Result:
        environment = {"AUTOSPOT_MONGO_URL": mongo_url, "AUTOSPOT_MONGO_DB": mongo_db_name}
        return CliRunner().invoke(app, list(arguments), env=environment)

    return run


def take(mongo_url: str, name: str, cents: int) -> None:
    """Tampers with Dora's wallet."""
    with pymongo.MongoClient[dict[str, object]](mongo_url) as client:
        client[name]["wallets"].update_one({"account": "wallet:usr_dora"}, {"$inc": {"debits": cents}})


def test_books_that_agree(doctor: Doctor) -> None:
    outcome = doctor()
    assert outcome.exit_code == 0, outcome.output
    assert outcome.stdout.splitlines()[-1] == "the books agree"
    report = json.loads(doctor("--json").stdout)
    assert (report["sums"], report["mismatches"], report["stopped"]) == ({"EUR": 0, "PTS": 0}, [], None)


def test_a_mismatch_stops_money_until_it_is_put_right_and_resumed(
    doctor: Doctor, mongo_url: str, mongo_db_name: str
) -> None:
    take(mongo_url, mongo_db_name, 5)
    outcome = doctor()
    assert outcome.exit_code == 1
    assert "wallet_agrees: wallet:usr_dora has 3995 EUR, its transfers say 4000" in outcome.stdout
    assert "money is stopped since" in outcome.stdout
    assert doctor("--resume").exit_code == 1

    take(mongo_url, mongo_db_name, -5)
    assert doctor().exit_code == 1, "money is still stopped"
    assert doctor("--resume").exit_code == 0
    assert doctor().exit_code == 0
