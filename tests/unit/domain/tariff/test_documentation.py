"""Every example in `docs/tariffs.md` is a tariff, passes the linter, and charges what the page says."""

from __future__ import annotations

import json
import re
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple, get_args

import pytest

from autospot.domain.period import Period
from autospot.domain.tariff import Tariff, lint, parse_tariff
from autospot.domain.tariff.model import CheapestOf, FindingCode, Offer
from autospot.domain.tariff.prices import Band, Bands, Flat, Ladder, Progressive, Slabs, Step
from tests.support.tariffs import amount, lasting

PAGE = (Path(__file__).parents[4] / "docs" / "tariffs.md").read_text()
BLOCK = re.compile(r"```json\n(.*?)```|((?:^\|[^\n]*\|\n)+)", re.DOTALL | re.MULTILINE)


class Example(NamedTuple):
    tariff: dict[str, Any]
    stays: list[dict[str, str]]


def examples() -> list[Example]:
    """Each document with the rows of the table of stays that follows it."""
    listed: list[Example] = []
    for text, table in BLOCK.findall(PAGE):
        if text:
            listed.append(Example(json.loads(text), []))
        elif listed and "fee" in (rows := _rows(table))[0]:
            listed[-1].stays.extend(rows)
    return listed


def _rows(table: str) -> list[dict[str, str]]:
    cells = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in table.splitlines()]
    return [dict(zip(cells[0], row, strict=True)) for row in cells[2:]]


EXAMPLES = examples()
STAYS = [(example.tariff, row) for example in EXAMPLES for row in example.stays]


def test_the_page_has_examples_with_stays():
    assert len(EXAMPLES) >= 13
    assert all(example.stays for example in EXAMPLES)


@pytest.mark.parametrize(("document", "row"), STAYS, ids=[f"{tariff['id']} {row}" for tariff, row in STAYS])
def test_a_stay_costs_what_the_page_says(document: dict[str, Any], row: dict[str, str]):
    if "stay" in row:
        period = lasting(row["stay"])
    else:
        period = Period(datetime.fromisoformat(row["from"]), datetime.fromisoformat(row["until"]))
    assert amount(parse_tariff(document), period, kind=row.get("kind")) == int(row["fee"])


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.tariff["id"])
def test_an_example_has_no_finding_that_it_does_not_accept(example: Example):
    assert [finding for finding in lint(parse_tariff(example.tariff)) if not finding.accepted] == []


@pytest.mark.parametrize("code", get_args(FindingCode))
def test_every_finding_is_on_the_page(code: str):
    assert f"| `{code}` |" in PAGE


@pytest.mark.parametrize("part", [Tariff, Ladder, Step, Progressive, Slabs, Flat, Bands, Band, Offer, CheapestOf])
def test_every_field_is_on_the_page(part: Any):
    names = {field.alias or name for name, field in part.model_fields.items()}
    assert [name for name in names if not re.search(rf'["`]{name}["`]', PAGE)] == []
