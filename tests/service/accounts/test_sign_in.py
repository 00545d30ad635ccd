"""Signing in and staying signed in: rotation, reuse, limits."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from argon2 import PasswordHasher

from autospot.domain.accounts.sign_in import FAMILIES_PER_ACCOUNT, REFRESH_LIFETIME, REPEAT_GRACE
from autospot.domain.audit import SYSTEM
from autospot.domain.errors import Forbidden, LimitReached, Unauthenticated
from autospot.services.accounts.sign_in import PLACE_WINDOW, TRIES_FROM_ANYWHERE, TRIES_FROM_ONE_PLACE
from tests.support.people import PASSWORD, Town

EMAIL = "dora@example.org"
A_WHILE = REPEAT_GRACE + timedelta(seconds=1)


async def refused_code(awaitable: object) -> str:
    with pytest.raises(Unauthenticated) as refused:
        await awaitable  # type: ignore[misc]
    return refused.value.code


async def test_a_wrong_password_and_an_unknown_address_are_told_the_same(town: Town) -> None:
    await town.driver(EMAIL)
    with pytest.raises(Unauthenticated) as wrong:
        await town.sign_in(EMAIL, "not the password")
    with pytest.raises(Unauthenticated) as unknown:
        await town.sign_in("nobody@example.org")

    assert (wrong.value.code, wrong.value.message) == (unknown.value.code, unknown.value.message)


async def test_a_refresh_token_gives_its_successor(town: Town) -> None:
    first = await town.driver(EMAIL)
    second = await town.people.sign_in.refresh(first.refresh_token)
    third = await town.people.sign_in.refresh(second.refresh_token)

    assert len({first.refresh_token, second.refresh_token, third.refresh_token}) == 3
    assert third.family.id == first.family.id


async def test_a_repeat_within_the_grace_gets_the_same_successor(town: Town) -> None:
    signed_in = await town.driver(EMAIL)
    answers = await asyncio.gather(*(town.people.sign_in.refresh(signed_in.refresh_token) for _ in range(5)))
    town.clock.move(REPEAT_GRACE)
    late = await town.people.sign_in.refresh(signed_in.refresh_token)

    assert len({answer.refresh_token for answer in [*answers, late]}) == 1


async def test_a_token_used_again_later_ends_the_whole_family(town: Town) -> None:
    stolen = await town.driver(EMAIL)
    owner = await town.people.sign_in.refresh(stolen.refresh_token)
    town.clock.move(A_WHILE)

    assert await refused_code(town.people.sign_in.refresh(stolen.refresh_token)) == "refresh_reused"
    assert await refused_code(town.people.sign_in.refresh(owner.refresh_token)) == "sign_in_over"


async def test_any_token_of_the_past_ends_the_family_not_only_the_last(town: Town) -> None:
    oldest = await town.driver(EMAIL)
    newest = oldest
    for _ in range(4):
        town.clock.move(A_WHILE)
        newest = await town.people.sign_in.refresh(newest.refresh_token)

    assert await refused_code(town.people.sign_in.refresh(oldest.refresh_token)) == "refresh_reused"
    assert await refused_code(town.people.sign_in.refresh(newest.refresh_token)) == "sign_in_over"


async def test_reuse_leaves_other_sign_ins_alone(town: Town) -> None:
    stolen = await town.driver(EMAIL)
    other = await town.sign_in(EMAIL)
    await town.people.sign_in.refresh(stolen.refresh_token)
    town.clock.move(A_WHILE)
    await refused_code(town.people.sign_in.refresh(stolen.refresh_token))

    await town.people.sign_in.refresh(other.refresh_token)


async def test_thief_and_owner_cannot_both_go_on(town: Town) -> None:
    """A thief who copied a token and uses it within the grace gets what the owner gets, not a branch of his own."""
    token = (await town.driver(EMAIL)).refresh_token
    owner = await town.people.sign_in.refresh(token)
    thief = await town.people.sign_in.refresh(token)
    town.clock.move(A_WHILE)
    owner_again = await town.people.sign_in.refresh(owner.refresh_token)
    town.clock.move(A_WHILE)

    assert await refused_code(town.people.sign_in.refresh(thief.refresh_token)) == "refresh_reused"
    assert await refused_code(town.people.sign_in.refresh(owner_again.refresh_token)) == "sign_in_over"


async def test_signing_out_ends_one_sign_in_or_all(town: Town) -> None:
    first, second, third = await town.driver(EMAIL), await town.sign_in(EMAIL), await town.sign_in(EMAIL)

    await town.people.sign_in.sign_out(first.refresh_token, everywhere=False)
    assert await refused_code(town.people.sign_in.refresh(first.refresh_token)) == "sign_in_over"
    second = await town.people.sign_in.refresh(second.refresh_token)

    await town.people.sign_in.sign_out(third.refresh_token, everywhere=True)
    assert await refused_code(town.people.sign_in.refresh(second.refresh_token)) == "sign_in_over"


async def test_signing_out_with_nonsense_does_nothing(town: Town) -> None:
    signed_in = await town.driver(EMAIL)
    await town.people.sign_in.sign_out("nonsense", everywhere=True)
    await town.people.sign_in.refresh(signed_in.refresh_token)


async def test_a_sign_in_that_was_not_used_for_a_month_is_over(town: Town) -> None:
    signed_in = await town.driver(EMAIL)
    town.clock.move(REFRESH_LIFETIME)
    assert await refused_code(town.people.sign_in.refresh(signed_in.refresh_token)) == "sign_in_over"


async def test_one_sign_in_too_many_ends_the_oldest(town: Town) -> None:
    oldest = await town.driver(EMAIL)
    later = []
    for _ in range(FAMILIES_PER_ACCOUNT):
        town.clock.move(timedelta(seconds=1))
        later.append(await town.people.sign_in.begin(oldest.account, "device"))

    assert await refused_code(town.people.sign_in.refresh(oldest.refresh_token)) == "sign_in_over"
    await town.people.sign_in.refresh(later[0].refresh_token)


async def test_a_suspended_account_is_out_at_once_and_comes_back_when_restored(town: Town) -> None:
    signed_in = await town.driver(EMAIL)
    await town.people.staff.step(EMAIL, "suspend", SYSTEM)

    assert await refused_code(town.people.sign_in.refresh(signed_in.refresh_token)) == "sign_in_over"
    with pytest.raises(Forbidden):
        await town.sign_in(EMAIL)
    assert await refused_code(town.sign_in(EMAIL, "not the password")) == "wrong_credentials"
    await town.people.staff.step(EMAIL, "restore", SYSTEM)
    await town.sign_in(EMAIL)


async def test_guessing_from_one_place_stops_after_five_and_starts_anew_later(town: Town) -> None:
    await town.driver(EMAIL)
    for _ in range(TRIES_FROM_ONE_PLACE):
        await refused_code(town.sign_in(EMAIL, "not the password"))

    with pytest.raises(LimitReached) as refused:
        await town.sign_in(EMAIL)
    assert 0 < refused.value.after_seconds <= PLACE_WINDOW.total_seconds()
    await town.sign_in(EMAIL, place="198.51.100.7")
    town.clock.move(PLACE_WINDOW)
    await town.sign_in(EMAIL)


async def test_a_right_password_forgets_the_wrong_ones(town: Town) -> None:
    await town.driver(EMAIL)
    for _ in range(3):
        for _ in range(TRIES_FROM_ONE_PLACE - 1):
            await refused_code(town.sign_in(EMAIL, "not the password"))
        await town.sign_in(EMAIL)


async def test_guessing_from_everywhere_at_once_stops_too(town: Town) -> None:
    await town.driver(EMAIL)
    guesses = [town.sign_in(EMAIL, f"guess {number}", place=f"192.0.2.{number}") for number in range(100)]
    # In groups, so that none is turned away for the queue of hashes.
    outcomes = []
    for start in range(0, 100, 20):
        outcomes += await asyncio.gather(*guesses[start : start + 20], return_exceptions=True)

    tried = [outcome for outcome in outcomes if isinstance(outcome, Unauthenticated)]
    assert len(tried) == TRIES_FROM_ANYWHERE
    assert len([outcome for outcome in outcomes if isinstance(outcome, LimitReached)]) == 100 - TRIES_FROM_ANYWHERE


async def test_unknown_addresses_are_limited_like_known_ones(town: Town) -> None:
    for _ in range(TRIES_FROM_ONE_PLACE):
        await refused_code(town.sign_in("nobody@example.org"))
    with pytest.raises(LimitReached):
        await town.sign_in("nobody@example.org")


async def test_a_hash_of_another_cost_is_renewed_at_the_next_sign_in(town: Town) -> None:
    await town.driver(EMAIL)
    accounts = town.database.collection("accounts")
    before = await accounts.find_one({"email": EMAIL})
    old = PasswordHasher(time_cost=2, memory_cost=64, parallelism=1).hash(PASSWORD)
    await accounts.update_one({"email": EMAIL}, {"$set": {"password_hash": old}})

    await town.sign_in(EMAIL)

    after = await accounts.find_one({"email": EMAIL})
    assert before is not None
    assert after is not None
    assert after["password_hash"].split("$")[3] == before["password_hash"].split("$")[3] == "m=64,t=1,p=1"
    await town.sign_in(EMAIL)
