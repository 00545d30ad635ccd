"""`autospot users`: the people who work with AutoSpot. The first admin is made here; drivers register by themselves."""

from __future__ import annotations

import asyncio
import getpass
import json
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Annotated, Any

import typer
from pydantic import EmailStr, TypeAdapter, ValidationError

from autospot.clock import SystemClock
from autospot.domain.access import Role
from autospot.domain.accounts.account import Account
from autospot.domain.audit import Actor
from autospot.domain.errors import InvalidInput
from autospot.domain.ids import is_code
from autospot.services.accounts.staff import Staff
from autospot.services.audit import Audit
from autospot.services.passwords import Passwords
from autospot.settings import load_settings
from autospot.storage import people
from autospot.storage.accounts import Accounts
from autospot.storage.api_keys import ApiKeys
from autospot.storage.audit import AuditLog
from autospot.storage.mongo import Database
from autospot.storage.tokens import Families

app = typer.Typer(no_args_is_help=True, help=__doc__)

Email = Annotated[str, typer.Argument(help="The address that the person signs in with.")]
Roles = Annotated[list[Role], typer.Option("--role", help="May be given several times.")]
Lots = Annotated[
    list[str] | None, typer.Option("--lot", help="A lot the person works for; may be given several times.")
]
AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]


@app.command()
def add(
    email: Email,
    role: Roles,
    name: Annotated[str, typer.Option(help="What the person is called.")] = "",
    lot: Lots = None,
    password_stdin: Annotated[
        bool, typer.Option(help="Read the password from standard input, up to the line's end.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Make an account. The password is asked for, twice, unless it comes from standard input."""
    password = sys.stdin.readline().rstrip("\r\n") if password_stdin else _asked_password()
    address, lots = _address(email), _lots(lot)
    said = name or address.partition("@")[0]
    _run(lambda staff: _show(staff.add(address, password, name=said, roles=role, lots=lots, actor=_me()), as_json))


@app.command("list")
def list_staff(as_json: AsJson = False) -> None:
    """Everybody who is more than a driver."""
    _run(lambda staff: _show_all(staff, as_json))


@app.command()
def grant(email: Email, role: Roles, lot: Lots = None, as_json: AsJson = False) -> None:
    """Set the roles and lots of an account; what it had before is gone. Ends its sign-ins and API keys."""
    _run(lambda staff: _show(staff.grant(_address(email), roles=role, lots=_lots(lot), actor=_me()), as_json))


@app.command()
def suspend(email: Email, as_json: AsJson = False) -> None:
    """Keep somebody out, at once, until restored."""
    _run(lambda staff: _show(staff.step(_address(email), "suspend", _me()), as_json))


@app.command()
def restore(email: Email, as_json: AsJson = False) -> None:
    """Let somebody in again."""
    _run(lambda staff: _show(staff.step(_address(email), "restore", _me()), as_json))


def _asked_password() -> str:
    password = getpass.getpass("Password: ")
    if getpass.getpass("Once more: ") != password:
        raise InvalidInput("the two passwords differ", at="/password")
    return password


def _address(text: str) -> str:
    try:
        return str(TypeAdapter(EmailStr).validate_python(text))
    except ValidationError:
        raise typer.BadParameter(f"{text!r} is no e-mail address") from None


def _lots(given: list[str] | None) -> list[str]:
    for lot in given or []:
        if not is_code(lot):
            raise typer.BadParameter(f"{lot!r} is no lot code")
    return given or []


def _me() -> Actor:
    try:
        return Actor("command_line", getpass.getuser())
    except (KeyError, OSError):  # a container's user need not have a name
        return Actor("command_line", f"uid {os.getuid()}")


def _run(work: Callable[[Staff], Awaitable[None]]) -> None:
    async def run() -> None:
        async with _staff() as staff:
            await work(staff)

    asyncio.run(run())


@asynccontextmanager
async def _staff() -> AsyncIterator[Staff]:
    settings = load_settings()
    database, passwords = Database(settings.mongo_url, settings.mongo_db), Passwords()
    try:
        await database.ping()
        await database.prepare(people.DECLARED)
        yield Staff(
            database,
            Accounts(database),
            Families(database),
            ApiKeys(database),
            passwords,
            Audit(AuditLog(database)),
            SystemClock(),
        )
    finally:
        passwords.close()
        database.close()


async def _show(made: Awaitable[Account], as_json: bool) -> None:
    account = await made
    print(json.dumps(_fields(account)) if as_json else _line(account))


async def _show_all(staff: Staff, as_json: bool) -> None:
    accounts = [account async for account in staff.all()]
    if as_json:
        print(json.dumps([_fields(account) for account in accounts]))
        return
    for account in accounts:
        print(_line(account))


def _fields(account: Account) -> dict[str, Any]:
    return {
        "id": account.id,
        "email": account.email,
        "name": account.name,
        "roles": sorted(account.roles),
        "lots": sorted(account.lots),
        "state": account.state,
    }


def _line(account: Account) -> str:
    lots = f" of {', '.join(sorted(account.lots))}" if account.lots else ""
    state = "" if account.state == "active" else f" ({account.state})"
    return f"{account.email}  {', '.join(sorted(account.roles))}{lots}{state}"
