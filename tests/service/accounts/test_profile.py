"""One's own profile and password."""

from __future__ import annotations

import pytest

from autospot.domain.access import Principal, Role
from autospot.domain.errors import InvalidInput, LimitReached, PreconditionFailed, Unauthenticated
from autospot.services.accounts.sign_in import TRIES_FROM_ONE_PLACE, SignedIn
from tests.support.people import PASSWORD, Town

EMAIL = "dora@example.org"
NEW = "a quite different phrase"


def principal_of(signed_in: SignedIn) -> Principal:
    return Principal(signed_in.account.id, frozenset({Role.DRIVER}), session_id=signed_in.family.id)


async def change_password(town: Town, principal: Principal, current: str, new: str = NEW) -> None:
    await town.people.profiles.change_password(
        principal, current, new, versions=None, place="192.0.2.1", request_id="request-1"
    )


async def test_a_change_needs_the_version_that_was_read(town: Town) -> None:
    principal = principal_of(await town.driver(EMAIL))
    change = town.people.profiles.change

    changed = await change(principal, {"name": "Dora Bell"}, versions={1}, request_id="request-1")

    assert (changed.name, changed.version) == ("Dora Bell", 2)
    with pytest.raises(PreconditionFailed):
        await change(principal, {"name": "Someone"}, versions={1}, request_id="request-2")
    assert (await town.people.profiles.get(principal)).name == "Dora Bell"


async def test_a_new_password_signs_out_every_other_device(town: Town) -> None:
    here, elsewhere = await town.driver(EMAIL), await town.sign_in(EMAIL)

    await change_password(town, principal_of(here), PASSWORD)

    await town.people.sign_in.refresh(here.refresh_token)
    with pytest.raises(Unauthenticated):
        await town.people.sign_in.refresh(elsewhere.refresh_token)
    await town.sign_in(EMAIL, NEW)


async def test_the_present_password_is_asked_for_and_cannot_be_guessed(town: Town) -> None:
    principal = principal_of(await town.driver(EMAIL))
    for _ in range(TRIES_FROM_ONE_PLACE):
        with pytest.raises(InvalidInput) as refused:
            await change_password(town, principal, "not the password")
        assert refused.value.code == "wrong_password"
    with pytest.raises(LimitReached):
        await change_password(town, principal, PASSWORD)


async def test_the_log_says_that_a_name_changed_and_not_to_what(town: Town) -> None:
    principal = principal_of(await town.driver(EMAIL))
    await town.people.profiles.change(
        principal, {"name": "Dora Bell", "language": "de"}, versions=None, request_id="request-1"
    )

    entry = await town.database.collection("audit").find_one({"action": "account.changed"})
    assert entry is not None
    assert entry["actor"] == {"kind": "user", "id": principal.user_id, "request_id": "request-1"}
    assert entry["before"] == {"name": "…", "language": "en"}
    assert entry["after"] == {"name": "…", "language": "de"}
