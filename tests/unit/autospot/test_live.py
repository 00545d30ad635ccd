"""The fold of the feed: counts, positions, layouts."""

from __future__ import annotations

from collections import Counter

import orjson
from hypothesis import given
from hypothesis import strategies as st

from autospot.domain.bay import Claim, Closure
from autospot.domain.change import ClaimChange, Commit, FeedEntry, SensorChange
from autospot.live import LiveLot, LiveLots, snapshot_of
from tests.support.lots import a_lot

KINDS = ("general", "ev", "disabled")


def live_with(*lots: tuple[str, int]) -> LiveLots:
    live = LiveLots()
    live.begin("e1", 10, [(a_lot(code, bays, kinds=KINDS), 5) for code, bays in lots])
    return live


def sensed(rev: int, bay: str, occupied: bool | None, lot: str = "l") -> Commit:
    return Commit(rev, FeedEntry("hub/0of1", sensors={lot: [SensorChange(bay, occupied, rev, rev)]}), rev)


def claimed(rev: int, bay: str, claim: Claim | None, closure: Closure | None = None) -> Commit:
    return Commit(rev, FeedEntry("api", claims={"l": [ClaimChange(bay, claim, closure)]}), rev)


commits = st.lists(
    st.tuples(st.integers(0, 5), st.sampled_from([True, False, None]), st.booleans(), st.booleans()), max_size=30
)


@given(commits)
def test_counts_always_are_what_the_bays_say(changes: list[tuple[int, bool | None, bool, bool]]) -> None:
    live = live_with(("l", 6))
    for rev, (number, occupied, is_claim, is_closed) in enumerate(changes, start=11):
        bay = f"B{number:05d}"
        if is_claim:
            live.apply(claimed(rev, bay, Claim("reserved", 0, 99, "b"), Closure("works") if is_closed else None))
        else:
            live.apply(sensed(rev, bay, occupied))
    lot = live.lots["l"]
    kinds = {bay.bay: bay.kind for bay in lot.layout.bays}
    derived = Counter((kinds[bay.bay], bay.state) for bay in lot.bays.values())
    counts = lot.counts()
    assert {(kind, state): n for kind, of in counts.items() if kind != "total" for state, n in of.items()} == derived
    assert sum(counts["total"].values()) == 6
    assert counts["total"]["free"] <= 6


@given(commits, st.integers(0, 30))
def test_what_changed_since_is_exactly_what_has_a_later_position(
    changes: list[tuple[int, bool | None, bool, bool]], since: int
) -> None:
    live = live_with(("l", 6))
    for rev, (number, occupied, _, _) in enumerate(changes, start=11):
        live.apply(sensed(rev, f"B{number:05d}", occupied))
    lot = live.lots["l"]
    told = {bay.bay for bay in lot.changed_since(10 + since)}
    assert told == {bay.bay for bay in lot.bays.values() if bay.rev > 10 + since}


def test_applying_twice_or_too_late_changes_nothing() -> None:
    live = live_with(("l", 2))
    live.apply(sensed(20, "B00000", True))
    live.apply(sensed(21, "B00000", False))
    before = orjson.dumps(snapshot_of(live.lots["l"], "e1", 0))
    live.apply(sensed(21, "B00000", False))
    live.apply(sensed(20, "B00000", True))
    assert orjson.dumps(snapshot_of(live.lots["l"], "e1", 0)) == before


def test_listeners_hear_of_changed_lots_and_of_no_others() -> None:
    live = live_with(("l", 1), ("m", 1))
    heard: list[str] = []
    live.listen(lambda lots: heard.extend(lot.lot for lot in lots))
    live.apply(sensed(20, "B00000", True))
    live.apply(sensed(21, "B00000", True, lot="gone"))
    assert heard == ["l"]


def test_a_new_layout_keeps_what_is_known_of_the_bays_that_stay() -> None:
    live = live_with(("l", 3))
    live.apply(sensed(20, "B00000", True))
    live.apply(sensed(21, "B00002", True))
    live.put_layout(a_lot("l", 2), 30)
    lot: LiveLot = live.lots["l"]
    assert {bay.bay: bay.state for bay in lot.bays.values()} == {"B00000": "occupied", "B00001": "unknown"}
    assert (lot.rev, lot.layout_rev) == (30, 30)


def test_a_claim_with_somebody_else_on_the_bay_is_a_conflict() -> None:
    live = live_with(("l", 1))
    live.apply(sensed(20, "B00000", True))
    live.apply(claimed(21, "B00000", Claim("reserved", accepts_from_ms=50, until_ms=99, ref="bkg_secret")))
    view = live.lots["l"].bays["B00000"].view()
    assert view["state"] == "occupied"
    assert view["claim"] == "reserved"
    assert view["conflict"] is True
    assert "bkg_secret" not in str(view)


instants = st.one_of(st.none(), st.integers(1_262_304_000_000, 4_102_444_800_000))


@given(
    occupied=st.sampled_from([None, False, True]),
    since_ms=instants,
    at_ms=instants,
    claim=st.one_of(
        st.none(), st.builds(Claim, st.sampled_from(["reserved", "assigned"]), st.just(0), st.just(1), st.just("r"))
    ),
    closure=st.one_of(st.none(), st.just(Closure("painting"))),
)
def test_a_bay_written_directly_is_its_view(
    occupied: bool | None, since_ms: int | None, at_ms: int | None, claim: Claim | None, closure: Closure | None
) -> None:
    lot = LiveLot(a_lot("l", 1), 0, 0)
    lot.change_sensor(SensorChange("B00000", occupied, since_ms, at_ms), 1)
    lot.change_claim(ClaimChange("B00000", claim, closure), 1)
    bay = lot.bays["B00000"]
    assert orjson.loads("{" + bay.member() + "}") == {"B00000": bay.view()}
