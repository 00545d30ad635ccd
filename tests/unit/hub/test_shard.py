"""How lots are divided among hubs."""

from __future__ import annotations

from collections import Counter

import pytest

from autospot.domain.errors import InvalidInput
from hub.shard import Shard


def test_every_lot_belongs_to_exactly_one_hub_and_all_hubs_have_work() -> None:
    lots = [f"L{number:03d}" for number in range(300)]
    owners = {lot: [index for index in range(3) if Shard(index, 3).owns(lot)] for lot in lots}
    assert {len(each) for each in owners.values()} == {1}
    assert min(Counter(each[0] for each in owners.values()).values()) > 70


def test_one_hub_alone_has_everything() -> None:
    assert Shard().owns("anything")


@pytest.mark.parametrize("text", ["", "1", "a/b", "-1/2", "2/2", "0/0", "1/2/3", "0/²"])
def test_a_shard_that_cannot_be_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        Shard.parse(text)


def test_a_shard_is_written_i_of_n() -> None:
    assert Shard.parse("1/3") == Shard(1, 3)
    assert Shard(1, 3).name == "hub/1of3"
