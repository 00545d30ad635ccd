"""One's own data: all of it on request, or gone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import pytest

from autospot.domain.access import Principal, Role
from autospot.domain.accounts.sign_in import RECENT_SIGN_IN
from autospot.domain.audit import SYSTEM
from autospot.domain.errors import Conflict, Forbidden, NotFound, Unauthenticated
from autospot.services.accounts.sign_in import SignedIn
from autospot.storage.mongo import Session
from tests.support.people import Town

EMAIL = "dora@example.org"


def principal_of(signed_in: SignedIn) -> Principal:
    return Principal(signed_in.account.id, frozenset({Role.DRIVER}), session_id=signed_in.family.id)


async def test_the_export_holds_everything_that_services_know(town: Town) -> None:
    signed_in = await town.driver(EMAIL)
    await town.people.garage.add(signed_in.account.id, "DE", "B-AB 1234", "the red one", SYSTEM)

    async def bookings(account_id: str) -> Sequence[Mapping[str, object]]:
        return [{"id": "bkg_1", "driver": account_id}]

    town.people.own_data.export_section("bookings", bookings)
    exported = await town.people.own_data.export(principal_of(signed_in))

    assert exported["account"]["email"] == EMAIL
    assert exported["vehicles"][0]["plate"] == "B-AB 1234"
    assert exported["sign_ins"][0]["client"] == "test"
    assert exported["bookings"] == [{"id": "bkg_1", "driver": signed_in.account.id}]
    assert "hash" not in repr(exported)


async def test_erasing_leaves_an_id_that_leads_to_nobody(town: Town) -> None:
    signed_in = await town.driver(EMAIL, name="Dora Bell")
    await town.people.garage.add(signed_in.account.id, "DE", "B-AB 1234", "the red one", SYSTEM)
    steps: list[str] = []

    async def erase_bookings(session: Session, account_id: str, now: datetime) -> None:
        steps.append(account_id)

    town.people.own_data.erasure(erase_bookings)
    await town.people.own_data.erase(principal_of(signed_in), "request-1")

    assert (await town.mails_to(EMAIL))[0].subject == "Your AutoSpot account is closed"
    assert steps == [signed_in.account.id]
    raw = town.database.collection("accounts").database
    names = [name for name in await raw.list_collection_names() if name != "mails"]
    stored = [repr(row) for name in names async for row in raw[name].find()]
    assert any(signed_in.account.id in text for text in stored)
    assert not [text for text in stored if EMAIL in text or "Dora" in text or "red one" in text or "'test'" in text]
    assert await raw["vehicles"].count_documents({}) == 0


async def test_nobody_signs_in_to_a_closed_account_and_its_address_is_free(town: Town) -> None:
    signed_in = await town.driver(EMAIL)
    await town.people.own_data.erase(principal_of(signed_in), "request-1")

    with pytest.raises(Unauthenticated):
        await town.sign_in(EMAIL)
    with pytest.raises(Unauthenticated):
        await town.people.sign_in.refresh(signed_in.refresh_token)
    with pytest.raises(NotFound):
        await town.people.profiles.get(principal_of(signed_in))
    assert (await town.driver(EMAIL)).account.id != signed_in.account.id


async def test_what_is_open_keeps_an_account_open(town: Town) -> None:
    principal = principal_of(await town.driver(EMAIL))

    async def money_left(account_id: str) -> str | None:
        return "there is money in your wallet: have it paid out first"

    town.people.own_data.objection(money_left)
    with pytest.raises(Conflict) as refused:
        await town.people.own_data.erase(principal, "request-1")
    assert refused.value.code == "account_in_use"
    await town.sign_in(EMAIL)


async def test_an_old_sign_in_cannot_erase(town: Town) -> None:
    principal = principal_of(await town.driver(EMAIL))
    town.clock.move(RECENT_SIGN_IN + timedelta(seconds=1))
    with pytest.raises(Forbidden) as refused:
        await town.people.own_data.erase(principal, "request-1")
    assert refused.value.code == "sign_in_again"
