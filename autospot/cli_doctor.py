"""`autospot doctor`: audit the books, and let money move again once they agree.

Exit codes: 0 (the books agree), 1 (they do not, or money is stopped), 2 (usage).
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict
from typing import Annotated

import typer

from autospot.clock import SystemClock
from autospot.domain.instant import rfc3339
from autospot.services.auditor import Auditor, AuditReport
from autospot.services.clockwork import Clockwork, Schedule
from autospot.services.paid_things import paid_things
from autospot.settings import load_settings
from autospot.storage.audits import LedgerAudits
from autospot.storage.due import DueRows
from autospot.storage.money_stop import MoneyStop, Stop
from autospot.storage.mongo import Database

app = typer.Typer(help="Audit the books.", invoke_without_command=True)


@app.callback()
def doctor(
    *,
    resume: Annotated[
        bool, typer.Option("--resume", help="Let money move again if nothing is wrong any more.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
) -> None:
    """Check that every transfer balances, wallets agree with their transfers, all accounts add up to zero, every hold
    was settled once, every payment has its money, and bookings, sessions and subscriptions are paid as they say. A
    mismatch stops all money."""
    settings = load_settings()
    report, stop = asyncio.run(_audited(settings.mongo_url, settings.mongo_db, is_to_resume=resume))
    if as_json:
        typer.echo(json.dumps(_as_json(report, stop), ensure_ascii=False))
    else:
        _print(report, stop)
    raise typer.Exit(0 if report.is_clean and stop is None else 1)


async def _audited(url: str, name: str, *, is_to_resume: bool) -> tuple[AuditReport, Stop | None]:
    database = Database(url, name)
    try:
        auditor = auditor_of(database)
        report = await (auditor.resume() if is_to_resume else auditor.audit())
        return report, await auditor.stopped()
    finally:
        database.close()


def auditor_of(database: Database) -> Auditor:
    """An auditor that works when told to."""
    clock, rows = SystemClock(), DueRows(database)
    clockwork = Clockwork(database, rows, clock)
    auditor = Auditor(database, LedgerAudits(database), MoneyStop(database), Schedule(rows), clockwork, clock)
    auditor.also(paid_things(database))
    return auditor


def _print(report: AuditReport, stop: Stop | None) -> None:
    for each in report.mismatches:
        typer.echo(f"{each.check}: {each.subject} {each.words}")
    sums = ", ".join(f"{currency} {total}" for currency, total in sorted(report.sums.items())) or "nothing"
    typer.echo(f"{report.accounts} accounts, {report.wallets} of them wallets, add up to: {sums}")
    typer.echo("the books agree" if report.is_clean else f"{len(report.mismatches)} mismatches")
    if stop is not None:
        typer.echo(f"money is stopped since {rfc3339(stop.at)}: {stop.reason}")


def _as_json(report: AuditReport, stop: Stop | None) -> dict[str, object]:
    return {
        "at": rfc3339(report.at),
        "accounts": report.accounts,
        "wallets": report.wallets,
        "sums": dict(report.sums),
        "mismatches": [asdict(each) for each in report.mismatches],
        "stopped": None if stop is None else {"at": rfc3339(stop.at), "reason": stop.reason},
    }
