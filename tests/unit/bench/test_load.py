"""The sender keeps to its due times, whatever the broker does."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import orjson
import pytest

from bench import load as sender
from bench.load import Connection, Encoder, Generator
from bench.mqtt_wire import PublishReader, WireError, puback_packet, publish_packet
from bench.schedule import Load, Schedule, instant_text

START_MS = 1_795_000_000_000


def a_schedule(**changes: Any) -> Schedule:
    fields: dict[str, Any] = {"lots": 2, "bays": 3, "rate": 1_000, "seconds": 0.05, "warmup_seconds": 0.0, "seed": 3}
    return Schedule(Load(**{**fields, **changes}), START_MS)


class Clock:
    """The time, set by hand."""

    def __init__(self) -> None:
        self.ms = float(START_MS)

    def __call__(self) -> float:
        return self.ms


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    hand_set = Clock()
    monkeypatch.setattr(sender, "now_ms", hand_set)
    return hand_set


@pytest.fixture
def broker_end() -> Iterator[tuple[Connection, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        theirs.settimeout(5)
        yield Connection(ours), theirs


def received(theirs: socket.socket) -> list[dict[str, Any]]:
    return [orjson.loads(payload) for _, payload in PublishReader().feed(theirs.recv(1 << 20))]


@pytest.mark.parametrize("number", [0, 5, 6, 49])
def test_prepared_packets_are_the_plain_ones(number: int) -> None:
    schedule = a_schedule()
    bay, turn = schedule.order[number % 6], number // 6
    lot, code = schedule.names(bay)
    word = "true" if schedule.occupied(bay, turn) else "false"
    payload = (
        f'{{"occupied":{word},"at":"{instant_text(START_MS + number)}","seq":{turn + 1},"boot":1,"kind":"change"}}'
    )
    plain = publish_packet(f"autospot/v1/{lot}/{code}/reading", 9, payload.encode())
    assert Encoder(schedule).packet(number, 9) == plain


def test_nothing_is_sent_before_it_is_due(clock: Clock, broker_end: tuple[Connection, socket.socket]) -> None:
    generator = Generator([broker_end[0]], a_schedule())
    clock.ms = START_MS - 1
    generator.send_due()
    assert generator.sent == 0
    clock.ms = START_MS + 4
    generator.send_due()
    assert [reading["at"] for reading in received(broker_end[1])] == [instant_text(START_MS + ms) for ms in range(5)]


def test_after_a_stall_every_reading_still_carries_its_own_due_time(
    clock: Clock, broker_end: tuple[Connection, socket.socket]
) -> None:
    generator = Generator([broker_end[0]], a_schedule())
    clock.ms = START_MS + 10_000
    generator.send_due()
    sent = received(broker_end[1])
    assert len(sent) == generator.sent == 50
    assert sent[0]["at"] == instant_text(START_MS)
    assert generator.lateness.max_us == 10_000_000


def test_a_full_window_holds_readings_back_until_some_are_acknowledged(
    clock: Clock, broker_end: tuple[Connection, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender, "IN_FLIGHT_MAX", 8)
    connection, theirs = broker_end
    generator = Generator([connection], a_schedule())
    clock.ms = START_MS + 1_000
    generator.send_due()
    assert generator.sent == 8
    theirs.sendall(b"".join(puback_packet(number) for number in (1, 2, 3)))
    connection.read()
    generator.send_due()
    assert (generator.sent, generator.acknowledged) == (11, 3)


def test_a_bay_always_speaks_over_the_same_connection(clock: Clock) -> None:
    pairs = [socket.socketpair() for _ in range(3)]
    try:
        generator = Generator([Connection(ours) for ours, _ in pairs], a_schedule(lots=1, bays=12))
        clock.ms = START_MS + 1_000
        generator.send_due()
        topics = [
            {
                piece.split(b"/reading")[0]
                for piece in theirs.recv(1 << 20).split(b"autospot/v1/")
                if b"/reading" in piece
            }
            for _, theirs in pairs
        ]
    finally:
        for ours, theirs in pairs:
            ours.close()
            theirs.close()
    assert sum(len(bays) for bays in topics) == len(set().union(*topics)) == 12


def test_a_broker_that_hangs_up_ends_the_run(broker_end: tuple[Connection, socket.socket]) -> None:
    connection, theirs = broker_end
    theirs.shutdown(socket.SHUT_WR)
    with pytest.raises(WireError, match="closed"):
        connection.read()
