"""Resetting a password: for whoever reads the mail, and for nobody else."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from autospot.domain.accounts.one_time_code import CODE_LIFETIME, CODE_TRIES, CODES_PER_DAY, CODES_PER_HOUR
from autospot.domain.audit import SYSTEM
from autospot.domain.errors import InvalidInput, Unauthenticated
from tests.support.people import PASSWORD, Town

EMAIL = "dora@example.org"
NEW = "a quite different phrase"


async def asked_code(town: Town) -> str:
    await town.people.password_reset.ask(EMAIL)
    return await town.code_mailed_to(EMAIL)


async def refused(town: Town, code: str, email: str = EMAIL, password: str = NEW) -> str:
    with pytest.raises(InvalidInput) as error:
        await town.people.password_reset.confirm(email, code, password)
    return error.value.code


def other_than(code: str, step: int = 1) -> str:
    return f"{(int(code) + step) % 1_000_000:06d}"


async def test_the_code_sets_a_new_password_and_ends_every_sign_in(town: Town) -> None:
    signed_in = await town.driver(EMAIL)

    await town.people.password_reset.confirm(EMAIL, await asked_code(town), NEW)

    await town.sign_in(EMAIL, NEW)
    with pytest.raises(Unauthenticated):
        await town.sign_in(EMAIL, PASSWORD)
    with pytest.raises(Unauthenticated):
        await town.people.sign_in.refresh(signed_in.refresh_token)
    assert (await town.mails_to(EMAIL))[0].subject == "Your AutoSpot password was changed"


async def test_the_code_works_once(town: Town) -> None:
    await town.driver(EMAIL)
    code = await asked_code(town)
    await town.people.password_reset.confirm(EMAIL, code, NEW)
    assert await refused(town, code, password="and yet another phrase") == "wrong_code"
    await town.sign_in(EMAIL, NEW)


async def test_the_code_works_once_even_when_sent_ten_times_at_once(town: Town) -> None:
    await town.driver(EMAIL)
    code = await asked_code(town)
    confirm = town.people.password_reset.confirm

    outcomes = await asyncio.gather(
        *(confirm(EMAIL, code, f"phrase number {number}") for number in range(10)), return_exceptions=True
    )

    assert outcomes.count(None) == 1
    await town.sign_in(EMAIL, f"phrase number {outcomes.index(None)}")


async def test_five_wrong_codes_void_it(town: Town) -> None:
    await town.driver(EMAIL)
    code = await asked_code(town)
    for step in range(1, CODE_TRIES + 1):
        assert await refused(town, other_than(code, step)) == "wrong_code"
    assert await refused(town, code) == "wrong_code"


async def test_four_wrong_codes_do_not(town: Town) -> None:
    await town.driver(EMAIL)
    code = await asked_code(town)
    for step in range(1, CODE_TRIES):
        await refused(town, other_than(code, step))
    await town.people.password_reset.confirm(EMAIL, code, NEW)


async def test_a_weak_password_costs_no_try(town: Town) -> None:
    await town.driver(EMAIL)
    code = await asked_code(town)
    for _ in range(CODE_TRIES):
        assert await refused(town, code, password="password1") == "weak_password"
    await town.people.password_reset.confirm(EMAIL, code, NEW)


async def test_a_code_is_void_after_ten_minutes_and_a_newer_one_voids_it_at_once(town: Town) -> None:
    await town.driver(EMAIL)
    first = await asked_code(town)
    second = await asked_code(town)
    while second == first:  # one in a million
        second = await asked_code(town)

    assert await refused(town, first) == "wrong_code"
    town.clock.move(CODE_LIFETIME)
    assert await refused(town, second) == "wrong_code"


async def test_nobody_gets_in_by_guessing_ten_thousand_codes(town: Town) -> None:
    """The true code is among the guesses, and as many guesses as the machine can make are under way at once."""
    await town.driver(EMAIL)
    code = await asked_code(town)
    guesses = [other_than(code, step) for step in range(1, 10_000)]
    guesses.insert(5_000, code)
    confirm = town.people.password_reset.confirm

    outcomes: list[object] = []
    for start in range(0, len(guesses), 250):
        attempts = (confirm(EMAIL, guess, NEW) for guess in guesses[start : start + 250])
        outcomes += await asyncio.gather(*attempts, return_exceptions=True)

    assert len(outcomes) == 10_000
    assert {type(outcome) for outcome in outcomes} == {InvalidInput}
    await town.sign_in(EMAIL, PASSWORD)


async def test_an_attacker_gets_no_more_than_five_codes_a_day_to_guess_at(town: Town) -> None:
    await town.driver(EMAIL)
    before = len(await town.mails_to(EMAIL))
    for _ in range(30):
        for _ in range(CODES_PER_HOUR + 1):
            await town.people.password_reset.ask(EMAIL)
            await town.settle()
        town.clock.move(timedelta(minutes=45))

    assert len(await town.mails_to(EMAIL)) - before == CODES_PER_DAY


async def test_an_unknown_address_leaves_the_same_trace_and_gets_no_mail(town: Town) -> None:
    await town.driver(EMAIL)
    await town.people.password_reset.ask(EMAIL)
    await town.people.password_reset.ask("nobody@example.org")
    await town.settle()

    codes = [row async for row in town.database.collection("codes").find()]
    assert len(codes) == 2
    assert {frozenset(row) for row in codes} == {frozenset({"_id", "code_hash", "tries_left", "expires_at"})}
    assert await town.mails_to("nobody@example.org") == []
    assert await refused(town, "123456", "nobody@example.org") == "wrong_code"
    after = [row["tries_left"] async for row in town.database.collection("codes").find().sort("tries_left", 1)]
    assert after == [CODE_TRIES - 1, CODE_TRIES]


async def test_a_suspended_account_is_not_opened_by_a_reset(town: Town) -> None:
    await town.driver(EMAIL)
    code = await asked_code(town)
    await town.people.staff.step(EMAIL, "suspend", SYSTEM)
    assert await refused(town, code) == "wrong_code"
