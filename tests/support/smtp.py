"""A real SMTP server for tests (aiosmtpd): keeps what it takes, refuses what it is told to refuse, can be dead."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

from tests.support.services import free_port

HOST = "127.0.0.1"


@dataclass
class Inbox:
    """An aiosmtpd handler. `replies` are given to the next mails instead of taking them, `"hang up"` cuts them off."""

    replies: list[str] = field(default_factory=list)
    refuse_recipient: str | None = None
    mails: list[EmailMessage] = field(default_factory=list)
    recipients: list[list[str]] = field(default_factory=list)
    signed_in: list[bool] = field(default_factory=list)
    over_tls: list[bool] = field(default_factory=list)

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.refuse_recipient:
            return self.refuse_recipient
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - likewise
        if self.replies:
            reply = self.replies.pop(0)
            if reply != "take it, then hang up":
                return reply
            self._take(session, envelope)
            assert server.transport is not None
            server.transport.abort()
            return "250 OK"
        self._take(session, envelope)
        return "250 OK"

    def _take(self, session: Session, envelope: Envelope) -> None:
        content = envelope.content
        assert isinstance(content, bytes)
        message = message_from_bytes(content, policy=default)
        assert isinstance(message, EmailMessage)
        self.mails.append(message)
        self.recipients.append(list(envelope.rcpt_tos))
        self.signed_in.append(session.authenticated)
        self.over_tls.append(session.ssl is not None)


class MailServer:
    """A server on a loopback port of its own; stops and starts on the same port."""

    def __init__(self, *, tls: ssl.SSLContext | None = None, user: str | None = None, password: str = "") -> None:
        self.inbox = Inbox()
        self.port = free_port()
        self._options: dict[str, Any] = {}
        if tls is not None:
            self._options |= {"tls_context": tls, "require_starttls": True}
        if user is not None:
            right = (user.encode(), password.encode())

            def authenticate(
                server: SMTP, session: Session, envelope: Envelope, mechanism: str, given: Any
            ) -> AuthResult:
                return AuthResult(success=(given.login, given.password) == right, handled=False)

            self._options |= {"authenticator": authenticate, "auth_required": True}
        self._controller: Controller | None = None

    @property
    def url(self) -> str:
        return f"smtp://{HOST}:{self.port}"

    def start(self) -> None:
        self._controller = Controller(self.inbox, hostname=HOST, port=self.port, **self._options)
        self._controller.start()

    def stop(self) -> None:
        if self._controller is not None:
            self._controller.stop(no_assert=True)
            self._controller = None
