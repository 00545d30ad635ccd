"""`autospot lots`: generate, import and export lot files.

Exit codes: 0, 1 (the file or the database refused, with the place on standard error), 2 (usage).
"""

from __future__ import annotations

import asyncio
import io
import json
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import IO, Annotated, Any, Literal, NoReturn

import typer
from rich.console import Console
from rich.progress import Progress

from autospot.clock import SystemClock
from autospot.domain.ids import is_code
from autospot.domain.lot import BAYS_LIMIT, Lot
from autospot.domain.lot_files import InvalidLots, Problem, lot_json, read_lots, write_lots
from autospot.domain.lot_files.csv_file import read_csv
from autospot.domain.lot_files.generate import LOTS_LIMIT, generate_lots
from autospot.domain.lot_files.geojson_read import read_geojson
from autospot.domain.lot_files.geojson_write import geojson_of
from autospot.domain.lot_files.json_file import BETWEEN, CLOSING, OPENING
from autospot.services.registry import Registry
from autospot.settings import load_settings
from autospot.storage.lots import INDEXES, Lots, Saved
from autospot.storage.mongo import Database

app = typer.Typer(help="Generate, import and export lots.", no_args_is_help=True)

STANDARD_INPUT = Path("-")
CHUNK_CHARACTERS = 1 << 16
NAMED_BAYS = 10
"""So many removed bays are named; of more, only the number is told."""

Format = Literal["json", "geojson", "csv"]
_FORMAT_OF_SUFFIX: dict[str, Format] = {".json": "json", ".geojson": "geojson", ".csv": "csv"}

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]


