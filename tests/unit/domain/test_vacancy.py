"""Free places: from the bays, within the capacity, never below zero."""

from __future__ import annotations

import pytest

from autospot.domain.bay import State
from autospot.domain.vacancy import free_places


@pytest.mark.parametrize(
    ("bays", "places", "free"),
    [
        ({"free": 7, "occupied": 3}, 10, 7),
        ({"free": 7, "occupied": 3}, 8, 5),
        ({"free": 7, "occupied": 3}, 2, 0),
        ({"free": 4, "occupied": 3, "reserved": 2, "assigned": 1}, 8, 2),
        ({"free": 4, "unknown": 6}, 10, 4),
        ({"free": 4, "out_of_service": 6}, 10, 4),
        ({}, 50, 0),
    ],
)
def test_free_places(bays: dict[State, int], places: int, free: int) -> None:
    assert free_places(bays, places) == free
