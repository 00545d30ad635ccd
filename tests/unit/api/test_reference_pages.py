"""The pages about the API are about this API."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from api.contract import Idempotency
from api.idempotency import KEY_PATTERN
from api.inputs import BODY_BYTES_LIMIT, BODY_SECONDS
from api.limits import DEFAULT_RATES
from api.pages import LIMIT_DEFAULT, LIMIT_MAX
from api.problems import ANSWERS
from api.reference import declared_operations, errors_table, operations_table, with_table
from api.strict_json import DEPTH_LIMIT

DOCS = Path(__file__).parents[3] / "docs"


@pytest.mark.parametrize(("page", "table"), [("api.md", operations_table), ("errors.md", errors_table)])
def test_the_tables_are_what_the_declarations_say(page: str, table: object) -> None:
    text = (DOCS / page).read_text()
    contract = declared_operations()
    written = with_table(text, operations_table(contract) if page == "api.md" else errors_table(contract))

    assert text == written, "run python -m api.reference"


def test_every_class_of_allowance_stands_on_the_page_with_its_rates() -> None:
    text = (DOCS / "api.md").read_text()

    for limit_class, rates in DEFAULT_RATES.items():
        row = re.search(rf"^\| {limit_class} \|(.*)\|(.*)\|$", text, re.MULTILINE)
        assert row, limit_class
        shown = tuple(cell.strip() for cell in row.groups())
        assert shown == (rates.address or "", rates.user or "") or shown == ("not counted", "not counted")


def test_every_status_of_the_table_stands_on_the_page() -> None:
    text = (DOCS / "errors.md").read_text()

    for answer in ANSWERS.values():
        assert f"| {answer.status} |" in text


def test_the_limits_in_the_text_are_the_limits_in_the_code() -> None:
    text = (DOCS / "api.md").read_text()

    assert f"at most {BODY_BYTES_LIMIT // 1024} KiB, nested at most {DEPTH_LIMIT} deep" in text
    assert f"`limit` ({LIMIT_DEFAULT} unless said, {LIMIT_MAX} at most)" in text
    assert f"a body {BODY_SECONDS:.0f} s" in text
    assert "16 to 255" in text
    assert KEY_PATTERN.endswith("{16,255}$")
    assert (Idempotency.DAY.value.total_seconds() / 3600, Idempotency.MONEY.value.days) == (24, 30)