@app.command()
def generate(
    lots: Annotated[int, typer.Option(min=0, max=LOTS_LIMIT, help="How many lots.")] = 20,
    bays: Annotated[int, typer.Option(min=1, max=BAYS_LIMIT, help="Bays of each lot.")] = 500,
    prefix: Annotated[str, typer.Option(help="Codes are PREFIX000, PREFIX001, …")] = "L",
) -> None:
    """Print a lot file with made-up lots."""
    if not is_code(f"{prefix}{max(lots - 1, 0):03d}"):
        raise typer.BadParameter("use A-Z a-z 0-9 . _ - and keep it short", param_hint="--prefix")
    for piece in write_lots(generate_lots(lots, bays, prefix)):
        sys.stdout.write(piece)


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="A lot file, GeoJSON or CSV; - reads standard input.")],
    *,
    format_: Annotated[Format | None, typer.Option("--format", help="Else the file's name tells; json for -.")] = None,
    lot: Annotated[str | None, typer.Option(help="Code of the lot (GeoJSON, CSV).")] = None,
    name: Annotated[str | None, typer.Option(help="Name of the lot (GeoJSON, CSV).")] = None,
    time_zone: Annotated[str | None, typer.Option(help="Such as Europe/Berlin (GeoJSON, CSV).")] = None,
    check: Annotated[bool, typer.Option("--check", help="Only look for mistakes; store nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Check a file and store its lots. A file with a mistake stores nothing; running programs take lots up at once."""
    if file != STANDARD_INPUT and not file.is_file():
        raise typer.BadParameter(f"there is no file {str(file)!r}", param_hint="FILE")
    about = {key: value for key, value in (("lot", lot), ("name", name), ("time_zone", time_zone)) if value is not None}
    kind = format_ or _FORMAT_OF_SUFFIX.get(file.suffix.lower(), "json")
    with _refusals(file, as_json=as_json), _text_of(file) as text:
        number = sum(1 for _ in _lots_in(text, kind, about))
        if check:
            _print({"lots": number}, f"{number} lot{'' if number == 1 else 's'}, no mistake", as_json=as_json)
            return
        text.seek(0)
        asyncio.run(_import(_lots_in(text, kind, about, checked_before=True), number, as_json=as_json))


@app.command()
def export(
    lots: Annotated[list[str] | None, typer.Argument(help="Codes; all lots if none is named.")] = None,
    format_: Annotated[Literal["json", "geojson"], typer.Option("--format", help="GeoJSON takes one lot.")] = "json",
) -> None:
    """Print stored lots as a lot file, or one as GeoJSON."""
    if format_ == "geojson" and len(lots or ()) != 1:
        raise typer.BadParameter("GeoJSON is one lot: name it", param_hint="LOTS")
    with _refusals(Path("export"), as_json=False):
        asyncio.run(_export(lots or [], format_))


def _lots_in(text: IO[str], kind: Format, about: dict[str, Any], *, checked_before: bool = False) -> Iterator[Lot]:
    match kind:
        case "json":
            return read_lots(iter(lambda: text.read(CHUNK_CHARACTERS), ""), checked_before=checked_before)
        case "csv":
            return read_csv(text, about)
        case "geojson":
            return iter([read_geojson(text.read(), about)])


@contextmanager
def _text_of(file: Path) -> Iterator[IO[str]]:
    """The file as text that can be read twice: standard input is kept in a temporary file."""
    if file != STANDARD_INPUT:
        with file.open(encoding="utf-8-sig", newline="") as text:
            yield text
        return
    with tempfile.TemporaryFile() as kept:
        shutil.copyfileobj(sys.stdin.buffer, kept)
        kept.seek(0)
        with io.TextIOWrapper(kept, encoding="utf-8-sig", newline="") as text:
            yield text


@contextmanager
def _refusals(file: Path, *, as_json: bool) -> Iterator[None]:
    """Tells every problem with its place, and ends with 1."""
    try:
        yield
    except UnicodeDecodeError:
        _refuse(file, [Problem("", "this is no UTF-8 text")], as_json=as_json)
    except InvalidLots as error:
        _refuse(file, error.problems, as_json=as_json)


def _refuse(file: Path, problems: Iterable[Problem], *, as_json: bool) -> NoReturn:
    if as_json:
        typer.echo(json.dumps({"problems": [asdict(problem) for problem in problems]}))
    else:
        name = "standard input" if file == STANDARD_INPUT else file
        for problem in problems:
            typer.echo(f"{name}: {problem}", err=True)
    raise typer.Exit(1)


def _print(document: Any, text: str, *, as_json: bool) -> None:
    typer.echo(json.dumps(document) if as_json else text)


@asynccontextmanager
async def _opened() -> AsyncIterator[Lots]:
    settings = load_settings()
    database = Database(settings.mongo_url, settings.mongo_db)
    try:
        await database.prepare(INDEXES)
        yield Lots(database)
    finally:
        database.close()


async def _import(lots: Iterable[Lot], number: int, *, as_json: bool) -> None:
    tally = {"added": 0, "changed": 0, "unchanged": 0}
    told: list[dict[str, Any]] = []
    async with _opened() as stored:
        with Progress(console=Console(stderr=True), disable=not sys.stderr.isatty(), transient=True) as progress:
            task = progress.add_task("lots", total=number)
            async for saved in Registry(stored).import_lots(lots, SystemClock().now()):
                progress.advance(task)
                tally[saved.outcome] += 1
                if as_json:
                    told.append(asdict(saved))
                elif saved.outcome != "unchanged":
                    typer.echo(_line(saved))
    _print({"lots": told, **tally}, ", ".join(f"{count} {word}" for word, count in tally.items()), as_json=as_json)


def _line(saved: Saved) -> str:
    line = f"{saved.outcome} {saved.lot}: version {saved.version}, {saved.bays} bays"
    if saved.outcome == "changed" and saved.added_bays:
        line += f", {len(saved.added_bays)} new"
    if saved.removed_bays:
        named = " ".join(saved.removed_bays[:NAMED_BAYS])
        more = f" and {len(saved.removed_bays) - NAMED_BAYS} more" if len(saved.removed_bays) > NAMED_BAYS else ""
        line += f", {len(saved.removed_bays)} removed: {named}{more}"
    return line


async def _export(codes: list[str], kind: Literal["json", "geojson"]) -> None:
    async with _opened() as lots:
        named = [await Registry(lots).lot(code) for code in codes]
        if kind == "geojson":
            typer.echo(json.dumps(geojson_of(named[0]), ensure_ascii=False))
            return
        sys.stdout.write(OPENING)
        between = ""
        async for lot in _each(named) if codes else _all(lots):
            sys.stdout.write(between + lot_json(lot))
            between = BETWEEN
        sys.stdout.write(CLOSING)


async def _each(lots: list[Lot]) -> AsyncIterator[Lot]:
    for lot in lots:
        yield lot


async def _all(lots: Lots) -> AsyncIterator[Lot]:
    async for stored in lots.load_all():
        yield stored.lot
