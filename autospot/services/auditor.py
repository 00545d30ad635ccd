"""The audit of the books. It trusts nothing that the cashier believes; on a mismatch all money stops."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from autospot.clock import Clock
from autospot.domain.due import Backoff, Due
from autospot.domain.ledger import Account, Balance
from autospot.services.clockwork import Clockwork, DueKind, Schedule
from autospot.storage.audits import Key, LedgerAudits
from autospot.storage.money_stop import MoneyStop, Stop
from autospot.storage.mongo import Database, Session

EVERY = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Mismatch:
    """Something that does not agree. `check` says which rule is broken, `subject` what breaks it."""

    check: str
    subject: str
    words: str


@dataclass(frozen=True, slots=True)
class AuditReport:
    """The outcome of an audit. `sums` is what all accounts of a currency add up to: zero."""

    at: datetime
    accounts: int
    wallets: int
    sums: Mapping[str, int]
    mismatches: tuple[Mismatch, ...]

    @property
    def is_clean(self) -> bool:
        """True if the books agree."""
        return not self.mismatches


@dataclass(frozen=True, slots=True)
class AuditRound:
    """The scheduled audit."""


AUDIT = DueKind("ledger_audit", AuditRound, backoff=Backoff(attempts=1000), lease=timedelta(seconds=90), at_once=1)

Check = Callable[[Session], Awaitable[Sequence[Mismatch]]]
"""A further rule that another service knows, such as that each paid booking has its money; asked in that snapshot."""

log = structlog.get_logger(__name__)


class Auditor:
    """Audits, by order and on schedule.

    Guarantees: everything is read in one snapshot, so payments that go on meanwhile cannot look like faults; a mismatch
    stops money before the audit returns; an audit never lets money move again by itself.
    """

    def __init__(
        self,
        database: Database,
        audits: LedgerAudits,
        stop: MoneyStop,
        schedule: Schedule,
        clockwork: Clockwork,
        clock: Clock,
    ) -> None:
        self._database = database
        self._audits = audits
        self._stop = stop
        self._schedule = schedule
        self._clock = clock
        self._checks: list[Check] = []
        clockwork.at_least_once(AUDIT, self._round)

    def also(self, check: Check) -> None:
        """Adds a rule to every audit."""
        self._checks.append(check)

    async def plan(self) -> None:
        """Puts the schedule in motion; it then goes on by itself, in whichever process."""
        await self._schedule.put(AUDIT, "ledger", self._clock.now() + EVERY, AuditRound())

    async def audit(self) -> AuditReport:
        """Audits now."""
        report = await self._database.transaction(self._read)
        if not report.is_clean:
            first = report.mismatches[0]
            reason = f"{len(report.mismatches)} mismatches, first {first.check} of {first.subject}: {first.words}"
            log.critical("money_stopped", reason=reason)
            await self._stop.stop(reason, report.at)
        return report

    async def stopped(self) -> Stop | None:
        """Since when and why money is stopped; None while it moves."""
        return await self._stop.current()

    async def resume(self) -> AuditReport:
        """Audits, and lets money move again if nothing is found."""
        report = await self.audit()
        if report.is_clean and await self._stop.resume():
            log.warning("money_resumed")
        return report

    async def _round(self, _round: AuditRound, due: Due) -> None:
        await self.audit()
        await self._schedule.move(AUDIT, due.key, self._clock.now() + EVERY, AuditRound())

    async def _read(self, session: Session) -> AuditReport:
        added, noted = await self._audits.added_up(session), await self._audits.noted(session)
        sums = _sums(added, noted)
        mismatches = [
            *_named("balanced_transfer", await self._audits.malformed(session), "does not balance in itself"),
            *_wallet_mismatches(added, noted),
            *(Mismatch("zero_sum", each, f"all accounts add up to {total}") for each, total in sums.items() if total),
            *_named("settled_once", await self._audits.wrong_settlements(session), "is no settlement of one hold"),
            *_named("payment_has_money", await self._audits.payments_without_money(session), "took what is not there"),
            *_named("money_has_payment", await self._audits.money_without_payment(session), "took more or less"),
        ]
        for check in self._checks:
            mismatches += await check(session)
        return AuditReport(self._clock.now(), len(added), len(noted), sums, tuple(mismatches))


def _named(check: str, subjects: Sequence[str], words: str) -> Iterator[Mismatch]:
    return (Mismatch(check, subject, words) for subject in subjects)


def _wallet_mismatches(added: Mapping[Key, Balance], noted: Mapping[Key, Balance]) -> Iterator[Mismatch]:
    guarded = {key for key in added if Account.parse(key[0]).is_guarded}
    for key in sorted(guarded | noted.keys()):
        account, currency = key
        by_transfers, by_document = added.get(key, Balance()), noted.get(key, Balance())
        if by_transfers != by_document:
            words = f"has {by_document.posted} {currency}, its transfers say {by_transfers.posted}"
            if by_transfers.posted == by_document.posted:
                words = (
                    f"holds {by_document.pending_debits} {currency}, its transfers say {by_transfers.pending_debits}"
                )
            yield Mismatch("wallet_agrees", account, words)
        if by_document.available < 0:
            yield Mismatch("never_below_zero", account, f"has {by_document.available} {currency} to spend")


def _sums(added: Mapping[Key, Balance], noted: Mapping[Key, Balance]) -> dict[str, int]:
    """Per currency, wallets as their documents have them, all other accounts as their transfers add up."""
    sums: dict[str, int] = {}
    for key in added.keys() | noted.keys():
        balance = noted.get(key) or added.get(key, Balance())
        sums[key[1]] = sums.get(key[1], 0) + balance.posted
    return sums
