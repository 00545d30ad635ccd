"""Notices as mails: which of them are mailed, in which words, and when, as each driver wants it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta, tzinfo
from enum import StrEnum
from typing import Any, Final

from autospot.domain.errors import InvalidInput
from autospot.domain.notice import Notice, ToldNotice
from autospot.domain.reminding import USUAL, Leads


class Topic(StrEnum):
    """What a driver chooses mails by."""

    REMINDERS = "reminders"
    """A booking is about to begin or end, or its time is over."""
    CHANGES = "changes"
    """A booking is not what it was: moved, cancelled, expired, missed."""
    OFFERS = "offers"
    """What one waited for is free."""
    SUBSCRIPTIONS = "subscriptions"
    STAYS = "stays"
    """A stay began or ended, a bay is no longer kept."""


@dataclass(frozen=True, slots=True)
class QuietHours:
    """From one time of day until another, over midnight if that is earlier; on the clock of the lot."""

    start: time
    until: time

    def __post_init__(self) -> None:
        if self.start == self.until:
            raise InvalidInput("quiet hours must end at another time than they begin", at="/quiet_hours/until")

    def end_after(self, local: datetime) -> datetime | None:
        """When the quiet hours end in which `local`, a time on that clock, lies; None if it lies in none."""
        clock = local.time()
        if self.start < self.until:
            is_quiet = self.start <= clock < self.until
        else:
            is_quiet = clock >= self.start or clock < self.until
        if not is_quiet:
            return None
        end = local.replace(hour=self.until.hour, minute=self.until.minute, second=0, microsecond=0)
        return end if end > local else end + timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class MailWishes:
    """What a driver wants by mail, and when to be reminded. Notices themselves are always kept, and told to whoever is
    connected. `version` counts changes; 0 is what everybody begins with."""

    topics: frozenset[Topic] = frozenset(Topic) - {Topic.STAYS}
    quiet: QuietHours | None = None
    leads: Leads = USUAL
    version: int = 0

    def changed(self, fields: Mapping[str, Any]) -> MailWishes:
        """With some of `topics` and `quiet` as given; `leads` by name, those that shall be different."""
        leads = self.leads.changed(fields.get("leads", {}))
        return replace(self, **{**fields, "leads": leads}, version=self.version + 1)


@dataclass(frozen=True, slots=True)
class NoticeWords:
    """A notice as a mail, `{…}` being its facts. `until` names the fact after which it is of no use to anybody, `link`
    the one that is the path of what can be done about it, which `link_words` say."""

    topic: Topic
    subject: str
    text: str
    until: str | None = None
    link: str | None = None
    link_words: str = ""


NOTICE_WORDS: Final[Mapping[str, NoticeWords]] = {
    "booking_begins": NoticeWords(
        Topic.REMINDERS,
        "Your booking at {lot} begins soon",
        "Bay {bay} is yours from {from} until {until}.",
        until="from",
    ),
    "booking_ends": NoticeWords(
        Topic.REMINDERS,
        "Your booking at {lot} ends soon",
        "Bay {bay} is yours until {until}. If you need longer, extend the booking while the bay is free.",
        until="until",
        link="extend",
        link_words="Stay until {longer}",
    ),
    "time_over": NoticeWords(
        Topic.REMINDERS,
        "Your time at {lot} is over",
        "Your booking of bay {bay} has ended and your vehicle is still there. Who leaves late pays by the tariff.",
        until="at",
    ),
    "overstay": NoticeWords(
        Topic.REMINDERS,
        "You pay for staying longer at {lot}",
        "The time to leave bay {bay} is over too. When you leave, the whole stay is charged by the tariff.",
        until="at",
    ),
    "booking_moved": NoticeWords(
        Topic.CHANGES,
        "Your bay at {lot} is now {bay}",
        "You cannot have bay {was}: {reason}. Your booking is now of bay {bay}, for the same time and price.",
    ),
    "booking_cancelled": NoticeWords(
        Topic.CHANGES,
        "Your booking at {lot} was cancelled",
        "The reason: {reason}. Everything you paid for it comes back to you.",
    ),
    "booking_expired": NoticeWords(
        Topic.CHANGES,
        "Your booking at {lot} has expired",
        "It was not paid or taken up in time, so bay {bay} is free for others.",
    ),
    "no_show": NoticeWords(
        Topic.CHANGES,
        "You were not seen at {lot}",
        "Nobody came to your bay in time, so it was given to others. Your booking says what that costs.",
    ),
    "paid_too_late": NoticeWords(
        Topic.CHANGES,
        "Your payment for {lot} came too late",
        "The booking was no longer open. The money is in your wallet.",
    ),
    "bay_offered": NoticeWords(
        Topic.OFFERS,
        "A bay at {lot} is free for you",
        "Bay {bay} is held for you for some minutes: take it up, or leave it to who waits next.",
        until="at",
    ),
    "subscription_expiring": NoticeWords(
        Topic.SUBSCRIPTIONS, "Your subscription ends soon", "{plan} at {lot} is paid until {until} and ends then."
    ),
    "subscription_renewing": NoticeWords(
        Topic.SUBSCRIPTIONS,
        "Your subscription is renewed soon",
        "{plan} at {lot} is paid until {until}. It is renewed from your wallet then, unless you cancel it before.",
    ),
    "subscription_renewed": NoticeWords(
        Topic.SUBSCRIPTIONS, "Your subscription was renewed", "{plan} at {lot} is now paid until {until}."
    ),
    "subscription_unpaid": NoticeWords(
        Topic.SUBSCRIPTIONS,
        "Your subscription could not be renewed",
        "Your wallet has too little for {plan} at {lot}. Top it up, and the renewal is tried again.",
    ),
    "subscription_ended": NoticeWords(
        Topic.SUBSCRIPTIONS, "Your subscription has ended", "{plan} at {lot} was paid until {until}."
    ),
    "session_began": NoticeWords(Topic.STAYS, "You parked at {lot}", "Your stay on bay {bay} began at {at}."),
    "session_ended": NoticeWords(
        Topic.STAYS, "Your stay at {lot} has ended", "It ended at {at}. Your sessions say what it cost."
    ),
    "assignment_expired": NoticeWords(
        Topic.STAYS, "Your bay at {lot} is no longer kept", "It was kept for you until {at}.", until="at"
    ),
}
"""What drivers are told, by `Notice.what`. A notice without a line here is not mailed."""

TIMES: Final = ("from", "until", "longer")
"""Facts that are instants, RFC 3339."""


@dataclass(frozen=True, slots=True)
class NoticeMail:
    """A mail to be sent at `at`, and after `until` no more. `link` is a path on the site, `""` for none."""

    subject: str
    text: str
    link: str
    link_words: str
    at: datetime
    until: datetime | None


def mail_of(told: ToldNotice, wishes: MailWishes, lot_name: str, zone: tzinfo) -> NoticeMail | None:
    """The mail that tells of a notice; None if its driver does not want it, or if it would come too late to be of use
    because it must wait for the end of the quiet hours. `zone` is that of the lot."""
    words = NOTICE_WORDS.get(told.notice.what)
    if words is None or words.topic not in wishes.topics:
        return None
    facts = {**told.notice.facts, "at": told.at, **_instants(told.notice)}
    quiet_until = wishes.quiet.end_after(told.at.astimezone(zone)) if wishes.quiet else None
    until = facts[words.until] if words.until and words.until != "at" else None
    if quiet_until is not None and words.until is not None and (until is None or until <= quiet_until):
        return None
    shown = {name: _shown(value, zone) for name, value in facts.items()} | {"lot": lot_name}
    text, subject = words.text.format_map(shown), words.subject.format_map(shown)
    link = shown.get(words.link or "", "")
    link_words = words.link_words.format_map(shown) if link else ""
    return NoticeMail(subject, text, link, link_words, quiet_until or told.at, until)


def _instants(notice: Notice) -> Mapping[str, datetime]:
    return {name: datetime.fromisoformat(notice.facts[name]) for name in TIMES if name in notice.facts}


def _shown(value: object, zone: tzinfo) -> str:
    return f"{value.astimezone(zone):%H:%M on %A, %d %B %Y}" if isinstance(value, datetime) else str(value)
