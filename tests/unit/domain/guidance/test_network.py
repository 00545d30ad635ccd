"""Which aisle a bay opens on, and where."""

from __future__ import annotations

import pytest

from autospot.domain.guidance.network import REACH_METRES, Network
from autospot.domain.lot import Bay, Level, Lot
from autospot.domain.plan import Aisle, Node


def opening_of(bay: Bay):  # type: ignore[no-untyped-def]
    """Where `bay` opens beside an aisle along y = 0 that ends in a cross aisle along x = 20."""
    nodes = {"a": (0.0, 0.0), "b": (20.0, 0.0), "c": (20.0, 30.0)}
    lot = Lot(
        lot="x",
        name="x",
        time_zone="UTC",
        levels=(Level(level="L"),),
        bays=(bay,),
        nodes=tuple(Node(node=code, level="L", x=x, y=y) for code, (x, y) in nodes.items()),
        aisles=(Aisle(aisle="along", path=("a", "b")), Aisle(aisle="across", path=("b", "c"))),
    )
    return Network(lot).openings.get(bay.bay)


def test_the_last_bay_of_a_row_opens_on_its_own_aisle_though_the_cross_aisle_is_nearer_to_its_middle() -> None:
    opening = opening_of(Bay(bay="1", level="L", x=15.75, y=5.5))
    assert opening.stretch.aisle.aisle == "along"
    assert (opening.along, opening.aside, opening.point) == (15.75, 5.5, (15.75, 0.0))


def test_a_bay_that_looks_the_other_way_opens_on_the_cross_aisle() -> None:
    opening = opening_of(Bay(bay="1", level="L", x=14.5, y=6.0, rotation=270.0))
    assert opening.stretch.aisle.aisle == "across"
    assert (opening.along, opening.aside) == (6.0, 5.5)


def test_a_bay_that_names_its_aisle_opens_on_that() -> None:
    opening = opening_of(Bay(bay="1", level="L", x=15.75, y=5.5, aisle="across"))
    assert opening.stretch.aisle.aisle == "across"


def test_a_bay_beyond_the_end_of_an_aisle_opens_on_its_end() -> None:
    opening = opening_of(Bay(bay="1", level="L", x=-5.0, y=0.0, rotation=270.0))
    assert (opening.along, opening.point) == (0.0, (0.0, 0.0))


@pytest.mark.parametrize(("gap", "reached"), [(REACH_METRES - 0.1, True), (REACH_METRES + 0.1, False)])
def test_a_bay_too_far_from_every_aisle_opens_on_none(gap: float, reached: bool) -> None:
    opening = opening_of(Bay(bay="1", level="L", x=5.0, y=gap + 2.5))
    assert (opening is not None) is reached
