"""The guide names everything that the program offers."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer

from sensors_sim.battery import EMPTY_MV, FULL_MV, PLAUSIBLE_FROM_MV
from sensors_sim.cli import app
from sensors_sim.demand import KINDS, STAYS, USES
from sensors_sim.encoders import NETWORK_SERVERS
from sensors_sim.faults import RATES
from sensors_sim.frames import LORAWAN_MODELS
from sensors_sim.lots import NATIVE
from sensors_sim.recording import EVENTS_LIMIT
from sensors_sim.run import CONNECTIONS_LIMIT, SHARED_GATEWAY

GUIDE = (Path(__file__).parents[3] / "docs" / "simulator.md").read_text()


def options() -> list[str]:
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    return sorted(
        {option for command in commands.values() for parameter in command.params for option in parameter.opts}
        - {"--help", "recording"}
    )


@pytest.mark.parametrize("option", options())
def test_every_option_is_explained(option: str) -> None:
    assert f"`{option}" in GUIDE or f"[{option} " in GUIDE or f"{option} …" in GUIDE


@pytest.mark.parametrize("word", [*RATES, *USES, *LORAWAN_MODELS, *NETWORK_SERVERS, SHARED_GATEWAY])
def test_every_word_that_can_be_given_is_explained(word: str) -> None:
    assert f"`{word}`" in GUIDE


def test_the_assumptions_stand_there_as_they_are_in_the_code() -> None:
    for kind, demand in KINDS.items():
        if kind != "general":
            assert f"{kind} {demand.occupancy:g} and {demand.stay:g}" in " ".join(GUIDE.split())
    for use, stay in STAYS.items():
        assert f"`{use}` {stay.median_minutes:g}" in GUIDE or f"median ({stay.median_minutes:g} minutes)" in GUIDE


def test_the_limits_stand_there_as_they_are_in_the_code() -> None:
    assert f"({CONNECTIONS_LIMIT} at most)" in GUIDE
    assert EVENTS_LIMIT == 1_000_000
    assert "At most a million events" in GUIDE
    assert f"(mV - {EMPTY_MV}) / {FULL_MV - EMPTY_MV}" in GUIDE
    assert f"below {PLAUSIBLE_FROM_MV} mV" in GUIDE
    assert f"Every other model speaks the {NATIVE} topics" in GUIDE
