"""Registering: an account only for a proven address, and nothing told about other people's."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from autospot.domain.access import Role
from autospot.domain.accounts.one_time_code import CODE_LIFETIME, CODE_TRIES, CODES_PER_HOUR
from autospot.domain.errors import AutoSpotError, InvalidInput, Unauthenticated
from tests.support.people import PASSWORD, Town

EMAIL = "dora@example.org"


async def ask(town: Town, email: str = EMAIL, password: str = PASSWORD) -> str:
    return await town.people.registering.ask(email, password, name="Dora", language="en")


async def test_a_mailed_code_makes_an_account_and_signs_its_owner_in(town: Town) -> None:
    registration = await ask(town)

    signed_in = await town.people.registering.verify(registration, await town.code_mailed_to(EMAIL), client="phone")

    assert signed_in.account.email == EMAIL
    assert signed_in.account.roles == {Role.DRIVER}
    assert (await town.sign_in(EMAIL)).account == signed_in.account


async def test_there_is_no_account_before_the_code_came_back(town: Town) -> None:
    await ask(town)
    with pytest.raises(Unauthenticated):
        await town.sign_in(EMAIL)


async def test_a_code_opens_only_the_registration_it_was_sent_for(town: Town) -> None:
    """A thief registers the victim's address with his own password; the victim's code must not confirm that."""
    thief = await ask(town, password="the thief's own words")
    victim = await ask(town)
    code = await town.code_mailed_to(EMAIL)

    with pytest.raises(InvalidInput) as refused:
        await town.people.registering.verify(thief, code, client="")
    assert refused.value.code == "wrong_code"
    await town.people.registering.verify(victim, code, client="")
    with pytest.raises(Unauthenticated):
        await town.sign_in(EMAIL, "the thief's own words")


async def test_a_code_is_void_after_five_wrong_ones(town: Town) -> None:
    registration = await ask(town)
    code = await town.code_mailed_to(EMAIL)
    wrong = f"{(int(code) + 1) % 1_000_000:06d}"
    for _ in range(CODE_TRIES):
        with pytest.raises(InvalidInput):
            await town.people.registering.verify(registration, wrong, client="")

    with pytest.raises(InvalidInput) as refused:
        await town.people.registering.verify(registration, code, client="")
    assert refused.value.code == "wrong_code"


async def test_a_code_is_void_after_ten_minutes(town: Town) -> None:
    registration = await ask(town)
    code = await town.code_mailed_to(EMAIL)
    town.clock.move(CODE_LIFETIME)
    with pytest.raises(InvalidInput):
        await town.people.registering.verify(registration, code, client="")


async def test_a_code_works_once_even_when_sent_ten_times_at_once(town: Town) -> None:
    registration = await ask(town)
    code = await town.code_mailed_to(EMAIL)
    verify = town.people.registering.verify

    results = await asyncio.gather(*(verify(registration, code, client="") for _ in range(10)), return_exceptions=True)

    assert len([result for result in results if not isinstance(result, AutoSpotError)]) == 1
    assert await town.database.collection("accounts").count_documents({}) == 1


async def test_a_known_address_gets_another_mail_but_the_caller_the_same_answer(town: Town) -> None:
    await town.driver(EMAIL)
    again = await ask(town, "DORA@example.org")

    newest, *_ = await town.mails_to("DORA@example.org")
    assert again.startswith("reg_")
    assert newest.subject == "You already have an AutoSpot account"
    with pytest.raises(InvalidInput) as refused:
        await town.people.registering.verify(again, "123456", client="")
    assert refused.value.code == "wrong_code"


async def test_nobodys_mailbox_is_filled_through_registrations(town: Town) -> None:
    for _ in range(CODES_PER_HOUR + 3):
        await ask(town)
    assert len(await town.mails_to(EMAIL)) == CODES_PER_HOUR

    town.clock.move(timedelta(hours=1))
    await ask(town)
    assert len(await town.mails_to(EMAIL)) == CODES_PER_HOUR + 1


async def test_a_password_that_everybody_tries_first_is_refused(town: Town) -> None:
    with pytest.raises(InvalidInput) as refused:
        await ask(town, password="Password123!")
    assert refused.value.code == "weak_password"


async def test_neither_password_nor_code_is_stored(town: Town) -> None:
    await ask(town)
    code = await town.code_mailed_to(EMAIL)
    raw = town.database.collection("due").database
    stored = [
        repr(document)
        for name in await raw.list_collection_names()
        if name != "mails"
        async for document in raw[name].find()
    ]
    assert stored
    assert not [text for text in stored if PASSWORD in text or f"'{code}'" in text]
