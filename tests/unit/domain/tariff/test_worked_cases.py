"""Every case that was reckoned by hand comes out to the cent."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from autospot.domain.period import Period
from autospot.domain.tariff import explain, lint, parse_tariff, quote
from tests.support.tariffs import lasting

VECTORS = json.loads((Path(__file__).parents[3] / "vectors" / "tariffs.json").read_text())
TARIFFS = {name: parse_tariff(document) for name, document in VECTORS["tariffs"].items()}

ANY_ENTRY = ["2026-06-01 00:00", "2026-02-28 13:37", "2028-02-29 23:59"]
"""For cases that state only how long the stay was. T1-calendar has none of those."""


def periods(case: dict[str, Any]) -> list[Period]:
    if "stay" in case:
        return [lasting(case["stay"], entry) for entry in ANY_ENTRY]
    return [Period(datetime.fromisoformat(case["from"]), datetime.fromisoformat(case["to"]))]


def name(case: dict[str, Any]) -> str:
    return f"{case['tariff']} {case.get('stay') or case['from'] + ' to ' + case['to']}"


@pytest.mark.parametrize("case", VECTORS["cases"], ids=name)
def test_a_worked_case_comes_out_to_the_cent(case: dict[str, Any]):
    for period in periods(case):
        quoted = quote(TARIFFS[case["tariff"]], period)
        assert quoted.total.amount == case["fee"]
        assert sum(line.amount for line in quoted.lines) == case["fee"]
        assert len(explain(quoted)) == len(quoted.lines) + 1


@pytest.mark.parametrize("tariff", TARIFFS.values(), ids=TARIFFS)
def test_the_tariffs_of_the_worked_cases_have_no_finding_they_do_not_accept(tariff):
    assert [finding for finding in lint(tariff) if not finding.accepted] == []
    assert {finding.code for finding in lint(tariff)} == set(tariff.accepts)
