"""The noticeboard: drivers and operators are told something once, and drivers by mail as well if they want it so.

A notice is kept in the transaction of what it is about, and a row in the due-queue with it; when that falls due, the
mail is written as its driver wants it and given to the postman. Whoever is connected hears of it at once
(`live_notices.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from autospot.domain.errors import PreconditionFailed
from autospot.domain.instant import rfc3339
from autospot.domain.lot import Lot
from autospot.domain.mail import Mail
from autospot.domain.notice import Notice, ToldNotice
from autospot.domain.notice_mail import NOTICE_WORDS, MailWishes, mail_of
from autospot.services.clockwork import Clockwork, DueKind, Schedule
from autospot.services.postman import Postman
from autospot.storage.accounts import Accounts
from autospot.storage.mail_wishes import MailWishesStore
from autospot.storage.mongo import Database, Session
from autospot.storage.notices import Notices

LayoutOf = Callable[[str], Lot | None]
"""The layout of a lot; None if there is no such lot (any more)."""

EXPORTED_LIMIT = 10_000
"""Notices in an export of one's data: more than anybody is told in the 90 days that they are kept."""


@dataclass(frozen=True, slots=True)
class NoticeDue:
    """A notice that its driver may want by mail."""

    notice_id: str


NOTICE_MAIL = DueKind("notice_mail", NoticeDue)


@dataclass(frozen=True, slots=True)
class LeadsChanged:
    """A driver wants to be reminded at another time."""

    user: str


LEADS_CHANGED = DueKind("leads_changed", LeadsChanged)


class Noticeboard:
    """Keeps notices, mails them, and keeps what drivers want by mail."""

    def __init__(
        self,
        database: Database,
        notices: Notices,
        postman: Postman,
        schedule: Schedule,
        clockwork: Clockwork,
        layout_of: LayoutOf,
    ) -> None:
        self._database = database
        self._notices = notices
        self._wishes = MailWishesStore(database)
        self._accounts = Accounts(database)
        self._postman = postman
        self._schedule = schedule
        self._layout_of = layout_of
        clockwork.exactly_once(NOTICE_MAIL, self._mail)

    async def tell(self, session: Session, notice: Notice, now: datetime) -> None:
        """Keeps `notice` in the transaction of what it is about; nothing more happens if it was told before."""
        told = await self._notices.keep(session, notice, now)
        if told is not None and notice.to == "driver" and notice.what in NOTICE_WORDS:
            await self._schedule.put(NOTICE_MAIL, told.id, now, NoticeDue(told.id), session=session)

    async def wishes_of(self, user: str) -> MailWishes:
        """What a driver wants by mail."""
        return await self._wishes.of(user)

    async def wish(
        self, user: str, fields: Mapping[str, Any], versions: Collection[int] | None, now: datetime
    ) -> MailWishes:
        """Sets `topics`, `quiet` or `leads` as given. `PreconditionFailed` unless it has one of `versions` (None: any).
        What is open already follows new `leads` in a moment (`reminding.py`)."""

        async def work(session: Session) -> MailWishes:
            before = await self._wishes.of(user, session=session)
            if versions is not None and before.version not in versions:
                raise PreconditionFailed("it was changed since you read it: read it again, then decide")
            after = before.changed(fields)
            await self._wishes.replace(user, before, after, session=session)
            if before.leads != after.leads:
                await self._schedule.ensure(LEADS_CHANGED, user, now, LeadsChanged(user), session=session)
            return after

        return await self._database.transaction(work)

    async def exported(self, user: str) -> Sequence[Mapping[str, Any]]:
        """The notices of a driver, for the export of one's data."""
        return [_exported(told) for told in await self._notices.of_driver(user, EXPORTED_LIMIT)]

    async def erase(self, session: Session, user: str, now: datetime) -> None:  # noqa: ARG002 - the shape of an erasure
        """Forgets what somebody wanted; notices go by themselves after 90 days and lead to nobody meanwhile."""
        await self._wishes.erase(user, session=session)

    async def _mail(self, session: Session, due: NoticeDue, now: datetime) -> None:
        told = await self._notices.find(due.notice_id)
        if told is None or told.notice.user is None:
            return
        account = await self._accounts.find(told.notice.user, session=session)
        if account is None or account.state != "active":
            return
        wishes = await self._wishes.of(account.id, session=session)
        layout = self._layout_of(told.notice.lot)
        name, zone = (layout.name, ZoneInfo(layout.time_zone)) if layout else (told.notice.lot, UTC)
        written = mail_of(told, wishes, name, zone)
        if written is None or (written.until is not None and written.until <= now):
            return
        words = {"subject": written.subject, "text": written.text}
        mail = Mail("notice", account.email, {**words, "link": written.link, "link_words": written.link_words})
        at = max(now, written.at)
        await self._postman.post(mail, f"notice:{told.id}", at, until=written.until, session=session)


def _exported(told: ToldNotice) -> Mapping[str, Any]:
    notice = told.notice
    return {
        "at": rfc3339(told.at),
        "what": notice.what,
        "subject": notice.subject,
        "lot": notice.lot,
        "facts": dict(notice.facts),
    }
