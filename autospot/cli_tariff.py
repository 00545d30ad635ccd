"""`autospot tariff`: look at a tariff before anybody pays by it.

Exit codes: 0, 1 (the document is refused, or has findings that it does not accept), 2 (usage).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, get_args
from zoneinfo import ZoneInfo

import typer

from autospot.domain.errors import InvalidInput
from autospot.domain.instant import rfc3339
from autospot.domain.lot import BayKind
from autospot.domain.money import Money
from autospot.domain.tariff import InvalidTariff, Problem, Tariff, curve, lint, parse_tariff, valid_from
from autospot.domain.tariff.document import DOCUMENT_LIMIT_BYTES
from autospot.domain.tariff.explain import local_text
from autospot.domain.tariff.timeline import FIRST_YEAR, LAST_YEAR

app = typer.Typer(help="Check tariffs and draw their price curves.", no_args_is_help=True)

STANDARD_INPUT = Path("-")
CURVE_HOURS_LIMIT = 24 * 366
FIRST_ENTRY = timedelta(hours=8)
"""Without `--entry` the curve begins so long after the tariff does: a morning on the first day it is valid."""

Document = Annotated[Path, typer.Argument(help="A tariff document, JSON; - reads standard input.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]


@app.command()
def check(file: Document, *, as_json: AsJson = False) -> None:
    """Read a tariff and list what is wrong with it or probably not meant."""
    with _refusals(as_json=as_json):
        tariff = parse_tariff(_bytes_of(file))
        findings = lint(tariff)
        if as_json:
            _print_json({"tariff_version": tariff.version_id, "findings": [each._asdict() for each in findings]})
        else:
            for each in findings:
                note = " (accepted)" if each.accepted else ""
                typer.echo(f"{each.at}: {each.code}{note}: {each.message}")
            typer.echo(
                f"{tariff.version_id}: {len(findings)} findings, {sum(each.accepted for each in findings)} accepted"
            )
        if not all(each.accepted for each in findings):
            raise typer.Exit(1)


@app.command("curve")
def draw(
    file: Document,
    *,
    entry: Annotated[str | None, typer.Option(help="Such as 2026-06-01T08:00, in the lot's time.")] = None,
    hours: Annotated[int, typer.Option(min=1, max=CURVE_HOURS_LIMIT, help="How far to look.")] = 24,
    kind: Annotated[str | None, typer.Option(help="The kind of bay, such as ev.")] = None,
    as_json: AsJson = False,
) -> None:
    """Print every length of stay at which the price changes."""
    if kind is not None and kind not in get_args(BayKind):
        raise typer.BadParameter(f"one of {', '.join(get_args(BayKind))}", param_hint="--kind")
    with _refusals(as_json=as_json):
        tariff = parse_tariff(_bytes_of(file))
        begin = _entry(tariff, entry)
        points = curve(tariff, begin, begin + timedelta(hours=hours), kind=kind)
    if as_json:
        found = [{"elapsed_seconds": elapsed, "amount": amount} for elapsed, amount in points]
        head = {"tariff_version": tariff.version_id, "entry": rfc3339(begin), "currency": tariff.currency}
        _print_json({**head, "points": found})
        return
    for elapsed, amount in points:
        leave = (begin + timedelta(seconds=elapsed)).astimezone(ZoneInfo(tariff.time_zone))
        hour, minute, second = elapsed // 3600, elapsed // 60 % 60, elapsed % 60
        typer.echo(
            f"{hour:5d}:{minute:02d}:{second:02d}  {local_text(leave):<23}  {Money(amount, tariff.currency)!s:>14}"
        )


def _entry(tariff: Tariff, text: str | None) -> datetime:
    """The entry asked for; a time without an offset is on the lot's clock, the first of two in autumn."""
    if text is None:
        return datetime.fromtimestamp(valid_from(tariff), UTC) + FIRST_ENTRY
    try:
        stated = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no time such as 2026-06-01T08:00", param_hint="--entry") from None
    if not FIRST_YEAR <= stated.year <= LAST_YEAR:
        raise typer.BadParameter(f"a year from {FIRST_YEAR} to {LAST_YEAR}", param_hint="--entry")
    return stated if stated.tzinfo else stated.replace(tzinfo=ZoneInfo(tariff.time_zone))


def _bytes_of(file: Path) -> bytes:
    if file == STANDARD_INPUT:
        return sys.stdin.buffer.read(DOCUMENT_LIMIT_BYTES + 1)
    if not file.is_file():
        raise typer.BadParameter(f"there is no file {str(file)!r}", param_hint="FILE")
    with file.open("rb") as opened:
        return opened.read(DOCUMENT_LIMIT_BYTES + 1)  # enough to be refused for its size


@contextmanager
def _refusals(*, as_json: bool) -> Iterator[None]:
    """What is refused is listed with its places, and the exit code is 1."""
    try:
        yield
    except InvalidInput as refusal:
        found = refusal.problems if isinstance(refusal, InvalidTariff) else (Problem(refusal.at, refusal.message),)
        if as_json:
            _print_json({"problems": [problem._asdict() for problem in found]})
        else:
            typer.echo("\n".join(f"{problem.at or 'document'}: {problem.message}" for problem in found), err=True)
        raise typer.Exit(1) from None


def _print_json(value: dict[str, Any]) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False))
