"""Requests made up from the OpenAPI document against the whole product: no 500, and no answer outside its schema."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from autospot.app import Serving, serving
from autospot.clock import SystemClock
from autospot.domain.access import Role
from autospot.settings import Settings
from autospot.storage.lots import Lots
from autospot.storage.mongo import Database
from tests.support.lots import a_lot
from tests.support.people import PASSWORD, SECRET, a_town

SEED = 20261122
EXAMPLES = 5
"""Made-up requests per operation, beside those that cover every parameter and its limits."""

EMAIL = "everybody@example.org"


@pytest.fixture
async def database(mongo_url: str, mongo_db_name: str) -> AsyncIterator[Database]:
    database = Database(mongo_url, mongo_db_name)
    yield database
    database.close()


@pytest.fixture
async def program(database: Database, mongo_url: str, mongo_db_name: str, broker_url: str) -> AsyncIterator[Serving]:
    """The whole product with one lot and no limits on how often one may ask."""
    await Lots(database).save(a_lot("harbour", 3), SystemClock().now())
    settings = Settings(
        mongo_url=mongo_url,
        mongo_db=mongo_db_name,
        mqtt_url=broker_url,
        http_port=0,
        secret_key=SECRET,  # type: ignore[arg-type]
        rate_factor=0,
    )
    async with serving(settings, with_hub=True, with_api=True, with_mailbox=True) as running:
        yield running


async def token_of_somebody_who_may_everything(program: Serving, database: Database) -> str:
    await a_town(database).member(EMAIL, *Role, lots=("harbour",))
    credentials = {"email": EMAIL, "password": PASSWORD}
    async with (
        aiohttp.ClientSession() as client,
        client.post(f"{program.url}/v1/auth/login", json=credentials) as answer,
    ):
        tokens = await answer.json()
    return str(tokens["access_token"])


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_whatever_is_asked_is_answered_as_documented(
    program: Serving, database: Database, tmp_path: Path
) -> None:
    token = await token_of_somebody_who_may_everything(program, database)
    schemathesis = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "schemathesis.cli", "run", f"{program.url}/openapi.json"),
        *("--header", f"Authorization: Bearer {token}"),
        *("--phases", "coverage,fuzzing", "--max-examples", str(EXAMPLES), "--seed", str(SEED)),
        # What a schema allows may still be refused by what it means: a wrong code, a used address.
        *("--checks", "all", "--exclude-checks", "positive_data_acceptance"),
        *("--exclude-name", "DELETE /v1/me"),  # would end the account that asks
        *("--no-color", "--no-shrink"),
        cwd=tmp_path,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await asyncio.wait_for(schemathesis.communicate(), 280)

    assert schemathesis.returncode == 0, f"seed {SEED}\n{said.decode()[-20000:]}"
