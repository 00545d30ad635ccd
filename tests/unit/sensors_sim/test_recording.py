"""A recorded year becomes readings, in the order in which it arrived."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from sensors_sim.recording import RecordingError, read_recording
from sensors_sim.replay import LONGEST_PAUSE_SECONDS, Metronome, Tally
from tests.unit.sensors_sim.building import at

FIELD_EVENTS = Path(__file__).parents[2] / "vectors" / "iot_park_field_events_2024.csv"
YEAR = read_recording(FIELD_EVENTS.read_text(), "field")
HEADER = "device,event_time_utc,event,occupied,battery_mv,temp_min_c,temp_max_c,peak_distance_cm,network"


def rows(*lines: str) -> str:
    return "\n".join((HEADER, *lines))


def test_the_field_events_are_read_whole_and_in_their_order() -> None:
    assert len(YEAR) == 7252
    assert len({event.reading.sensor.id for event in YEAR}) == 27
    assert Counter((event.reading.kind, event.reading.occupied is None) for event in YEAR) == {
        ("change", False): 5287,
        ("heartbeat", True): 1960,
        ("heartbeat", False): 5,
    }
    first, second = YEAR[0].reading, YEAR[1].reading
    assert first.at_ms > second.at_ms  # newest first, as in the packet


def test_a_tally_of_the_field_events_finds_repeats_late_ones_and_each_bays_newest_word() -> None:
    tally, newest = Tally(), dict[str, tuple[int, bool]]()
    for event in YEAR:
        reading = event.reading
        tally.note(reading)
        if reading.occupied is not None:
            newest[reading.sensor.id] = max(
                newest.get(reading.sensor.id, (0, False)), (reading.at_ms, reading.occupied)
            )
    assert (tally.repeats, tally.late) == (274, 1025)
    assert {sensor: (r.at_ms, r.occupied) for sensor, r in tally.newest.items()} == newest


def test_a_parking_event_is_a_change_without_counter_or_boot() -> None:
    (event,) = read_recording(rows("nb-01,2024-01-02T06:15:34Z,parking,1,,,,200,nbiot"), "field")
    reading = event.reading
    assert (reading.lot, reading.sensor.id, reading.kind, reading.occupied) == ("field", "nb-01", "change", True)
    assert reading.at_ms == at("2024-01-02T07:15:34")
    assert (reading.boot, reading.seq, reading.battery, reading.temperature) == (None, None, None, None)


def test_a_keep_alive_says_nothing_of_the_bay_but_how_the_sensor_is() -> None:
    (event,) = read_recording(rows("nb-01,2024-01-02T06:15:34Z,keepalive,,2992,251,7,,nbiot"), "field")
    assert (event.reading.kind, event.reading.occupied) == ("heartbeat", None)
    assert event.reading.battery == 0.62
    assert event.reading.temperature == 1.0  # half way from -5 to 7


def test_a_repeated_state_is_a_heartbeat_with_the_state() -> None:
    (event,) = read_recording(rows("s-02,2024-12-30T08:00:21Z,parking_repeat,1,,,,,sigfox"), "field")
    assert (event.reading.kind, event.reading.occupied) == ("heartbeat", True)


def test_json_lines_say_the_same_as_csv() -> None:
    line = {"device": "nb-01", "event_time_utc": "2024-01-02T06:15:34Z", "event": "parking", "occupied": 1}
    text = json.dumps(line) + "\n\n" + json.dumps(line | {"occupied": False, "unknown": []})
    one, two = read_recording(text, "field")
    assert one == read_recording(rows("nb-01,2024-01-02T06:15:34Z,parking,1,,,,,"), "field")[0]
    assert two.reading.occupied is False


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (rows("nb-01,yesterday,parking,1,,,,,"), "line 2: .*yesterday"),
        (rows("nb-01,2024-01-02T06:15:34,parking,1,,,,,"), "line 2: .*time zone"),
        (rows("nb-01,2024-01-02T06:15:34Z,parked,1,,,,,"), "line 2: .*parked"),
        (rows("nb-01,2024-01-02T06:15:34Z,parking,,,,,,"), "line 2: parking events say"),
        (rows("nb-01,2024-01-02T06:15:34Z,keepalive,1,,,,,"), "line 2: parking events say"),
        (rows("nb-01,2024-01-02T06:15:34Z,parking,2,,,,,"), "line 2: "),
        (rows("nb/01,2024-01-02T06:15:34Z,parking,1,,,,,"), "line 2: a device"),
        (rows("nb-01,2024-01-02T06:15:34Z,keepalive,,3.6 V,,,,"), "line 2: .*int"),
        ('{"device": "nb-01"}', "line 1: .*event_time_utc"),
        ('{"device": "nb-01"', "line 1: "),
        ('{"device": "nb-01", "event_time_utc": "2024-01-02T06:15:34Z", "event": "keepalive"}\n[]', "line 2: "),
    ],
)
def test_a_bad_line_is_named(text: str, complaint: str) -> None:
    with pytest.raises(RecordingError, match=complaint):
        read_recording(text, "field")


def test_a_paced_replay_lets_time_pass_only_for_what_is_new_in_its_log() -> None:
    events = read_recording(
        rows(
            "a,2024-01-01T10:00:00Z,parking,1,,,,,nbiot",
            "a,2024-01-01T10:10:00Z,parking,0,,,,,nbiot",  # ten minutes later
            "a,2024-01-01T10:05:00Z,parking,0,,,,,nbiot",  # late
            "b,2024-01-01T08:00:00Z,parking,1,,,,,sigfox",  # another log begins
            "b,2024-01-01T08:01:00Z,parking,0,,,,,sigfox",
            "b,2024-01-03T08:01:00Z,parking,1,,,,,sigfox",
        ),
        "field",
    )
    metronome = Metronome(speed=60)
    assert [metronome.wait_seconds(event) for event in events] == [0, 10, 0, 0, 1, LONGEST_PAUSE_SECONDS]
