"""People for tests: the real services on a real database, a clock that is set, a mailbox that can be read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from autospot.clock import SetClock
from autospot.domain.access import Role
from autospot.domain.accounts.account import Account
from autospot.domain.audit import SYSTEM
from autospot.services.accounts.people import MailRoom, People, people
from autospot.services.accounts.sign_in import SignedIn
from autospot.services.keys import SecretKeys
from autospot.services.passwords import HashCost
from autospot.services.postman import MailboxTransport, MailTransport
from autospot.storage.mails import Mails, StoredMail
from autospot.storage.mongo import Database

SECRET = "a secret for tests, of more than 32 characters"
PASSWORD = "otter-ruled trombone"
CHEAP = HashCost(memory_kib=64)
SENDER = "AutoSpot <parking@example.org>"
SITE = "https://parking.example.org"


def present() -> datetime:
    """When tests begin. Near the machine's time, because MongoDB itself removes what expired by that."""
    return datetime.now(UTC).replace(microsecond=0)


@dataclass
class Town:
    """Everything a test about people needs."""

    database: Database
    clock: SetClock
    keys: SecretKeys
    people: People
    mails: Mails

    async def settle(self) -> None:
        """Does everything that is due, and what that makes due, up to the clock's time."""
        while await self.people.clockwork.run_due():
            pass

    async def mails_to(self, email: str) -> list[StoredMail]:
        """What was mailed to an address, newest first."""
        await self.settle()
        return [mail for mail in await self.mails.newest(200) if mail.to == email]

    async def code_mailed_to(self, email: str) -> str:
        """The code in the newest mail to an address."""
        newest, *_ = await self.mails_to(email)
        found = re.search(r"^\s+(\d{6})$", newest.text, re.MULTILINE)
        assert found, newest.text
        return found[1]

    async def driver(
        self, email: str = "dora@example.org", password: str = PASSWORD, *, name: str = "Dora"
    ) -> SignedIn:
        """Somebody who has registered, proven the address and is signed in."""
        registration = await self.people.registering.ask(email, password, name=name, language="en")
        return await self.people.registering.verify(registration, await self.code_mailed_to(email), client="test")

    async def member(
        self, email: str, *roles: Role, lots: tuple[str, ...] = (), password: str = PASSWORD, name: str = "Otto"
    ) -> Account:
        """Somebody who works here."""
        return await self.people.staff.add(email, password, name=name, roles=roles, lots=lots, actor=SYSTEM)

    async def sign_in(self, email: str, password: str = PASSWORD, *, place: str = "192.0.2.1") -> SignedIn:
        return await self.people.sign_in.with_password(email, password, client="test", place=place)


def a_town(database: Database, *, transport: MailTransport | None = None, secrets: tuple[str, ...] = (SECRET,)) -> Town:
    """A town on `database`, whose mail goes to the mailbox unless a transport is given."""
    clock, keys, mails = SetClock(present()), SecretKeys(secrets), Mails(database)
    room = MailRoom(transport or MailboxTransport(mails, clock), SENDER, SITE)
    return Town(database, clock, keys, people(database, keys, clock, room, cost=CHEAP), mails)
