"""`autospot due`, as an operator at three in the morning meets it, and what the metrics say before that."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta

import pytest
from prometheus_client import CollectorRegistry
from typer.testing import CliRunner, Result

from autospot.cli_due import app
from autospot.clock import SetClock
from autospot.domain.due import Due, GiveUp
from autospot.domain.errors import NotFound
from autospot.due_watch import DueWatch
from autospot.storage.mongo import Database
from tests.support.clockwork import DEED, OTHER, Deed, Worker

Command = Callable[..., Result]


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, mongo_url: str, people_db_name: str) -> Command:
    monkeypatch.setenv("AUTOSPOT_MONGO_URL", mongo_url)
    monkeypatch.setenv("AUTOSPOT_MONGO_DB", people_db_name)

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(app, list(arguments))

    return run


@pytest.fixture
async def dead(worker: Worker) -> Worker:
    """Three rows that were given up: two of the kind `deed`, one of another."""

    async def refuse(deed: Deed, due: Due) -> None:
        raise GiveUp("the other side has moved")

    for kind in (DEED, OTHER):
        worker.clockwork.at_least_once(kind, refuse)
    await worker.put(1, 2)
    await worker.put(3, kind=OTHER)
    await worker.clockwork.run_due()
    return worker


async def rows(database: Database, state: str) -> list[str]:
    return sorted([row["_id"] async for row in database.collection("due").find({"state": state})])


def test_nothing_given_up_is_an_empty_list(command: Command) -> None:
    assert (command("list").stdout, command("list", "--json").stdout) == ("", "[]\n")


def test_the_list_says_what_and_why_and_not_about_whom(command: Command, dead: Worker) -> None:
    lines = command("list").stdout.splitlines()
    assert len(lines) == 3
    assert all("1 tries: the other side has moved" in line for line in lines)
    [other] = json.loads(command("list", "--kind", "other", "--json").stdout)
    assert (other["kind"], other["key"], other["attempts"]) == ("other", "3", 1)
    assert other.keys() == {"kind", "key", "attempts", "dead_at", "reason"}


@pytest.mark.parametrize(
    ("arguments", "waiting"),
    [
        (["deed", "1"], ["deed:1"]),
        (["deed"], ["deed:1", "deed:2"]),
        (["--all"], ["deed:1", "deed:2", "other:3"]),
    ],
)
def test_what_is_named_is_done_again(
    command: Command, dead: Worker, mongo_url: str, people_db_name: str, arguments: list[str], waiting: list[str]
) -> None:
    revived = json.loads(command("retry", *arguments, "--json").stdout)
    assert sorted(f"{each['kind']}:{each['key']}" for each in revived) == waiting
    assert len(json.loads(command("list", "--json").stdout)) == 3 - len(waiting)


def test_a_row_that_is_not_there_and_a_question_that_says_nothing(command: Command, dead: Worker) -> None:
    missing = command("retry", "deed", "9")
    assert isinstance(missing.exception, NotFound)
    for arguments in ([], ["deed", "--all"]):
        assert command("retry", *arguments).exit_code == 2


async def test_a_row_is_done_again_once_its_reason_is_gone(dead: Worker, clock: SetClock) -> None:
    assert await dead.rows.revive("deed", "1", clock.now())
    again = Worker(dead.database, clock)
    again.clockwork.exactly_once(DEED, again.insert)
    assert await again.clockwork.run_due() == 1
    assert await rows(dead.database, "dead") == ["deed:2", "other:3"]


async def test_the_metrics_tell_of_dead_letters_and_of_what_is_late(dead: Worker, clock: SetClock) -> None:
    registry = CollectorRegistry()
    watch = DueWatch(dead.rows, clock, registry)
    await watch.look()
    assert registry.get_sample_value("autospot_due_dead", {"kind": "deed"}) == 2
    assert registry.get_sample_value("autospot_due_late_seconds") == 0

    await dead.rows.revive("deed", "1", clock.now())
    clock.move(timedelta(minutes=5))
    await watch.look()
    assert registry.get_sample_value("autospot_due_dead", {"kind": "deed"}) == 1
    assert registry.get_sample_value("autospot_due_late_seconds") == 300
