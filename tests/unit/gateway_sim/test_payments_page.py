"""`docs/payments.md` says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

from autospot.domain.ledger import AccountKind
from autospot.domain.ledger.account import Account
from autospot.domain.payment.payment import STEPS
from gateway_sim.methods import METHODS

PAGE = (Path(__file__).parents[3] / "docs" / "payments.md").read_text()


def rows(*columns: str) -> list[list[str]]:
    """The cells of the table with these columns."""
    head = "| " + " | ".join(columns) + " |"
    table = PAGE[PAGE.index(head) :].split("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table]


def test_the_states_and_their_steps_are_those_of_the_table() -> None:
    written = {
        state.strip("`"): re.findall(r"`(\w+)`", after) for state, _, after in rows("state", "means", "may become")
    }
    assert written == {state.value: sorted(after.value for after in steps) for state, steps in STEPS.items()}


def test_every_test_method_is_on_the_page() -> None:
    assert [cells[0].strip("`") for cells in rows("`method`", "what happens")] == list(METHODS)


def test_every_account_is_on_the_page_with_its_guard() -> None:
    written = {
        cells[0].strip("`").split(":")[0]: cells[2] == "yes"
        for cells in rows("account", "what it is", "never below zero")
    }
    unowned = {AccountKind.COMPENSATION, AccountKind.POINTS_ISSUE}
    assert written == {kind.value: Account(kind, "" if kind in unowned else "x").is_guarded for kind in AccountKind}
