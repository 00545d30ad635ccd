"""Becoming a driver: a registration, a code by mail, an account.

There is no account before the address is proven, and the code only opens the registration that it was sent for. So
nobody can sit on somebody else's address, nor slip his own password under somebody else's confirmation.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from autospot.clock import Clock
from autospot.domain.access import Role
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
from autospot.domain.ids import new_id
from autospot.domain.mail import Mail
from autospot.services.accounts.addresses import address_subject, code_hash
from autospot.services.accounts.sign_in import SignedIn, SignIn
from autospot.services.audit import Audit
from autospot.services.clockwork import Clockwork, DueKind, Schedule
from autospot.services.keys import SecretKeys
from autospot.services.passwords import Passwords
from autospot.services.postman import Postman
from autospot.storage.accounts import Accounts, Registration, Registrations
from autospot.storage.attempts import Attempts
from autospot.storage.codes import Codes
from autospot.storage.mongo import Database, Session


@dataclass(frozen=True, slots=True)
class Asked:
    """Somebody registered: his address wants a mail."""

    registration_id: str


REGISTRATION_ASKED = DueKind("registration_asked", Asked)


class Registering:
    """Takes registrations and makes accounts of those that prove their address."""

    def __init__(
        self,
        database: Database,
        accounts: Accounts,
        registrations: Registrations,
        codes: Codes,
        attempts: Attempts,
        passwords: Passwords,
        keys: SecretKeys,
        schedule: Schedule,
        clockwork: Clockwork,
        postman: Postman,
        sign_in: SignIn,
        audit: Audit,
        clock: Clock,
    ) -> None:
        self._database = database
        self._accounts = accounts
        self._registrations = registrations
        self._codes = codes
        self._attempts = attempts
        self._passwords = passwords
        self._keys = keys
        self._schedule = schedule
        self._postman = postman
        self._sign_in = sign_in
        self._audit = audit
        self._clock = clock
        clockwork.exactly_once(REGISTRATION_ASKED, self._mail_code)

    async def ask(self, email: str, password: str, *, name: str, language: str) -> str:
        """Takes a registration and returns its id. The same work and answer whether the address has an account.

        `InvalidInput` (code `weak_password`) for a password that is guessed early.
        """
        text, now = check_password(password, email=email), self._clock.now()
        asked = Registration(new_id("reg"), email, name, language, await self._passwords.hash(text), now)

        async def work(session: Session) -> None:
            await self._registrations.add(asked, session=session)
            await self._schedule.put(REGISTRATION_ASKED, asked.id, now, Asked(asked.id), session=session)

        await self._database.transaction(work)
        return asked.id

    async def verify(self, registration_id: str, code: str, *, client: str) -> SignedIn:
        """Makes the account, and signs its owner in. `InvalidInput` (code `wrong_code`) for everything that does not
        fit; `Conflict` (code `email_taken`) if the address got an account meanwhile."""
        now = self._clock.now()
        guess = code_hash(self._keys, "register", registration_id, code)
        issued = await self._codes.take_try("register", registration_id, now)
        asked = await self._registrations.find(registration_id)
        if not opens(issued, guess, now) or asked is None:
            raise wrong_code()
        account = _new_driver(asked, now)
        await self._make(account, asked, guess, now)
        return await self._sign_in.begin(account, client)

    async def _make(self, account: Account, asked: Registration, guess: bytes, now: datetime) -> None:
        async def work(session: Session) -> None:
            if not await self._codes.use("register", asked.id, guess, session=session):
                raise wrong_code()
            await self._accounts.add(account, asked.password_hash, session=session)
            await self._registrations.remove(asked.id, session=session)
            actor = Actor("user", account.id)
            await self._audit.record(session, actor, "account.made", account.id, now, after={"roles": ["driver"]})

        await self._database.transaction(work)

    async def _mail_code(self, session: Session, asked: Asked, now: datetime) -> None:
        registration = await self._registrations.find(asked.registration_id, session=session)
        if registration is None:
            return
        counter = f"register:{address_subject(self._keys, registration.email)}"
        if not may_issue(await self._attempts.seen(counter, session=session), now):
            return  # nobody's mailbox is filled through us
        await self._attempts.add(counter, now, keep=CODES_PER_DAY, memory=CODE_MEMORY, session=session)
        key, to = f"register:{registration.id}", registration.email
        if await self._accounts.find_by_email(to, session=session):
            await self._postman.post(Mail("already_registered", to), key, now, session=session)
            return
        code = new_code()
        hashed = code_hash(self._keys, "register", registration.id, code)
        await self._codes.issue("register", registration.id, hashed, now, session=session)
        mail = Mail("verify_email", to, {"code": code, "minutes": f"{CODE_LIFETIME.total_seconds() / 60:.0f}"})
        await self._postman.post(mail, key, now, until=now + CODE_LIFETIME, session=session)


def _new_driver(asked: Registration, now: datetime) -> Account:
    return Account(
        id=new_id("usr"),
        email=asked.email,
        name=asked.name,
        language=asked.language,
        roles=frozenset({Role.DRIVER}),
        lots=frozenset(),
        state="active",
        created_at=now,
        version=1,
    )
