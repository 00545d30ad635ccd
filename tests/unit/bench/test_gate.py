"""The gate finds every bay that is shown otherwise than its sensor said last."""

from __future__ import annotations

import pytest

from bench.gate import EXAMPLES_MAX, Verdict, judge
from bench.schedule import SILENT, Said

FREE = Said(occupied=False, at_ms=1_000)
TAKEN = Said(occupied=True, at_ms=2_000)


def lots(**bays: Said) -> dict[str, dict[str, Said]]:
    return {"L000": dict(bays)}


def test_the_same_words_pass() -> None:
    verdict = judge("screen", lots(B1=FREE, B2=TAKEN), lots(B1=FREE, B2=TAKEN))
    assert verdict.passed
    assert verdict.compared == 2


def test_a_bay_that_never_spoke_may_be_shown_as_unknown() -> None:
    assert judge("screen", lots(B1=FREE), lots(B1=FREE, B2=SILENT)).passed


@pytest.mark.parametrize(
    "seen",
    [
        pytest.param(lots(B1=Said(occupied=True, at_ms=1_000), B2=TAKEN), id="planted: free bay shown as occupied"),
        pytest.param(lots(B1=Said(occupied=False, at_ms=999), B2=TAKEN), id="right word, older reading"),
        pytest.param(lots(B1=SILENT, B2=TAKEN), id="known bay shown as unknown"),
        pytest.param(lots(B2=TAKEN), id="bay missing"),
        pytest.param(lots(B1=FREE, B2=TAKEN, B3=FREE), id="bay that never spoke shown as free"),
    ],
)
def test_one_wrong_bay_fails_the_gate_and_is_named(seen: dict[str, dict[str, Said]]) -> None:
    verdict = judge("screen", lots(B1=FREE, B2=TAKEN), seen)
    assert not verdict.passed
    assert verdict.wrong == 1
    assert verdict.examples[0].startswith("screen: L000/B")


def test_a_lot_that_is_not_shown_at_all_fails_the_gate() -> None:
    assert judge("database", lots(B1=FREE, B2=TAKEN), {}).wrong == 2


def test_nothing_compared_is_no_proof() -> None:
    assert not judge("screen", {}, {}).passed


def test_a_partial_judgement_looks_only_at_bays_that_spoke_now() -> None:
    said, seen = lots(B1=FREE), lots(B1=FREE, B2=TAKEN)
    assert judge("screen", said, seen, partial=True).passed
    assert not judge("screen", lots(B1=TAKEN), seen, partial=True).passed


def test_examples_are_bounded_and_all_differences_counted() -> None:
    said = lots(**{f"B{number}": FREE for number in range(50)})
    verdict = judge("screen", said, {})
    assert (verdict.wrong, len(verdict.examples)) == (50, EXAMPLES_MAX)


def test_a_verdict_survives_the_way_between_processes() -> None:
    verdict = judge("screen", lots(B1=FREE), lots(B1=TAKEN))
    assert Verdict.from_json(verdict.as_json()) == verdict
