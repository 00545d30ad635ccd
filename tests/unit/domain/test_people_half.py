"""The people's half of a bay: which claim is shown, and that claim and closure leave each other alone."""

from __future__ import annotations

from autospot.domain.bay import Claim, Closure
from autospot.domain.change import ClaimChange
from autospot.domain.people_half import PeopleHalf
from tests.support.bookings import ms

FIRST = Claim("reserved", ms(9, 45), ms(12), "bkg_first")
NEXT = Claim("reserved", ms(11, 45), ms(14), "bkg_next")


def test_of_two_claims_the_one_that_begins_first_is_shown() -> None:
    both = PeopleHalf().claimed(NEXT, ms(12)).claimed(FIRST, ms(10))
    assert both.change("B1") == ClaimChange("B1", FIRST, None)
    assert both.without("bkg_first").change("B1").claim == NEXT
    assert both.without("bkg_first").without("bkg_next") == PeopleHalf()


def test_a_claim_that_changes_takes_its_own_place() -> None:
    longer = FIRST._replace(until_ms=ms(13))
    half = PeopleHalf().claimed(FIRST, ms(10)).claimed(longer, ms(10))
    assert (half.claim_of("bkg_first"), len(half.claims)) == (longer, 1)
    assert half.claim_of("bkg_other") is None


def test_closing_keeps_the_claim_and_claiming_keeps_the_closure() -> None:
    closed = PeopleHalf().claimed(FIRST, ms(10)).closed(Closure("paint"))
    assert closed.change("B1") == ClaimChange("B1", FIRST, Closure("paint"))
    assert closed.without("bkg_first").change("B1") == ClaimChange("B1", None, Closure("paint"))
    assert closed.closed(None).change("B1") == ClaimChange("B1", FIRST, None)
