"""Handing mails to a mail server (RFC 5321). SES, SendGrid and the rest all speak it: see `docs/mail.md`."""

from __future__ import annotations

from dataclasses import dataclass, field
from email.message import EmailMessage
from ipaddress import ip_address
from typing import Literal
from urllib.parse import parse_qs, unquote, urlsplit

import aiosmtplib

from autospot.domain.due import GiveUp
from autospot.domain.errors import InvalidInput, Unavailable

ANSWER_SECONDS = 15.0

Tls = Literal["from_start", "required", "if_offered"]


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """Where mails go. The password is not in the repr."""

    host: str
    port: int
    tls: Tls
    user: str | None = None
    password: str | None = field(default=None, repr=False)


def smtp_server(url: str) -> SmtpServer:
    """The server of `smtp://[user:password@]host[:port][?starttls=1]` or `smtps://…`.

    `smtps` speaks TLS from the first byte (port 465). `smtp` (port 587 with a user, else 25) turns to TLS by STARTTLS:
    always with `starttls=1` or a user, since a password never crosses a network in the clear; else if it is offered.
    `InvalidInput` for anything else, without the URL in it.
    """
    parts, at = urlsplit(url), "/smtp_url"
    options = parse_qs(parts.query)
    if parts.scheme not in {"smtp", "smtps"} or not parts.hostname or parts.path not in {"", "/"}:
        raise InvalidInput("AUTOSPOT_SMTP_URL: write smtp://user:password@host:587 or smtps://…", at=at)
    if options.keys() - {"starttls"} or options.get("starttls", ["1"]) not in (["0"], ["1"]):
        raise InvalidInput("AUTOSPOT_SMTP_URL: the only option is starttls=0 or starttls=1", at=at)
    wants_tls = options.get("starttls") == ["1"]
    if parts.username and options.get("starttls") == ["0"] and not _is_loopback(parts.hostname):
        raise InvalidInput("AUTOSPOT_SMTP_URL: a password needs TLS: drop starttls=0", at=at)
    return SmtpServer(
        host=parts.hostname,
        port=parts.port or _usual_port(parts.scheme, parts.username),
        tls=_tls(parts.scheme, wants_tls or (bool(parts.username) and "starttls" not in options)),
        user=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
    )


def _usual_port(scheme: str, user: str | None) -> int:
    if scheme == "smtps":
        return 465
    return 587 if user else 25


def _tls(scheme: str, is_required: bool) -> Tls:
    if scheme == "smtps":
        return "from_start"
    return "required" if is_required else "if_offered"


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class SmtpTransport:
    """Sends through one server, a connection per mail: mails are few and far between."""

    def __init__(self, server: SmtpServer, *, answer_seconds: float = ANSWER_SECONDS) -> None:
        self._server = server
        self._answer_seconds = answer_seconds

    async def send(self, message: EmailMessage, to: str) -> None:
        """Returns when the server took responsibility for the mail.

        `GiveUp` when it refused for good (5xx), `Unavailable` when it may take it later (4xx, no answer, no TLS, or a
        sign-in that failed: that is for an operator to put right, the mail is not to blame).
        """
        server = self._server
        try:
            await aiosmtplib.send(
                message,
                recipients=[to],
                hostname=server.host,
                port=server.port,
                username=server.user,
                password=server.password,
                use_tls=server.tls == "from_start",
                start_tls=_STARTTLS[server.tls],
                timeout=self._answer_seconds,
            )
        except aiosmtplib.SMTPRecipientsRefused as error:
            raise _refused(error.recipients[0].code) from error
        except aiosmtplib.SMTPAuthenticationError as error:
            raise Unavailable("the mail server does not let AutoSpot sign in") from error
        except aiosmtplib.SMTPResponseException as error:
            raise _refused(error.code) from error
        except (aiosmtplib.SMTPException, OSError) as error:
            raise Unavailable(f"the mail server cannot be used: {type(error).__name__}") from error


_STARTTLS: dict[Tls, bool | None] = {"from_start": False, "required": True, "if_offered": None}


def _refused(code: int) -> Exception:
    if 500 <= code < 600:
        return GiveUp(f"the mail server refused the mail: {code}")
    return Unavailable(f"the mail server put the mail off: {code}")
