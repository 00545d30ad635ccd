"""A new password for who has lost the old one: a code by mail, then the password.

Asking writes one row and answers; what the address is worth is looked at later, by the due-queue. So neither the answer
nor its time can tell whether there is an account. A code is issued for unknown addresses too, and mailed to nobody:
guessing at one costs what guessing at the other does.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from autospot.clock import Clock
from autospot.domain.accounts.account import Account
from autospot.domain.accounts.one_time_code import (
    CODE_LIFETIME,
    CODE_MEMORY,
    CODES_PER_DAY,
    may_issue,
    new_code,
    opens,
    wrong_code,
)
from autospot.domain.accounts.password import check_password
from autospot.domain.audit import Actor
from autospot.domain.mail import Mail
from autospot.services.accounts.addresses import address_subject, code_hash
from autospot.services.accounts.password_change import NewPasswords
from autospot.services.clockwork import Clockwork, DueKind, Schedule
from autospot.services.keys import SecretKeys
from autospot.services.passwords import Passwords
from autospot.services.postman import Postman
from autospot.storage.accounts import Accounts
from autospot.storage.attempts import Attempts
from autospot.storage.codes import Codes
from autospot.storage.mongo import Database, Session


@dataclass(frozen=True, slots=True)
class Asked:
    """Somebody wants the password of this address reset."""

    email: str


RESET_ASKED = DueKind("password_reset_asked", Asked)


class PasswordReset:
    """Sends codes, and takes a new password from whoever has one."""

    def __init__(
        self,
        database: Database,
        accounts: Accounts,
        codes: Codes,
        attempts: Attempts,
        passwords: Passwords,
        keys: SecretKeys,
        schedule: Schedule,
        clockwork: Clockwork,
        postman: Postman,
        new_passwords: NewPasswords,
        clock: Clock,
    ) -> None:
        self._database = database
        self._accounts = accounts
        self._codes = codes
        self._attempts = attempts
        self._passwords = passwords
        self._keys = keys
        self._schedule = schedule
        self._postman = postman
        self._new_passwords = new_passwords
        self._clock = clock
        clockwork.exactly_once(RESET_ASKED, self._issue_code)

    async def ask(self, email: str) -> None:
        """Notes the wish. One per address waits at a time."""
        subject = address_subject(self._keys, email)
        await self._schedule.put(RESET_ASKED, subject, self._clock.now(), Asked(email))

    async def confirm(self, email: str, code: str, password: str, *, request_id: str | None = None) -> None:
        """Sets the password and ends every sign-in of the account. `InvalidInput`: code `wrong_code` for everything
        that does not fit, code `weak_password` for a password that is guessed early (this costs no try)."""
        text, now = check_password(password, email=email), self._clock.now()
        subject = address_subject(self._keys, email)
        guess = code_hash(self._keys, "reset_password", subject, code)
        issued = await self._codes.take_try("reset_password", subject, now)
        if not opens(issued, guess, now):
            raise wrong_code()
        account = await self._accounts.find_by_email(email)
        if account is None or account.state != "active":
            raise wrong_code()
        await self._set(account, await self._passwords.hash(text), subject, guess, now, request_id)

    async def _set(
        self, account: Account, password_hash: str, subject: str, guess: bytes, now: datetime, request_id: str | None
    ) -> None:
        async def work(session: Session) -> None:
            if not await self._codes.use("reset_password", subject, guess, session=session):
                raise wrong_code()
            actor = Actor("user", account.id, request_id)
            await self._new_passwords.store(session, account, password_hash, actor, now, keep_family=None)

        await self._database.transaction(work)

    async def _issue_code(self, session: Session, asked: Asked, now: datetime) -> None:
        subject = address_subject(self._keys, asked.email)
        counter = f"reset:{subject}"
        if not may_issue(await self._attempts.seen(counter, session=session), now):
            return  # a code that nobody has cannot be guessed either
        await self._attempts.add(counter, now, keep=CODES_PER_DAY, memory=CODE_MEMORY, session=session)
        code = new_code()
        hashed = code_hash(self._keys, "reset_password", subject, code)
        await self._codes.issue("reset_password", subject, hashed, now, session=session)
        account = await self._accounts.find_by_email(asked.email, session=session)
        if account is not None and account.state == "active":
            minutes = f"{CODE_LIFETIME.total_seconds() / 60:.0f}"
            mail = Mail("reset_password", account.email, {"code": code, "minutes": minutes})
            key = f"reset:{subject}:{now.timestamp():.3f}"
            await self._postman.post(mail, key, now, until=now + CODE_LIFETIME, session=session)
