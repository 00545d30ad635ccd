"""`autospot due`: what fell due and was given up, and doing it again. Exit codes: 0, 1 (no such row), 2 (usage)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any, Final, TypeVar

import typer

from autospot.clock import SystemClock
from autospot.domain.errors import NotFound
from autospot.domain.instant import rfc3339
from autospot.settings import load_settings
from autospot.storage.due import DeadLetter, DueRows
from autospot.storage.mongo import Database

SHOWN: Final = 1_000
"""Dead letters that are listed, or done again, at a time; the newest ones."""

app = typer.Typer(no_args_is_help=True, help="What fell due and was given up, and doing it again.")

Done = TypeVar("Done")
Kind = Annotated[str | None, typer.Option(help="Only rows of this kind.")]
AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]


@app.command("list")
def list_dead(kind: Kind = None, as_json: AsJson = False) -> None:
    """Dead letters, newest first: what, since when, after how many tries, and why."""
    letters = _run(lambda rows: rows.dead(SHOWN, kind=kind))
    if as_json:
        print(json.dumps([_fields(each) for each in letters]))
        return
    for each in letters:
        print(f"{rfc3339(each.dead_at)}  {each.due.kind}  {each.due.key}  {each.due.attempts} tries: {each.reason}")


@app.command()
def retry(
    kind: Annotated[str | None, typer.Argument(help="As `list` shows it.")] = None,
    key: Annotated[str | None, typer.Argument(help="As `list` shows it; left out: every row of the kind.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Rows of every kind.")] = False,
    as_json: AsJson = False,
) -> None:
    """Have dead letters done again, now, with all their tries. A running program takes them up at once."""
    if every == (kind is not None):
        raise typer.BadParameter("name a kind, or give --all")
    revived = _run(lambda rows: _revive(rows, kind, key))
    print(json.dumps([_name(each) for each in revived]) if as_json else f"{len(revived)} to be done again")


async def _revive(rows: DueRows, kind: str | None, key: str | None) -> Sequence[DeadLetter]:
    letters = [each for each in await rows.dead(SHOWN, kind=kind) if key in (None, each.due.key)]
    if key is not None and not letters:
        raise NotFound(f"there is no dead letter {kind} {key}")
    now = SystemClock().now()
    return [each for each in letters if await rows.revive(each.due.kind, each.due.key, now)]


def _run(work: Callable[[DueRows], Awaitable[Done]]) -> Done:
    async def run() -> Done:
        settings = load_settings()
        database = Database(settings.mongo_url, settings.mongo_db)
        try:
            await database.ping()
            return await work(DueRows(database))
        finally:
            database.close()

    return asyncio.run(run())


def _name(letter: DeadLetter) -> dict[str, str]:
    return {"kind": letter.due.kind, "key": letter.due.key}


def _fields(letter: DeadLetter) -> dict[str, Any]:
    # The payload is left out: it may be about somebody.
    return {
        **_name(letter),
        "attempts": letter.due.attempts,
        "dead_at": rfc3339(letter.dead_at),
        "reason": letter.reason,
    }
