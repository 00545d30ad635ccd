"""Notices as mails: in words, as wanted, and not at night."""

from __future__ import annotations

import ast
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from autospot.domain.errors import InvalidInput
from autospot.domain.notice import Notice, ToldNotice
from autospot.domain.notice_mail import NOTICE_WORDS, MailWishes, QuietHours, Topic, mail_of

BERLIN = ZoneInfo("Europe/Berlin")
NIGHT = QuietHours(time(22), time(7))
ROOT = Path(__file__).parents[3]

FACTS: dict[str, Any] = {
    "bay": "214",
    "was": "213",
    "now": "bkg_2",
    "booking": "bkg_2",
    "reason": "somebody else stands on the bay",
    "from": "2026-11-22T09:30:00.000Z",
    "until": "2026-11-22T11:30:00.000Z",
    "plan": "Monthly pass",
}


def told(
    what: str = "booking_begins", at: datetime = datetime(2026, 11, 22, 9, 0, tzinfo=UTC), **facts: Any
) -> ToldNotice:
    return ToldNotice("ntc_1", at, Notice("driver", "harbour", what, "bkg_1", "usr_1", FACTS | facts))


def test_a_reminder_names_the_bay_and_the_times_of_the_lots_clock() -> None:
    mail = mail_of(told(), MailWishes(), "Harbour garage", BERLIN)
    assert mail is not None
    assert mail.subject == "Your booking at Harbour garage begins soon"
    assert mail.text == (
        "Bay 214 is yours from 10:30 on Sunday, 22 November 2026 until 12:30 on Sunday, 22 November 2026."
    )
    assert (mail.at, mail.until) == (told().at, datetime(2026, 11, 22, 9, 30, tzinfo=UTC))


@pytest.mark.parametrize("what", sorted(NOTICE_WORDS))
def test_every_notice_can_be_told_in_words(what: str) -> None:
    mail = mail_of(told(what), MailWishes(topics=frozenset(Topic)), "Harbour", BERLIN)
    assert mail is not None
    assert "{" not in mail.subject + mail.text


def test_whatever_the_services_tell_drivers_has_words() -> None:
    """Every word that a service tells drivers by, found in its source: as the third argument of a notice to a driver,
    or as the word that is handed on to whoever makes the notice."""
    words = set()
    for path in (ROOT / "autospot/services").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "Notice" and node.args:
                to, what = node.args[0], node.args[2]
                if ast.unparse(to) == "'driver'" and isinstance(what, ast.Constant):
                    words.add(what.value)
            elif isinstance(node, ast.Call) and ast.unparse(node.func) in ("_to_driver", "self._say"):
                words |= {each.value for each in node.args if isinstance(each, ast.Constant)}
    assert len(words) >= 10
    assert words <= NOTICE_WORDS.keys()


def test_what_is_not_wanted_is_not_mailed() -> None:
    wishes = MailWishes(topics=frozenset({Topic.CHANGES}))
    assert mail_of(told("booking_begins"), wishes, "Harbour", BERLIN) is None
    assert mail_of(told("booking_moved"), wishes, "Harbour", BERLIN) is not None
    assert mail_of(told("session_began"), MailWishes(), "Harbour", BERLIN) is None
    assert mail_of(told("something_new"), MailWishes(), "Harbour", BERLIN) is None


def in_berlin(hour: int, minute: int = 0, *, day: int = 22) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=BERLIN)


@pytest.mark.parametrize(
    ("at", "comes"),
    [
        (in_berlin(21, 59), in_berlin(21, 59)),
        (in_berlin(22), in_berlin(7, day=23)),
        (in_berlin(3, day=23), in_berlin(7, day=23)),
        (in_berlin(7, day=23), in_berlin(7, day=23)),
    ],
)
def test_what_can_wait_comes_when_the_quiet_hours_are_over(at: datetime, comes: datetime) -> None:
    mail = mail_of(told("booking_moved", at.astimezone(UTC)), MailWishes(quiet=NIGHT), "Harbour", BERLIN)
    assert mail is not None
    assert mail.at == comes


def test_the_night_in_which_the_clocks_change_ends_at_seven_too() -> None:
    asked = datetime(2026, 10, 25, 1, 30, tzinfo=BERLIN)
    mail = mail_of(told("booking_moved", asked), MailWishes(quiet=NIGHT), "Harbour", BERLIN)
    assert mail is not None
    assert mail.at.astimezone(UTC) == datetime(2026, 10, 25, 6, tzinfo=UTC)


@pytest.mark.parametrize(
    ("what", "begins", "is_sent"),
    [
        ("booking_begins", in_berlin(6, 30, day=23), False),
        ("booking_begins", in_berlin(7, day=23), False),
        ("booking_begins", in_berlin(7, 30, day=23), True),
        ("time_over", in_berlin(9, day=23), False),
        ("bay_offered", in_berlin(9, day=23), False),
    ],
)
def test_what_would_come_too_late_is_not_sent_at_all(what: str, begins: datetime, is_sent: bool) -> None:
    notice = told(what, in_berlin(6, day=23), **{"from": begins.astimezone(UTC).isoformat()})
    mail = mail_of(notice, MailWishes(quiet=NIGHT), "Harbour", BERLIN)
    assert (mail is not None) is is_sent
    assert mail is None or mail.at == in_berlin(7, day=23)


@pytest.mark.parametrize(("clock", "is_quiet"), [(time(12, 59), False), (time(13), True), (time(15), False)])
def test_quiet_hours_of_an_afternoon(clock: time, is_quiet: bool) -> None:
    local = datetime.combine(in_berlin(0).date(), clock, BERLIN)
    end = QuietHours(time(13), time(15)).end_after(local)
    assert (end is not None) is is_quiet
    assert end is None or end - local <= timedelta(hours=2)


def test_quiet_hours_without_an_end_are_refused() -> None:
    with pytest.raises(InvalidInput):
        QuietHours(time(22), time(22))
