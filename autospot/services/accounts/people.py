"""Everything about people, wired together: what the programs, the command line and the tests start from."""

from __future__ import annotations

from dataclasses import dataclass

from autospot.clock import Clock
from autospot.services.accounts.api_keys import KeyCabinet
from autospot.services.accounts.own_data import OwnData
from autospot.services.accounts.password_change import NewPasswords
from autospot.services.accounts.password_reset import PasswordReset
from autospot.services.accounts.profile import Profiles
from autospot.services.accounts.registration import Registering
from autospot.services.accounts.sign_in import SignIn
from autospot.services.accounts.staff import Staff
from autospot.services.accounts.vehicles import Garage
from autospot.services.audit import Audit
from autospot.services.clockwork import Clockwork, Schedule
from autospot.services.keys import SecretKeys
from autospot.services.mail_texts import MailTexts
from autospot.services.passwords import HashCost, Passwords
from autospot.services.postman import MailTransport, Postman
from autospot.services.revocations import Revocations
from autospot.services.signals import Signals
from autospot.storage import accounts, api_keys, attempts, audit, codes, due, tokens, vehicles
from autospot.storage.mongo import Database


@dataclass(frozen=True, slots=True)
class MailRoom:
    """How mail leaves: who carries it, whom it is from, and where its links lead."""

    transport: MailTransport
    sender: str
    site: str


@dataclass(frozen=True, slots=True)
class People:
    """The services. `signals`, `revocations` and `clockwork` each have a `run` for the program to keep running."""

    schedule: Schedule
    clockwork: Clockwork
    signals: Signals
    revocations: Revocations
    audit: Audit
    passwords: Passwords
    postman: Postman
    sign_in: SignIn
    registering: Registering
    password_reset: PasswordReset
    profiles: Profiles
    garage: Garage
    own_data: OwnData
    api_keys: KeyCabinet
    staff: Staff


def people(
    database: Database, keys: SecretKeys, clock: Clock, mail_room: MailRoom, *, cost: HashCost | None = None
) -> People:
    """Wires the services. Nothing runs yet, and nothing is asked of the database."""
    persons, families = accounts.Accounts(database), tokens.Families(database)
    counters, machine_keys = attempts.Attempts(database), api_keys.ApiKeys(database)
    one_time_codes, rows = codes.Codes(database), due.DueRows(database)
    schedule, clockwork, signals = Schedule(rows), Clockwork(database, rows, clock), Signals(database)
    signals.on_row(clockwork.hurry)
    signals.on_resync(clockwork.hurry)
    log, passwords = Audit(audit.AuditLog(database)), Passwords(cost)
    postman = Postman(
        schedule, clockwork, keys, MailTexts(mail_room.site), mail_room.transport, clock, mail_room.sender
    )
    sign_in = SignIn(persons, families, tokens.RefreshTokens(database), counters, passwords, keys, clock)
    new_passwords = NewPasswords(persons, families, postman, log)
    profiles = Profiles(database, persons, passwords, sign_in, new_passwords, log, clock)
    garage = Garage(database, vehicles.Vehicles(database), keys, schedule, clockwork, log, clock)
    return People(
        schedule=schedule,
        clockwork=clockwork,
        signals=signals,
        revocations=Revocations(families, clock, signals),
        audit=log,
        passwords=passwords,
        postman=postman,
        sign_in=sign_in,
        registering=Registering(
            database,
            persons,
            accounts.Registrations(database),
            one_time_codes,
            counters,
            passwords,
            keys,
            schedule,
            clockwork,
            postman,
            sign_in,
            log,
            clock,
        ),
        password_reset=PasswordReset(
            database,
            persons,
            one_time_codes,
            counters,
            passwords,
            keys,
            schedule,
            clockwork,
            postman,
            new_passwords,
            clock,
        ),
        profiles=profiles,
        garage=garage,
        own_data=OwnData(database, persons, families, machine_keys, profiles, garage, postman, log, clock),
        api_keys=KeyCabinet(database, machine_keys, log, clock),
        staff=Staff(database, persons, families, machine_keys, passwords, log, clock),
    )
