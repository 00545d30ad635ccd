"""Extending by the link of a reminder: one tap, once, for one booking."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from api.one_tap import OneTapPages
from autospot.domain.booking.booking import Booking
from autospot.domain.notice import ToldNotice
from autospot.domain.notice_mail import MailWishes, mail_of
from autospot.storage.idempotency import Unkept
from autospot.storage.mongo import Database
from tests.support.api import RunningApi, running_api
from tests.support.bookings import at, between
from tests.support.office import BAY, CARL, DORA, Harbour, a_harbour, events, hourly

MAIL_CLOCK = at(0).tzinfo


@pytest.fixture
async def harbour(database: Database) -> Harbour:
    harbour = await a_harbour(database, prices=hourly())
    for owner in (DORA, CARL):
        await harbour.fill_wallet(1_000, owner)
    return harbour


@pytest.fixture
async def api(harbour: Harbour) -> AsyncIterator[RunningApi]:
    async with running_api(routes=OneTapPages(harbour.office.one_tap).routes(), clock=harbour.clock) as api:
        yield api


async def parked(harbour: Harbour, until: int = 12) -> Booking:
    """Dora, on her bay half an hour before her time is over, and reminded of it."""
    booked = await harbour.book(between(10, until))
    await harbour.until(at(10))
    await harbour.sensor(True)
    await harbour.until(at(until - 1, 30))
    return booked


def reminder(harbour: Harbour) -> dict[str, Any]:
    """The facts of the last reminder of an end."""
    return dict(next(each for each in reversed(harbour.notices) if each.what == "booking_ends").facts)


async def test_the_reminder_carries_the_link_and_so_does_its_mail(harbour: Harbour) -> None:
    await parked(harbour)
    facts = reminder(harbour)
    assert (facts["longer"], facts["extend"][:14]) == ("2040-11-26T12:30:00.000Z", "/extend?offer=")
    told = next(each for each in harbour.notices if each.what == "booking_ends")
    assert MAIL_CLOCK is not None
    mail = mail_of(ToldNotice("ntc_1", at(11, 30), told), MailWishes(), "Harbour", MAIL_CLOCK)
    assert mail is not None
    assert (mail.link, mail.link_words) == (facts["extend"], "Stay until 12:30 on Monday, 26 November 2040")


async def test_opening_the_link_asks_and_changes_nothing(harbour: Harbour, api: RunningApi) -> None:
    booked = await parked(harbour)
    before, link = await harbour.again(booked), reminder(harbour)["extend"]
    for method in ("GET", "HEAD", "GET"):
        page = await api.call(method, link)
        assert page.status == 200
    assert "Stay until 13:30 on Monday, 26 November?" in page.body.decode()
    assert "It costs 2.00 EUR more, from your wallet." in page.body.decode()
    assert '<form method="post">' in page.body.decode()
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert "form-action 'self'" in page.headers["Content-Security-Policy"]
    assert await harbour.again(before) == before


async def test_one_tap_extends_and_pays_and_a_second_does_nothing_more(harbour: Harbour, api: RunningApi) -> None:
    booked = await parked(harbour)
    link = reminder(harbour)["extend"]
    taps = await asyncio.gather(*(api.call("POST", link) for _ in range(3)))
    assert [tap.status for tap in taps] == [200, 200, 200], [tap.body for tap in taps]
    for page in (*taps, await api.call("GET", link)):
        assert "You may stay until 13:30 on Monday, 26 November" in page.body.decode()
        assert "<form" not in page.body.decode()
    longer = await harbour.again(booked)
    assert (longer.period, longer.paid, await harbour.money()) == (longer.period, 600, 400)
    assert longer.period.until == at(12, 30)
    assert events(longer).count("extended") == 1
    await harbour.clean()


async def test_after_a_tap_the_next_reminder_offers_the_next_half_hour(harbour: Harbour, api: RunningApi) -> None:
    await parked(harbour)
    await api.call("POST", reminder(harbour)["extend"])
    await harbour.until(at(12))
    assert reminder(harbour)["longer"] == "2040-11-26T13:00:00.000Z"
    assert "time_over" not in harbour.told()


async def test_a_bay_that_is_promised_to_the_next_one_is_refused(harbour: Harbour, api: RunningApi) -> None:
    booked = await parked(harbour)
    await harbour.book(between(12, 14), owner=CARL)
    page = await api.call("POST", reminder(harbour)["extend"])
    assert (page.status, f"Bay {BAY} is taken at that time." in page.body.decode()) == (409, True)
    assert (await harbour.again(booked)).period == between(10, 12)


async def test_an_empty_wallet_is_a_reason_and_the_button_stays(harbour: Harbour, api: RunningApi) -> None:
    await harbour.book(between(14, 17), bay="B00001")
    await parked(harbour)
    link = reminder(harbour)["extend"]
    page = await api.call("POST", link)
    assert (page.status, "not enough in your wallet" in page.body.decode()) == (409, True)
    assert "<form" in page.body.decode()
    await harbour.fill_wallet(200)
    assert (await api.call("POST", link)).status == 200


async def test_a_link_is_good_for_the_end_that_it_was_made_for_and_until_then(
    harbour: Harbour, api: RunningApi
) -> None:
    booked = await parked(harbour)
    link = reminder(harbour)["extend"]
    await harbour.office.changes.extend(DORA, booked.id, at(12, 5), Unkept())
    for method in ("GET", "POST"):
        page = await api.call(method, link)
        assert (page.status, "the booking was changed meanwhile" in page.body.decode()) == (409, True)


async def test_when_the_time_is_over_the_link_is_too_old(harbour: Harbour, api: RunningApi) -> None:
    await parked(harbour)
    link = reminder(harbour)["extend"]
    await harbour.until(at(12))
    for method in ("GET", "POST"):
        page = await api.call(method, link)
        assert (page.status, "the time of the booking is over" in page.body.decode()) == (409, True)


@pytest.mark.parametrize("offer", ["", "x", "AAAA", "é", "%00", "A" * 64, "A" * 5_000])
async def test_a_link_that_was_not_made_here_is_nothing(api: RunningApi, offer: str) -> None:
    for method in ("GET", "POST"):
        page = await api.call(method, f"/extend?offer={offer}")
        assert (page.status, "not one of ours" in page.body.decode()) == (404, True)


async def test_a_link_says_one_thing_that_cannot_be_changed(harbour: Harbour, api: RunningApi) -> None:
    await parked(harbour)
    link = reminder(harbour)["extend"]
    for number in range(len("/extend?offer="), len(link) - 1):
        forged = f"{link[:number]}{'B' if link[number] == 'A' else 'A'}{link[number + 1 :]}"
        assert (await api.call("POST", forged)).status == 404
