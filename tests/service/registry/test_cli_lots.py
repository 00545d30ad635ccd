"""`autospot lots` as an operator uses it, against a real database."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from autospot.cli_lots import app
from autospot.domain.lot_files import read_lots

Lots = Callable[..., Result]


@pytest.fixture
def lots(mongo_url: str, mongo_db_name: str) -> Lots:
    """Runs `autospot lots …` in an empty database."""

    def run(*arguments: str, typed: str | None = None) -> Result:
        environment = {"AUTOSPOT_MONGO_URL": mongo_url, "AUTOSPOT_MONGO_DB": mongo_db_name}
        return CliRunner().invoke(app, list(arguments), input=typed, env=environment)

    return run


def test_what_is_generated_is_imported_and_comes_out_again_the_same(lots: Lots, tmp_path: Path) -> None:
    generated = lots("generate", "--lots", "3", "--bays", "40", "--prefix", "T").stdout
    file = tmp_path / "lots.json"
    file.write_text(generated, encoding="utf-8")

    assert lots("import", str(file)).stdout.splitlines()[-1] == "3 added, 0 changed, 0 unchanged"
    assert lots("import", str(file)).stdout == "0 added, 0 changed, 3 unchanged\n"
    assert lots("export").stdout == generated
    assert [lot.lot for lot in read_lots([lots("export", "T001").stdout])] == ["T001"]


def test_standard_input_is_read_and_the_outcome_is_json_for_programs(lots: Lots) -> None:
    outcome = lots("import", "-", "--json", typed=lots("generate", "--lots", "1", "--bays", "2").stdout)
    assert json.loads(outcome.stdout) == {
        "lots": [
            {
                "lot": "L000",
                "outcome": "added",
                "version": 1,
                "bays": 2,
                "added_bays": ["B00000", "B00001"],
                "removed_bays": [],
            }
        ],
        "added": 1,
        "changed": 0,
        "unchanged": 0,
    }


def test_bays_that_go_are_told(lots: Lots) -> None:
    lots("import", "-", typed=lots("generate", "--lots", "1", "--bays", "14").stdout)
    outcome = lots("import", "-", typed=lots("generate", "--lots", "1", "--bays", "2").stdout)
    removed = " ".join(f"B{number:05d}" for number in range(2, 12))
    assert outcome.stdout.splitlines() == [
        f"changed L000: version 2, 2 bays, 12 removed: {removed} and 2 more",
        "0 added, 1 changed, 0 unchanged",
    ]


def test_a_file_with_a_mistake_in_its_last_lot_stores_nothing(lots: Lots, tmp_path: Path) -> None:
    document = json.loads(lots("generate", "--lots", "2", "--bays", "3").stdout)
    document["lots"][1]["bays"][2]["level"] = "P7"
    file = tmp_path / "lots.json"
    file.write_text(json.dumps(document), encoding="utf-8")

    refused = lots("import", str(file))
    assert refused.exit_code == 1
    assert refused.stderr == f"{file}: /lots/1/bays/2/level: there is no level 'P7'\n"
    assert list(read_lots([lots("export").stdout])) == []

    assert json.loads(lots("import", str(file), "--json").stdout) == {
        "problems": [{"at": "/lots/1/bays/2/level", "message": "there is no level 'P7'"}]
    }


def test_a_check_stores_nothing(lots: Lots) -> None:
    generated = lots("generate", "--lots", "2", "--bays", "3").stdout
    assert lots("import", "-", "--check", typed=generated).stdout == "2 lots, no mistake\n"
    assert list(read_lots([lots("export").stdout])) == []


def test_csv_and_geojson_are_told_apart_by_the_name_of_the_file(lots: Lots, tmp_path: Path) -> None:
    table = tmp_path / "court.csv"
    table.write_text("bay,kind\n1,ev\n2,\n", encoding="utf-8")
    assert lots("import", str(table), "--lot", "court", "--time-zone", "Europe/Berlin").exit_code == 0

    lots("import", "-", typed=lots("generate", "--lots", "1", "--bays", "60", "--prefix", "M").stdout)
    as_map = tmp_path / "map.geojson"
    as_map.write_text(lots("export", "M000", "--format", "geojson").stdout, encoding="utf-8")
    assert lots("import", str(as_map), "--lot", "M001").exit_code == 0

    stored = {lot.lot: lot for lot in read_lots([lots("export").stdout])}
    assert [bay.kind for bay in stored["court"].bays] == ["ev", "general"]
    assert stored["M001"].bays == stored["M000"].bays


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"\xff\xfe{}", "this is no UTF-8 text"),
        (b'{"lots": [', "the file ends too early"),
        (b'{"lots": [{"lot": "a", "lot": "b"}]}', "line 1, column 11: the field 'lot' is there twice in one object"),
    ],
)
def test_a_file_that_is_no_lot_file_is_refused_in_words(lots: Lots, tmp_path: Path, content: bytes, told: str) -> None:
    file = tmp_path / "lots.json"
    file.write_bytes(content)
    refused = lots("import", str(file))
    assert refused.exit_code == 1
    assert refused.stderr.startswith(f"{file}: ")
    assert told in refused.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("import", "no-such-file.json"),
        ("import",),
        ("generate", "--bays", "0"),
        ("generate", "--prefix", "a/b"),
        ("export", "--format", "geojson"),
    ],
)
def test_a_call_that_makes_no_sense_is_a_usage_error(lots: Lots, arguments: tuple[str, ...]) -> None:
    assert lots(*arguments).exit_code == 2
