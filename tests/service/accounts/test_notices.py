"""Notices: kept once, read in pages, mailed by a real mail server as their driver wants it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage
from typing import Any

import pytest

from api.notifications import NotificationOperations
from autospot.domain.access import Role
from autospot.domain.lot import Lot
from autospot.domain.notice import Notice
from autospot.services.live_notices import LiveNotices
from autospot.services.noticeboard import Noticeboard
from autospot.services.signals import Signals
from autospot.services.smtp import SmtpTransport, smtp_server
from autospot.storage.accounts import Accounts
from autospot.storage.mail_wishes import MailWishesStore
from autospot.storage.mongo import Database
from autospot.storage.notices import Notices
from tests.support.api import Answer, RunningApi, bearer, running_api
from tests.support.lots import a_lot
from tests.support.people import Town, a_town
from tests.support.services import eventually
from tests.support.smtp import MailServer

PREFERENCES = "/v1/me/notification-preferences"


@dataclass
class Board:
    """A noticeboard in a town, and a driver who lives there."""

    town: Town
    noticeboard: Noticeboard
    notices: Notices
    dora: str

    async def tell(
        self, what: str = "booking_moved", *, at: datetime | None = None, subject: str = "bkg_1", **facts: Any
    ) -> None:
        """Tells Dora something, as a service does, and lets everything happen that is due."""
        moved = {"bay": "214", "was": "213", "now": "bkg_2", "reason": "somebody else stands on the bay"}
        notice = Notice("driver", "harbour", what, subject, self.dora, moved | facts)
        now = at or self.town.clock.now()
        await self.town.database.transaction(lambda session: self.noticeboard.tell(session, notice, now))
        await self.town.settle()


@pytest.fixture
def server() -> Iterator[MailServer]:
    server = MailServer()
    server.start()
    yield server
    server.stop()


@pytest.fixture
async def board(database: Database, server: MailServer) -> AsyncIterator[Board]:
    town = a_town(database, transport=SmtpTransport(smtp_server(server.url), answer_seconds=5))
    people, notices = town.people, Notices(database)

    def layout_of(code: str) -> Lot | None:
        return a_lot("harbour") if code == "harbour" else None

    noticeboard = Noticeboard(database, notices, people.postman, people.schedule, people.clockwork, layout_of)
    dora = await town.member("dora@example.org", Role.DRIVER, name="Dora")
    yield Board(town, noticeboard, notices, dora.id)
    people.passwords.close()


@pytest.fixture
async def api(board: Board) -> AsyncIterator[RunningApi]:
    async with running_api(NotificationOperations(board.notices, board.noticeboard, board.town.clock)) as api:
        yield api


def only(server: MailServer) -> EmailMessage:
    [mail] = server.inbox.mails
    return mail


async def test_a_notice_is_mailed_in_text_and_html(board: Board, server: MailServer) -> None:
    await board.tell(reason="<b>works</b>")
    mail = only(server)
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None
    assert html is not None
    assert (mail["To"], mail["Subject"]) == ("dora@example.org", "Your bay at Harbour is now 214")
    assert "You cannot have bay 213: <b>works</b>." in text.get_content()
    assert "&lt;b&gt;works&lt;/b&gt;" in html.get_content()


async def test_telling_twice_is_one_notice_and_one_mail(board: Board, server: MailServer) -> None:
    for _ in range(2):
        await board.tell()
    assert len(server.inbox.mails) == 1
    assert len(await board.notices.of_driver(board.dora, 10)) == 1


async def test_a_notice_that_is_rolled_back_is_not_mailed(board: Board, server: MailServer) -> None:
    async def work(session: Any) -> None:
        notice = Notice("driver", "harbour", "booking_expired", "bkg_1", board.dora, {"bay": "214"})
        await board.noticeboard.tell(session, notice, board.town.clock.now())
        raise LookupError

    with pytest.raises(LookupError):
        await board.town.database.transaction(work)
    await board.town.settle()
    assert server.inbox.mails == []
    assert await board.notices.of_driver(board.dora, 10) == []


async def test_a_driver_chooses_what_is_mailed(board: Board, api: RunningApi, server: MailServer) -> None:
    first = await api.call("GET", PREFERENCES, headers=bearer(board.dora))
    usual = {"booking_begins": 30, "booking_ends": 30, "subscription_expiring": 4320}
    topics = ["changes", "offers", "reminders", "subscriptions"]
    assert first.json == {"mail": topics, "quiet_hours": None, "lead_minutes": usual}
    chosen = await prefer(api, board, {"mail": ["stays"]})
    assert (chosen.status, chosen.json["mail"]) == (200, ["stays"])
    await board.tell()
    assert server.inbox.mails == []
    await board.tell("session_began", bay="214")
    assert only(server)["Subject"] == "You parked at Harbour"
    assert len(await board.notices.of_driver(board.dora, 10)) == 2, "kept, mailed or not"


async def prefer(api: RunningApi, board: Board, body: dict[str, Any], **headers: str) -> Answer:
    return await api.call("PATCH", PREFERENCES, json=body, headers={**bearer(board.dora), **headers})


async def test_in_quiet_hours_a_mail_waits(board: Board, api: RunningApi, server: MailServer) -> None:
    hours = {"from": "22:00", "until": "07:00"}
    assert (await prefer(api, board, {"quiet_hours": hours})).json["quiet_hours"] == hours
    night = board.town.clock.now().replace(hour=23, minute=30)  # half past midnight in Berlin, or half past one
    board.town.clock.move(night - board.town.clock.now())
    await board.tell()
    assert server.inbox.mails == []
    board.town.clock.move(timedelta(hours=7, minutes=30))
    await board.town.settle()
    assert len(server.inbox.mails) == 1
    assert (await prefer(api, board, {"mail": None})).json["quiet_hours"] == hours
    assert (await prefer(api, board, {"quiet_hours": None})).json["quiet_hours"] is None


async def test_two_devices_do_not_overwrite_each_other(board: Board, api: RunningApi) -> None:
    seen = (await api.call("GET", PREFERENCES, headers=bearer(board.dora))).headers["ETag"]
    assert (await prefer(api, board, {"mail": []}, **{"If-Match": seen})).status == 200
    assert (await prefer(api, board, {"mail": ["stays"]}, **{"If-Match": seen})).status == 412


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"mail": ["weather"]}, "/mail/0"),
        ({"quiet_hours": {"from": "25:00", "until": "07:00"}}, "/quiet_hours/from"),
        ({"quiet_hours": {"from": "07:00", "until": "07:00"}}, "/quiet_hours/until"),
        ({"quiet_hours": {"from": "07:00"}}, "/quiet_hours/until"),
    ],
)
async def test_preferences_that_make_no_sense_are_refused(
    board: Board, api: RunningApi, body: dict[str, Any], place: str
) -> None:
    refused = await prefer(api, board, body)
    assert refused.status == 422
    assert refused.json["errors"][0]["at"] == place


async def test_who_has_closed_the_account_is_told_nothing_more(board: Board, server: MailServer) -> None:
    await board.town.database.transaction(
        lambda session: Accounts(board.town.database).erase(board.dora, board.town.clock.now(), session=session)
    )
    await board.tell()
    assert server.inbox.mails == []


async def test_what_somebody_wanted_is_forgotten_with_the_account(board: Board, api: RunningApi) -> None:
    await prefer(api, board, {"mail": []})
    now = board.town.clock.now()
    await board.town.database.transaction(lambda session: board.noticeboard.erase(session, board.dora, now))
    assert (await MailWishesStore(board.town.database).of(board.dora)).version == 0


async def test_no_notice_is_left_out_between_two_pages(board: Board, api: RunningApi) -> None:
    """Three are told one after the other, then seven in one millisecond, then three more."""
    now = board.town.clock.now()
    for number in range(13):
        moment = number if number < 3 else 3 if number < 10 else number
        await board.tell(subject=f"bkg_{number}", at=now - timedelta(seconds=20 - moment))
    read: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        query = f"?limit=2&cursor={cursor}" if cursor else "?limit=2"
        page = (await api.call("GET", f"/v1/me/notifications{query}", headers=bearer(board.dora))).json
        read += [each["subject"] for each in page["data"]]
        cursor = page["next_cursor"]
    assert sorted(read) == sorted(f"bkg_{number}" for number in range(13))


@pytest.mark.parametrize("cursor", ["WzFd", "WzE3NjM3MTIwMDAwMDAsMV0", "WzkyMjMzNzIwMzY4NTQ3NzU4MDcsIngiXQ"])
async def test_a_made_up_cursor_is_refused(board: Board, api: RunningApi, cursor: str) -> None:
    refused = await api.call("GET", f"/v1/me/notifications?cursor={cursor}", headers=bearer(board.dora))
    assert refused.status == 422
    assert refused.json["errors"][0]["at"] == "/query/cursor"


async def test_others_read_none_of_it(board: Board, api: RunningApi) -> None:
    await board.tell()
    answer = await api.call("GET", "/v1/me/notifications", headers=bearer("usr_carl"))
    assert answer.json == {"data": [], "next_cursor": None}


async def test_who_is_connected_hears_of_each_notice_once_also_of_what_was_kept_while_nobody_listened(
    board: Board,
) -> None:
    heard: list[tuple[str, str]] = []
    signals = Signals(board.town.database)
    live = LiveNotices(
        board.notices, board.town.clock, signals, lambda user, event: heard.append((user, event["subject"]))
    )
    async with asyncio.TaskGroup() as group:
        passing_on = group.create_task(live.run())
        for subject in ("bkg_1", "bkg_2", "bkg_3"):
            await board.tell(subject=subject)  # nobody follows the stream at this moment
            following = group.create_task(signals.run())
            await eventually(lambda subject=subject: (board.dora, subject) in heard)
            await board.tell(subject=f"{subject}_live")
            await eventually(lambda subject=subject: (board.dora, f"{subject}_live") in heard)
            following.cancel()
        passing_on.cancel()
    assert len(heard) == len(set(heard)) == 6


async def test_operators_notices_are_passed_on_to_no_driver(board: Board) -> None:
    heard: list[str] = []
    signals = Signals(board.town.database)
    live = LiveNotices(board.notices, board.town.clock, signals, lambda _user, event: heard.append(event["event"]))
    warning = Notice("operator", "harbour", "bay_misused", "bkg_1")
    now = board.town.clock.now()
    await board.town.database.transaction(lambda session: board.noticeboard.tell(session, warning, now))
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(live.run()), group.create_task(signals.run())]
        await board.tell()
        await eventually(lambda: heard)
        for task in tasks:
            task.cancel()
    assert heard == ["booking_moved"]


async def test_a_driver_chooses_how_long_before_something_reminders_come(board: Board, api: RunningApi) -> None:
    chosen = await prefer(api, board, {"lead_minutes": {"booking_ends": 15}})
    assert chosen.json["lead_minutes"] == {"booking_begins": 30, "booking_ends": 15, "subscription_expiring": 4320}
    both = await prefer(api, board, {"lead_minutes": {"booking_begins": 120, "subscription_expiring": 0}})
    assert both.json["lead_minutes"] == {"booking_begins": 120, "booking_ends": 15, "subscription_expiring": 0}
    assert both.json["mail"] == chosen.json["mail"]
    for wrong in ({"booking_ends": -1}, {"booking_ends": 43_201}, {"booking_ends": "15"}, {"no_show": 5}, 15):
        assert (await prefer(api, board, {"lead_minutes": wrong})).status == 422
    assert (await api.call("GET", PREFERENCES, headers=bearer(board.dora))).json == both.json
