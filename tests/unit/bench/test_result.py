"""What several runs say together, and whether it is enough."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from bench.fanout import marginal_us
from bench.gate import Verdict
from bench.live import live_findings
from bench.processes import BenchError
from bench.result import LIMIT_MS, Run, best, broken, medians, ratio
from bench.schedule import Load
from bench.targets import TARGETS, finding

RIGHT = Verdict("screen", 10, 0, ())
WRONG = Verdict("screen", 10, 1, ("screen: L000/B00001 said free, seen occupied",))


def a_run(system: str = "autospot", rate: int = 8_000, p99: float = 50.0, **changes: Any) -> Run:
    fields: dict[str, Any] = {
        "screens": 200,
        "latency": {"p50_ms": p99 / 2, "p99_ms": p99},
        "cpu_us_per_reading": {"hub": 40.0},
        "missing": 0,
        "verdicts": (RIGHT,),
    }
    return Run(system=system, rate=rate, **{**fields, **changes})


def test_repetitions_count_by_their_median() -> None:
    (group,) = medians([a_run(p99=10), a_run(p99=500), a_run(p99=30)])
    assert group.p99_ms == 30
    assert group.keeps_up


def test_one_wrong_repetition_spoils_them_all() -> None:
    (group,) = medians([a_run(), a_run(verdicts=(WRONG,)), a_run()])
    assert not group.right
    assert not group.keeps_up


def test_the_best_rate_is_the_highest_that_was_kept_up_with() -> None:
    groups = medians(
        [
            a_run(rate=4_000),
            a_run(rate=8_000),
            a_run(rate=12_000, p99=LIMIT_MS + 1),
            a_run("node tuned", rate=16_000),
            a_run(rate=20_000, verdicts=(WRONG,)),
        ]
    )
    top = best(groups, "autospot")
    assert top is not None
    assert top.rate == 8_000
    assert best(groups, "python naive") is None


def test_a_run_that_never_showed_everything_is_behind_but_not_untrue() -> None:
    run = a_run(missing=3, verdicts=(WRONG,))
    assert run.p99_ms == math.inf
    assert run.hopeless
    assert not run.right
    assert not run.untrue


def test_a_run_that_a_failing_part_cut_short_is_never_taken_for_a_figure() -> None:
    run = broken("autospot", Load(1, 1, 100, 1.0, 0.0, 1), 10, "autospot ended with code 1")
    assert run.p99_ms == math.inf
    assert run.untrue
    assert "ended with code 1" in " ".join(run.wrong)
    assert run.as_json()["cpu_us_per_reading"] == {"hub": None}


def test_a_noisy_machine_does_not_end_a_climb() -> None:
    assert a_run(p99=1_000).hopeless
    assert not a_run(p99=1_000, others_cores=1.0).hopeless


@pytest.mark.parametrize("changes", [{"verdicts": (RIGHT, WRONG)}, {"faults": ("L000: gap",)}])
def test_a_wrong_bay_or_a_breach_of_the_contract_is_untrue(changes: dict[str, Any]) -> None:
    run = a_run(**changes)
    assert run.untrue
    assert run.wrong


def test_a_run_becomes_json_without_numbers_that_json_does_not_know() -> None:
    plain = a_run(missing=1).as_json()
    assert plain["hub_cores"] is None
    assert json.loads(json.dumps(plain, allow_nan=False))["right"] is False


def test_the_cost_of_a_frame_is_what_more_screens_cost_more() -> None:
    few = a_run(cpu_us_per_reading={"hub": 3_000.0}, frames_per_reading=20.0)
    many = a_run(cpu_us_per_reading={"hub": 15_000.0}, frames_per_reading=2_020.0)
    assert marginal_us(few, many) == 6.0


def test_more_screens_that_got_no_more_frames_cannot_be_reckoned() -> None:
    with pytest.raises(BenchError, match="no more frames"):
        marginal_us(a_run(frames_per_reading=20.0), a_run(frames_per_reading=20.0))


def test_a_ratio_to_nothing_is_not_a_number() -> None:
    assert math.isnan(ratio(1.0, 0.0))
    assert math.isnan(ratio(1.0, math.nan))


@pytest.mark.parametrize(
    ("name", "value", "verdict"),
    [
        ("rate", 25_000, "aim"),
        ("rate", 12_000, "must"),
        ("rate", 11_999, "missed"),
        ("hub cpu", 30, "aim"),
        ("hub cpu", 60, "must"),
        ("hub cpu", 61, "missed"),
        ("hub cpu", math.nan, "not measured"),
    ],
)
def test_a_figure_is_held_against_its_target(name: str, value: float, verdict: str) -> None:
    assert finding(name, value).verdict == verdict


def test_an_aim_is_never_easier_than_its_must() -> None:
    assert all(target.reached(target.aim, target.must) for target in TARGETS.values())


def test_the_proof_compares_the_best_rates() -> None:
    groups = medians(
        [
            a_run(rate=16_000),
            a_run("node tuned", rate=12_000),
            a_run("python naive", rate=400),
            a_run(rate=20_000, p99=400),
        ]
    )
    found = {one.target.figure: one for one in live_findings(groups)}
    assert found[TARGETS["rate"].figure].value == 16_000
    assert found[TARGETS["against node tuned"].figure].verdict == "must"
    assert found[TARGETS["against python naive"].figure].value == 40
    assert found[TARGETS["against node log-first"].figure].verdict == "not measured"


def test_a_product_that_keeps_up_with_no_rate_has_missed_it() -> None:
    (found,) = live_findings(medians([a_run(p99=1_000)]))
    assert found.verdict == "missed"
