"""`autospot users`, as somebody at a terminal meets it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pymongo
import pytest
from typer.testing import CliRunner, Result

from autospot.cli_users import app
from autospot.domain.errors import AutoSpotError, Conflict, InvalidInput, NotFound

Users = Callable[..., Result]
PASSWORD = "otter-ruled trombone"


@pytest.fixture
def users(monkeypatch: pytest.MonkeyPatch, mongo_url: str, mongo_db_name: str) -> Users:
    monkeypatch.setenv("AUTOSPOT_MONGO_URL", mongo_url)
    monkeypatch.setenv("AUTOSPOT_MONGO_DB", mongo_db_name)

    def run(*arguments: str, typed: str | None = None) -> Result:
        return CliRunner().invoke(app, list(arguments), input=typed)

    return run


def add(users: Users, email: str, *more: str, password: str = PASSWORD) -> Result:
    return users("add", email, "--password-stdin", *more, typed=password + "\n")


def listed(users: Users) -> list[dict[str, Any]]:
    rows = json.loads(users("list", "--json").stdout)
    assert isinstance(rows, list)
    return rows


def test_the_first_admin_is_made_and_listed(users: Users, mongo_url: str, mongo_db_name: str) -> None:
    made = add(users, "ada@example.org", "--role", "admin", "--name", "Ada")

    assert (made.exit_code, made.stdout) == (0, "ada@example.org  admin\n")
    [ada] = listed(users)
    assert (ada["email"], ada["name"], ada["roles"], ada["lots"]) == ("ada@example.org", "Ada", ["admin"], [])
    with pymongo.MongoClient[dict[str, Any]](mongo_url) as client:
        [entry] = client[mongo_db_name]["audit"].find()
        [account] = client[mongo_db_name]["accounts"].find()
    assert (entry["action"], entry["actor"]["kind"]) == ("account.made", "command_line")
    assert account["password_hash"].startswith("$argon2id$v=19$m=47104,t=1,p=1$")


def test_an_operator_belongs_to_lots_and_can_be_given_others(users: Users) -> None:
    add(users, "otto@example.org", "--role", "operator", "--lot", "harbour", "--lot", "market")
    granted = users("grant", "otto@example.org", "--role", "attendant", "--lot", "airport")
    assert granted.stdout == "otto@example.org  attendant of airport\n"
    [otto] = listed(users)
    assert (otto["roles"], otto["lots"]) == (["attendant"], ["airport"])


def test_somebody_is_kept_out_and_let_in_again(users: Users) -> None:
    add(users, "otto@example.org", "--role", "operator")
    assert users("suspend", "otto@example.org").stdout == "otto@example.org  operator (suspended)\n"
    assert users("restore", "otto@example.org").stdout == "otto@example.org  operator\n"


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["grant", "nobody@example.org", "--role", "admin"], NotFound),
        (["suspend", "nobody@example.org"], NotFound),
        (["add", "ada@example.org", "--role", "driver", "--lot", "harbour", "--password-stdin"], InvalidInput),
    ],
)
def test_a_refusal_is_one_of_ours(users: Users, arguments: list[str], error: type[AutoSpotError]) -> None:
    result = users(*arguments, typed=PASSWORD + "\n")
    assert isinstance(result.exception, error)


def test_an_address_is_taken_once_and_a_weak_password_not_at_all(users: Users) -> None:
    add(users, "ada@example.org", "--role", "admin")
    assert isinstance(add(users, "Ada@example.org", "--role", "admin").exception, Conflict)
    weak = add(users, "bob@example.org", "--role", "admin", password="password1")
    assert isinstance(weak.exception, InvalidInput)


@pytest.mark.parametrize(
    "arguments",
    [
        ["add", "no address", "--role", "admin", "--password-stdin"],
        ["add", "ada@example.org", "--role", "king", "--password-stdin"],
        ["add", "ada@example.org", "--password-stdin"],
        ["add", "otto@example.org", "--role", "operator", "--lot", "a lot/", "--password-stdin"],
    ],
)
def test_wrong_usage_is_told_as_such(users: Users, arguments: list[str]) -> None:
    assert users(*arguments, typed=PASSWORD + "\n").exit_code == 2
