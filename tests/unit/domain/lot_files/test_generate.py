"""Generated lots: any size, the promised codes, and a plan that works."""

from __future__ import annotations

import pytest

from autospot.domain.lot_files import problems_of, read_lots, write_lots
from autospot.domain.lot_files.generate import generate_lot, generate_lots


@pytest.mark.parametrize("bays", [1, 24, 25, 26, 50, 51, 499, 500, 501, 2000])
def test_a_lot_of_any_size_has_its_bays_and_no_problem(bays: int) -> None:
    lot = generate_lot("L", bays)
    assert [bay.bay for bay in lot.bays] == [f"B{number:05d}" for number in range(bays)]
    assert list(problems_of(lot)) == []


def test_codes_count_up_from_the_prefix() -> None:
    assert [lot.lot for lot in generate_lots(3, 1, "X-")] == ["X-000", "X-001", "X-002"]
    assert [lot.lot for lot in generate_lots(1001, 1)][-1] == "L1000"


def test_what_is_generated_is_a_lot_file() -> None:
    lots = list(generate_lots(3, 120))
    assert list(read_lots(write_lots(lots))) == lots


def test_the_same_call_gives_the_same_lots() -> None:
    assert list(generate_lots(2, 30)) == list(generate_lots(2, 30))


def test_no_two_lots_lie_on_the_same_spot() -> None:
    anchors = {(lot.anchor.lat, lot.anchor.lon) for lot in generate_lots(200, 1) if lot.anchor}
    assert len(anchors) == 200


@pytest.mark.parametrize(("lots", "bays"), [(-1, 1), (1, 0), (1, 20_001), (100_001, 1)])
def test_sizes_out_of_range_are_refused(lots: int, bays: int) -> None:
    with pytest.raises(ValueError, match=r"is [01] to"):
        list(generate_lots(lots, bays))
