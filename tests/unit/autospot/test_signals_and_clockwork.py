"""The stream of signals and the due-queue agree on how soon is soon."""

from __future__ import annotations

from autospot.services.clockwork import LONGEST_SLEEP_SECONDS
from autospot.storage.signals import SOON


def test_the_queue_looks_again_before_a_row_it_was_not_told_of_falls_due() -> None:
    assert SOON.total_seconds() > LONGEST_SLEEP_SECONDS
