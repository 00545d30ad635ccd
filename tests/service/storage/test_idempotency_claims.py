"""Claims on idempotency keys, and the ids that derive from them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from autospot.storage import idempotency
from autospot.storage.idempotency import LEASE, Claim, IdempotencyKeys, KeptReply, KeyScope, LeaseLost, Unkept
from autospot.storage.mongo import Database
from tests.support.api import NOON

KEY = "0123456789abcdef"


@pytest.fixture
async def database(mongo_url: str, mongo_db_name: str) -> AsyncIterator[Database]:
    database = Database(mongo_url, mongo_db_name)
    await database.prepare(idempotency.INDEXES)
    yield database
    database.close()


def test_ids_of_one_scope_are_the_same_at_every_try_and_differ_between_scopes() -> None:
    scopes = [KeyScope("usr_1", "POST /a", KEY), KeyScope("usr_1", "POST /b", KEY), KeyScope("usr_2", "POST /a", KEY)]

    assert len({scope.id for scope in scopes}) == 3
    assert scopes[0].derived_id("trf") == KeyScope("usr_1", "POST /a", KEY).derived_id("trf")
    assert len({scopes[0].derived_id(prefix, part) for prefix in ("trf", "bkg") for part in ("", "fee")}) == 4
    assert KeyScope("a", "bc", KEY).id != KeyScope("ab", "c", KEY).id


async def test_without_a_key_every_try_is_the_first() -> None:
    unkept = Unkept()

    assert unkept.id("trf") != unkept.id("trf")


async def test_a_claim_that_is_no_longer_held_finishes_and_releases_nothing(database: Database) -> None:
    keys, scope = IdempotencyKeys(database), KeyScope("usr_1", "POST /a", KEY)
    held = await keys.claim(scope, "f", NOON, timedelta(hours=24))
    assert isinstance(held, Claim)
    taken_over = await keys.claim(scope, "f", NOON + LEASE, timedelta(hours=24))
    assert isinstance(taken_over, Claim)

    with pytest.raises(LeaseLost):
        await keys.finish(held, KeptReply(201, b"{}"))
    await keys.release(held)
    await keys.finish(taken_over, KeptReply(201, b"{}"))

    assert await keys.claim(scope, "f", NOON, timedelta(hours=24)) == KeptReply(201, b"{}")
