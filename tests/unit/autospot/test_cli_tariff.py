"""`autospot tariff` tells an operator what a tariff does before anybody pays by it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from autospot.cli_tariff import app
from autospot.domain.tariff.document import DOCUMENT_LIMIT_BYTES
from tests.support.tariffs import CLIMBING, day_and_night, document


def run(*arguments: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(app, list(arguments), input=stdin)


@pytest.fixture
def file(tmp_path: Path):
    def write(whole: dict[str, Any]) -> str:
        path = tmp_path / "tariff.json"
        path.write_text(json.dumps(whole))
        return str(path)

    return write


def test_a_sound_tariff_is_said_to_be_sound(file):
    done = run("check", file(document(CLIMBING)))
    assert done.exit_code == 0
    assert done.stdout.startswith("harbour/1@")
    assert done.stdout.endswith(": 0 findings, 0 accepted\n")


def test_a_finding_is_told_with_its_place_and_fails(file):
    done = run("check", file(document(day_and_night("session"))))
    assert done.exit_code == 1
    assert done.stdout.startswith("/price/rounding_scope: price_falls: when 'Day' gives way to 'Night'")


def test_a_finding_that_is_accepted_is_told_and_does_not_fail(file):
    done = run("check", file(document(day_and_night("session"), accepts=["price_falls"])))
    assert done.exit_code == 0
    assert "/price/rounding_scope: price_falls (accepted): " in done.stdout


def test_findings_are_there_for_programs_too(file):
    done = run("check", "--json", file(document(day_and_night("session"))))
    assert done.exit_code == 1
    (finding,) = json.loads(done.stdout)["findings"]
    assert (finding["code"], finding["at"], finding["accepted"]) == ("price_falls", "/price/rounding_scope", False)


@pytest.mark.parametrize("command", ["check", "curve"])
def test_a_document_that_is_refused_is_told_with_every_place(file, command: str):
    path = file(document(CLIMBING, currency="EUX", version="1"))
    done = run(command, path)
    assert (done.exit_code, done.stdout) == (1, "")
    assert [line.split(":")[0] for line in done.stderr.splitlines()] == ["/version", "/currency"]
    refused = run(command, "--json", path)
    assert refused.exit_code == 1
    assert [problem["at"] for problem in json.loads(refused.stdout)["problems"]] == ["/version", "/currency"]


def test_a_document_comes_from_standard_input_and_is_not_read_without_end():
    assert run("check", "-", stdin=json.dumps(document(CLIMBING))).exit_code == 0
    endless = run("check", "-", stdin=" " * (DOCUMENT_LIMIT_BYTES * 2))
    assert (endless.exit_code, "at most" in endless.stderr) == (1, True)


def test_the_curve_is_a_line_for_each_change_of_the_price(file):
    done = run("curve", file(document(CLIMBING, free_minutes=10)), "--entry", "2026-06-01T08:00", "--hours", "1")
    assert done.exit_code == 0
    assert [line.split() for line in done.stdout.splitlines()] == [
        ["0:00:01", "Mon", "2026-06-01", "08:00:01", "0.00", "EUR"],
        ["0:10:01", "Mon", "2026-06-01", "08:10:01", "3.00", "EUR"],
    ]


def test_an_entry_is_on_the_lots_clock_unless_it_has_an_offset(file):
    path = file(document(CLIMBING, kinds={"ev": 200}))
    on_the_clock = run("curve", path, "--entry", "2026-06-01T08:00", "--json", "--hours", "1")
    with_offset = run("curve", path, "--entry", "2026-06-01T06:00+00:00", "--json", "--hours", "1")
    assert json.loads(on_the_clock.stdout) == json.loads(with_offset.stdout)
    assert json.loads(on_the_clock.stdout)["entry"] == "2026-06-01T06:00:00.000Z"
    dearer = run("curve", path, "--entry", "2026-06-01T08:00", "--json", "--hours", "1", "--kind", "ev")
    assert json.loads(dearer.stdout)["points"] == [{"elapsed_seconds": 1, "amount": 600}]


def test_without_an_entry_the_curve_begins_on_the_first_morning(file):
    done = run("curve", file(document(CLIMBING, valid_from="2026-06-01")), "--json")
    assert json.loads(done.stdout)["entry"] == "2026-06-01T06:00:00.000Z"


@pytest.mark.parametrize(
    "arguments",
    [
        ["check", "nowhere.json"],
        ["check"],
        ["curve", "FILE", "--entry", "soon"],
        ["curve", "FILE", "--entry", "9999-12-31T23:00"],
        ["curve", "FILE", "--hours", "0"],
        ["curve", "FILE", "--kind", "boat"],
    ],
)
def test_a_wrong_call_is_a_usage_error(file, arguments: list[str]):
    path = file(document(CLIMBING))
    assert run(*(path if argument == "FILE" else argument for argument in arguments)).exit_code == 2


def test_a_curve_with_too_many_points_is_refused_in_words(file):
    per_minute = {"type": "progressive", "rates": [{"per_hour": 60}]}
    done = run("curve", file(document(per_minute)), "--hours", "8000")
    assert done.exit_code == 1
    assert "ask for fewer hours" in done.stderr
