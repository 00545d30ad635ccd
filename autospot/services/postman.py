"""Outgoing mail: put in the due-queue by whoever causes it, written and handed over when its row falls due.

A mail is sent at least once. It is sent twice only if the process dies between the mail server's "250 OK" and the
removal of the row, a few milliseconds; both copies then carry one `Message-ID`, by which mail systems know a duplicate.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from typing import Protocol

import orjson

from autospot.clock import Clock
from autospot.domain.due import Backoff, Due, GiveUp
from autospot.domain.errors import Unavailable
from autospot.domain.ids import new_id
from autospot.domain.mail import Mail
from autospot.services.clockwork import Clockwork, DueKind, Schedule
from autospot.services.keys import Purpose, SecretKeys, Unreadable
from autospot.services.mail_texts import MailText, MailTexts
from autospot.storage.mails import Mails, StoredMail
from autospot.storage.mongo import Session


@dataclass(frozen=True, slots=True)
class SealedMail:
    """A mail as it waits in the queue: addresses, names and codes are not to be read from the database."""

    template: str
    sealed: str


MAIL = DueKind(
    "mail",
    SealedMail,
    backoff=Backoff(attempts=32, first_seconds=5.0, longest_seconds=3600.0),
    lease=timedelta(seconds=60),
    at_once=4,
)
"""Tries over most of a day, as mail systems themselves do (RFC 5321 4.5.4.1), then a dead letter."""


class MailTransport(Protocol):
    """What takes a mail over."""

    async def send(self, message: EmailMessage, to: str) -> None:
        """Returns once it is taken over; raises `GiveUp` if it never will be, `Unavailable` if it may be later."""


class Postman:
    """Takes mails in (`post`), and hands them over when they fall due.

    `sender` is the address that mails come from, with or without a name: `AutoSpot <parking@example.org>`.
    """

    def __init__(
        self,
        schedule: Schedule,
        clockwork: Clockwork,
        keys: SecretKeys,
        texts: MailTexts,
        transport: MailTransport,
        clock: Clock,
        sender: str,
    ) -> None:
        self._schedule = schedule
        self._keys = keys
        self._texts = texts
        self._transport = transport
        self._clock = clock
        self._sender = sender_address(sender)
        clockwork.at_least_once(MAIL, self._deliver)

    async def post(
        self,
        mail: Mail,
        key: str,
        at: datetime,
        *,
        until: datetime | None = None,
        session: Session | None = None,
    ) -> None:
        """Puts `mail` in the queue, in the transaction of what causes it. `key` names the occasion: one mail each.

        After `until` it is not sent any more, like a code that has expired.
        """
        text = orjson.dumps({"to": mail.to, "values": dict(mail.values)}).decode()
        sealed = self._keys.seal(Purpose.MAIL_SEAL, text, bound_to=key)
        await self._schedule.put(MAIL, key, at, SealedMail(mail.template, sealed), until=until, session=session)

    async def _deliver(self, sealed: SealedMail, due: Due) -> None:
        mail = self._opened(sealed, due.key)
        message = self._message(mail, self._texts.written(mail), due.key)
        await self._transport.send(message, mail.to)

    def _opened(self, sealed: SealedMail, key: str) -> Mail:
        try:
            content: Mapping[str, dict[str, str]] = orjson.loads(
                self._keys.open(Purpose.MAIL_SEAL, sealed.sealed, bound_to=key)
            )
        except Unreadable as error:
            raise GiveUp(f"the mail cannot be opened: {error}") from error
        return Mail(sealed.template, str(content["to"]), content["values"])

    def _message(self, mail: Mail, text: MailText, key: str) -> EmailMessage:
        message = EmailMessage(policy=SMTP)
        message["From"] = self._sender
        message["To"] = recipient_address(mail.to)
        message["Subject"] = text.subject
        message["Date"] = format_datetime(self._clock.now())
        message["Message-ID"] = f"<{hashlib.sha256(key.encode()).hexdigest()[:32]}@{self._sender.domain}>"
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no holiday replies, please
        message.set_content(text.text)
        message.add_alternative(text.html, subtype="html")
        return message


class NoMailServer:
    """The transport of an installation that has named no mail server: mails wait, and end as dead letters."""

    async def send(self, message: EmailMessage, to: str) -> None:  # noqa: ARG002 - the shape of a transport
        """Raises `Unavailable`."""
        raise Unavailable("no mail server is set: AUTOSPOT_SMTP_URL")


class MailboxTransport:
    """The demo's transport: keeps mails where the mailbox page shows them, instead of sending them."""

    def __init__(self, mails: Mails, clock: Clock) -> None:
        self._mails = mails
        self._clock = clock

    async def send(self, message: EmailMessage, to: str) -> None:
        plain, html = message.get_body(("plain",)), message.get_body(("html",))
        await self._mails.add(
            StoredMail(
                id=new_id("eml"),
                message_id=str(message["Message-ID"]),
                to=to,
                subject=str(message["Subject"]),
                text=plain.get_content() if plain else "",
                html=html.get_content() if html else "",
                at=self._clock.now(),
            )
        )


def sender_address(text: str) -> Address:
    """`AutoSpot <parking@example.org>` or a bare address; `ValueError` for anything else."""
    name, address = parseaddr(text)
    return Address(name or "AutoSpot", addr_spec=address)


def recipient_address(text: str) -> Address:
    """One address and nothing else; `GiveUp` for a list, a group, a line break or other headers inside."""
    try:
        return Address(addr_spec=text)
    except (ValueError, IndexError) as error:
        raise GiveUp("this is no mail address") from error
