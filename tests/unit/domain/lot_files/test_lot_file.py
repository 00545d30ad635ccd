"""The lot file: what is read is what was written, and every mistake is told with its place."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autospot.domain.lot import Bay, Level, Lot, SensorRef
from autospot.domain.lot_files import read_lots, write_lots
from autospot.domain.lot_files.json_file import LOT_TEXT_LIMIT
from tests.unit.domain.lot_files.building import file_with, problems_in, read, said_of, yard, yard_with


def test_the_yard_is_fine() -> None:
    assert problems_in(yard()) == []


def test_defaults_are_those_of_an_ordinary_bay() -> None:
    (lot,) = read(file_with(yard()))
    assert (lot.bays[0].kind, lot.bays[0].width, lot.bays[0].length) == ("general", 2.5, 5.0)
    assert lot.version == 0
    assert lot.places == 3


@pytest.mark.parametrize("chunk", [1, 7, 1000, 1 << 20])
def test_a_file_is_read_alike_whatever_pieces_it_comes_in(chunk: int) -> None:
    text = file_with(yard(), yard(lot="yard-2", bays=yard()["bays"][:1]))
    assert [lot.lot for lot in read(text, chunk=chunk)] == ["yard", "yard-2"]


codes = st.text("abcXYZ019._-", min_size=1, max_size=8)
metres = st.floats(-100, 100).map(lambda value: round(value, 3))
sensors = st.none() | st.builds(SensorRef, id=codes.map("s-{}".format), threshold_mm=st.none() | st.integers(1, 5000))
bays = st.builds(
    Bay,
    bay=codes,
    level=st.just("P0"),
    kind=st.sampled_from(["general", "ev", "motorcycle"]),
    x=metres,
    y=metres,
    rotation=st.floats(-360, 360),
    sensor=sensors,
    bookable=st.booleans(),
)


@settings(max_examples=60)
@given(
    st.lists(bays, min_size=1, unique_by=lambda bay: bay.bay).filter(
        lambda bays: len({bay.sensor.id for bay in bays if bay.sensor}) == sum(bay.sensor is not None for bay in bays)
    ),
    st.text(max_size=20),
)
def test_what_is_written_is_read_back_equal(bays: list[Bay], name: str) -> None:
    lot = Lot(lot="x", name=name, time_zone="UTC", levels=(Level(level="P0"),), bays=tuple(bays))
    assert list(read_lots(write_lots([lot]))) == [lot]


def test_the_version_stays_out_of_files() -> None:
    (lot,) = read(file_with(yard()))
    stored = lot.model_copy(update={"version": 9})
    assert list(read_lots(write_lots([stored]))) == [lot]


@pytest.mark.parametrize(
    ("lot", "told"),
    [
        (yard(time_zone="Mars/North"), "/lots/0/time_zone: unknown time zone 'Mars/North': an IANA name such as"),
        (yard(time_zone="Europe"), "/lots/0/time_zone: unknown time zone 'Europe'"),
        (yard(lot="a b"), "/lots/0/lot: not a code: 1 to 64 of A-Z a-z 0-9 . _ - are"),
        (yard(colour="red"), "/lots/0/colour: no such field"),
        (yard_with("bays/0/knid", "ev"), "/lots/0/bays/0/knid: no such field"),
        (yard_with("bays/1/kind", "evv"), "/lots/0/bays/1/kind: 'evv' is none of 'general', 'disabled'"),
        (yard_with("bays/0/x", "2"), "/lots/0/bays/0/x: input should be a valid number"),
        (yard_with("bays/0/x", True), "/lots/0/bays/0/x: input should be a valid number"),
        (yard_with("bays/0/x", 10_001), "/lots/0/bays/0/x: input should be less than or equal to 10000"),
        (yard_with("bays/1/sensor", {}), "/lots/0/bays/1/sensor/id: this field is needed"),
        (yard(currency="euro"), "/lots/0/currency: does not match"),
        ({"lot": "x"}, "/lots/0/name: this field is needed"),
        ([], "/lots/0: "),
    ],
)
def test_a_wrong_shape_is_told_with_its_place(lot: Any, told: str) -> None:
    assert problems_in(lot)[0].startswith(told)


@pytest.mark.parametrize(
    ("lot", "told"),
    [
        (yard_with("bays/2/bay", "1"), "/lots/0/bays/2/bay: bay '1' is there twice"),
        (yard_with("nodes/3/node", "a"), "/lots/0/nodes/3/node: node 'a' is there twice"),
        (
            yard_with("doors/0/door", "in"),
            "/lots/0/doors/0/door: door 'in' shares its code with the entrance: a route could not tell them apart",
        ),
        (yard_with("bays/0/level", "P9"), "/lots/0/bays/0/level: there is no level 'P9'"),
        (yard_with("bays/0/aisle", "x"), "/lots/0/bays/0/aisle: there is no aisle 'x'"),
        (yard_with("nodes/0/level", "P9"), "/lots/0/nodes/0/level: there is no level 'P9'"),
        (yard(edges=[{"start": "a", "end": "z"}]), "/lots/0/edges/0/end: there is no node 'z'"),
        (yard_with("aisles/0/path/1", "z"), "/lots/0/aisles/0/path/1: there is no node 'z'"),
        (yard_with("ramps/0/path/0", "z"), "/lots/0/ramps/0/path/0: there is no node 'z'"),
        (yard_with("exits/0/node", "z"), "/lots/0/exits/0/node: there is no node 'z'"),
        (yard_with("signs/0/entrance", "z"), "/lots/0/signs/0/entrance: there is no entrance 'z'"),
        (yard_with("signs/0/levels/0", "z"), "/lots/0/signs/0/levels/0: there is no level 'z'"),
        (yard_with("aisles/0/path/1", "c"), "/lots/0/aisles/0/path: aisle 'down' leaves its level: that takes a ramp"),
        (yard_with("ramps/0/path/1", "a"), "/lots/0/ramps/0/path: ramp 'ramp' ends on the level it begins on"),
        (yard_with("lifts/0/path/1", "b"), "/lots/0/lifts/0/path: two of its landings are on one level"),
        (
            yard(edges=[{"start": "a", "end": "b", "metres": 19.0}]),
            "/lots/0/edges/0/metres: its nodes are 20.0 m apart, so it cannot be 19 m long",
        ),
        (yard(edges=[{"start": "a", "end": "d"}]), "/lots/0/edges/0: this edge leaves its level"),
        (yard_with("bays/0/aisle", "up"), "/lots/0/bays/0/aisle: bay '1' is on level 'P0', its aisle 'up' is not"),
        (yard_with("bays/0/sensor", {"id": "s-2"}), "/lots/0/bays/1/sensor/id: sensor 's-2' also watches bay '1'"),
        (yard_with("bays/0/sensor", {"id": "3"}), "/lots/0/bays/0/sensor/id: sensor '3' has the code of another bay"),
        (
            yard_with("bays/0/sensor", {"id": "s", "model": "acme-1"}),
            "/lots/0/bays/0/sensor/model: there is no sensor model 'acme-1' in the catalogue",
        ),
        (
            yard_with("bays/0/sensor", {"id": "70B3D57ED0001234", "model": "nwave-nps405"}),
            "/lots/0/bays/0/sensor/id: write the device EUI '70B3D57ED0001234' in lower case",
        ),
        (yard(bays=[]), "/lots/0/bays: a lot without bays needs a capacity"),
        (yard(booking={"minimum_minutes": 99_999}), "/lots/0/booking/minimum_minutes: the shortest booking is longer"),
        (yard(entrances=[], signs=[]), "/lots/0/entrances: a lot with a plan needs entrances"),
        (yard_with("bays/0/y", 60.0), "/lots/0/bays/0: bay '1' is too far from every aisle it could open on"),
        (yard(ramps=[]), "/lots/0/bays/2: bay '3' cannot be driven to from any entrance"),
        (yard_with("ramps/0/one_way", True), "/lots/0/bays/2: bay '3' cannot be driven out of to any exit"),
        (yard(lifts=[]), "/lots/0/bays/2: bay '3' cannot be walked to from any door"),
    ],
)
def test_parts_that_do_not_fit_together_are_told_with_their_place(lot: Any, told: str) -> None:
    assert problems_in(lot)[0].startswith(told)


def test_every_mistake_is_told_not_only_the_first() -> None:
    lot = yard_with("bays/0/level", "P9")
    lot["nodes"][1]["level"] = "P8"
    assert problems_in(lot) == [
        "/lots/0/bays/0/level: there is no level 'P9'",
        "/lots/0/nodes/1/level: there is no level 'P8'",
    ]


def test_a_thousand_mistakes_are_told_as_a_hundred() -> None:
    lot = yard(bays=[{"bay": str(number), "level": "P9"} for number in range(1000)])
    assert len(problems_in(lot)) == 100


def test_a_one_way_aisle_is_entered_at_its_start_and_left_at_its_end() -> None:
    lot = yard_with("aisles/0/one_way", True)
    assert problems_in(lot) == [
        "/lots/0/bays/0: bay '1' cannot be driven out of to any exit",
        "/lots/0/bays/1: bay '2' cannot be driven out of to any exit",
        "/lots/0/bays/2: bay '3' cannot be driven out of to any exit",
    ]
    lot["edges"] = [{"start": "b", "end": "a", "way": "drive", "metres": 60.0}]
    assert problems_in(lot) == []


def test_what_is_closed_does_not_make_a_lot_wrong() -> None:
    assert problems_in(yard_with("ramps/0/closed", True)) == []


def test_a_lot_without_nodes_has_no_plan_and_needs_none() -> None:
    bays = [{"bay": "1", "level": "P0"}, {"bay": "2", "level": "P0"}]
    assert problems_in({key: yard()[key] for key in ("lot", "name", "time_zone", "levels")} | {"bays": bays}) == []


def test_a_lot_that_only_counts_has_a_capacity_and_no_bays() -> None:
    (lot,) = read(file_with(yard(bays=[], capacity=120)))
    assert lot.places == 120


def test_lots_and_sensors_are_there_once_in_a_file() -> None:
    assert problems_in(yard(), yard()) == ["/lots/1/lot: lot 'yard' is in the file twice"]
    assert problems_in(yard(), yard(lot="other")) == [
        "/lots/1/bays/1/sensor/id: sensor 's-2' also watches a bay of lot 'yard'"
    ]


def test_a_native_sensor_named_after_its_bay_may_be_in_every_lot() -> None:
    lot = yard_with("bays/1/sensor", {"id": "2", "heartbeat_seconds": 60})
    assert problems_in(lot, {**lot, "lot": "other"}) == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "line 1, column 1: the file ends too early"),
        ("[]", "line 1, column 1: '{' expected, '[' found"),
        ('{"lot": []}', 'line 1, column 7: a lot file is {"lots": [lot, …]}'),
        ('{"lots": {}}', "line 1, column 10: '[' expected, '{' found"),
        ('{"lots": [', "line 1, column 11: the file ends too early"),
        ('{"lots": []', "line 1, column 12: the file ends too early"),
        ('{"lots": []} x', "line 1, column 14: there is more after the end"),
        ('{"lots": [\n\n  {"lot": }]}', "line 3, column 11: expecting value"),
        ('{"lots": [\n{"lot": "a", "lot": "b"}]}', "line 2, column 1: the field 'lot' is there twice in one object"),
        ('{"lots": [{"lot": NaN}]}', "line 1, column 11: NaN is no number"),
        ('{"lots": [' + "[" * 100_000, "line 1, column 11: nested too deeply"),
    ],
)
@pytest.mark.parametrize("chunk", [1, 1 << 20])
def test_text_that_is_no_lot_file_is_told_with_line_and_column(text: str, told: str, chunk: int) -> None:
    assert said_of(lambda: read(text, chunk=chunk if len(text) < 1000 else 1 << 20)) == [told]


def test_a_lot_longer_than_the_limit_is_refused_without_reading_on() -> None:
    def endless() -> Any:
        yield '{"lots": [{"name": "'
        pieces = 0
        while pieces < 3 * LOT_TEXT_LIMIT // 1_000_000:
            yield "x" * 1_000_000
            pieces += 1
        raise AssertionError("it should have stopped reading")

    assert said_of(lambda: read_lots(endless())) == ["line 1, column 20: unterminated string starting at"]


def test_an_empty_file_of_lots_is_a_lot_file() -> None:
    assert read('{"lots": []}') == []
    assert json.loads("".join(write_lots([]))) == {"lots": []}
