"""The simulated gateway's own rules, and that it stands alone."""

from __future__ import annotations

import ast
from dataclasses import replace
from pathlib import Path

import pytest

import gateway_sim
from gateway_sim.intents import Intent, Refund, Refused
from gateway_sim.methods import METHODS

FOLDER = Path(gateway_sim.__file__).parent


def an_intent(*, is_manual: bool = False) -> Intent:
    return Intent("pi_1", "pay_1", 1000, "EUR", "pm_ok", is_manual)


def test_it_imports_nothing_of_the_product() -> None:
    imported = {
        name.split(".")[0]
        for file in FOLDER.glob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert imported.isdisjoint({"autospot", "hub", "api", "sensors_sim", "tests"})


def test_every_behaviour_that_the_rules_name_has_a_method() -> None:
    assert set(METHODS) == {
        "pm_ok",
        "pm_declined",
        "pm_second_step",
        "pm_slow",
        "pm_webhook_twice",
        "pm_out_of_order",
        "pm_webhook_lost",
        "pm_refund_fails",
    }


def test_automatic_takes_and_manual_holds() -> None:
    taken, held = an_intent().approved(), an_intent(is_manual=True).approved()
    assert (taken.state, taken.captured) == ("succeeded", 1000)
    assert (held.state, held.captured) == ("authorised", 0)
    assert held.taken(400).captured == 400
    for amount in (0, 1001):
        with pytest.raises(Refused):
            held.taken(amount)


@pytest.mark.parametrize("ended", [an_intent().moved("failed"), an_intent().moved("cancelled")])
def test_what_has_ended_stays_ended(ended: Intent) -> None:
    with pytest.raises(Refused):
        ended.approved()
    with pytest.raises(Refused):
        ended.with_refund(Refund("re_1", "rfd_1", 1))


def test_refunds_add_up_to_what_was_taken_and_failed_ones_do_not_count() -> None:
    first = Refund("re_1", "rfd_1", 600)
    intent = an_intent().approved().with_refund(first)
    with pytest.raises(Refused):
        intent.with_refund(Refund("re_2", "rfd_2", 401))
    failed = intent.with_refund(replace(first, state="failed"))
    again = failed.with_refund(Refund("re_2", "rfd_2", 1000, "succeeded"))
    assert again.state == "refunded"


def test_the_page_of_the_second_step_is_shown_only_when_it_is_asked_for() -> None:
    asked = an_intent().moved("requires_action")
    assert asked.as_json("http://bank/confirm/pi_1")["action_url"] == "http://bank/confirm/pi_1"
    assert asked.approved().as_json("http://bank/confirm/pi_1")["action_url"] is None
