"""The sensors: an open-loop MQTT publisher in its own process.

    python -m bench.load '{"port": 1883, "load": {...}, "connections": 4}'

Commands: `{"do": "run", "start_ms": 1795000000000}` sends the whole schedule and answers with what became of it.

Cheap on purpose, since it shares the machine with what it measures: prepared packets, one write per connection and
millisecond, acknowledgements counted eight thousand at a time. 30,000 readings/s take about a quarter of a core.
"""

from __future__ import annotations

import json
import select
import socket
import sys
import time
from dataclasses import dataclass, field
from typing import Any, Final

from bench.latency import Latencies
from bench.mqtt_wire import (
    CONNACK_ACCEPTED,
    PACKET_IDS,
    PUBLISH_QOS1,
    Acknowledged,
    WireError,
    connect_packet,
    remaining_length,
)
from bench.schedule import BOOT, Load, Schedule, instant_text
from bench.worker import answer, now_ms, read_command

IN_FLIGHT_MAX: Final = 60_000
"""Unacknowledged readings of one connection, below the 65,535 packet ids. When it is reached, what is due waits in the
sender; it is sent late and its latency counts from when it was due, like any other."""

TICK_SECONDS: Final = 0.002
"""One write per connection and tick. A shorter tick is truer by a millisecond and costs twice the processor time, which
the measured system then lacks; the wait for the tick is part of every latency, the same for all."""

DRAIN_SECONDS: Final = 10.0
"""How long to wait for the last acknowledgements before reporting what is missing."""

RECEIVE_BYTES: Final = 1 << 15
_LENGTHS: Final = [remaining_length(size) for size in range(16_384)]


@dataclass(slots=True)
class Connection:
    """One MQTT session of the generator and what is still to be written to it."""

    socket: socket.socket
    sent: int = 0
    acknowledged: Acknowledged = field(default_factory=Acknowledged)
    unwritten: bytes = b""

    @property
    def in_flight(self) -> int:
        """Readings handed to this connection that the broker has not acknowledged."""
        return self.sent - self.acknowledged.count

    def write(self, packets: list[bytes]) -> None:
        """Send what the socket takes; the rest stays, bounded by IN_FLIGHT_MAX packets."""
        pending = self.unwritten + b"".join(packets)
        try:
            written = self.socket.send(pending) if pending else 0
        except BlockingIOError:
            written = 0
        self.unwritten = pending[written:]

    def read(self) -> None:
        """Count the acknowledgements that have come. Raises WireError when the broker hung up."""
        try:
            received = self.socket.recv(RECEIVE_BYTES)
        except BlockingIOError:
            return
        if not received:
            raise WireError("the broker closed the connection")
        self.acknowledged.feed(received)


def connect(port: int, name: str) -> Connection:
    """Open one session. Raises WireError when the broker refuses it."""
    link = socket.create_connection(("127.0.0.1", port), timeout=10)
    link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    link.sendall(connect_packet(name))
    reply = link.recv(len(CONNACK_ACCEPTED), socket.MSG_WAITALL)
    if reply != CONNACK_ACCEPTED:
        raise WireError(f"the broker refused the connection: {reply.hex()}")
    link.setblocking(False)
    return Connection(link)


class Encoder:
    """Turns reading numbers into PUBLISH packets. Everything that does not change is joined beforehand."""

    def __init__(self, schedule: Schedule) -> None:
        self._schedule = schedule
        self._topics: dict[int, bytes] = {}
        self._second, self._prefix = -1, b""

    def packet(self, number: int, packet_id: int) -> bytes:
        """The packet of reading `number`."""
        schedule = self._schedule
        turn, place = divmod(number, schedule.total_bays)
        bay = schedule.order[place]
        word = b"true" if schedule.occupied(bay, turn) else b"false"
        payload = b'{"occupied":%b,"at":"%b","seq":%d,"boot":%d,"kind":"change"}' % (
            word,
            self._instant(schedule.due_ms(number)),
            turn + 1,
            BOOT,
        )
        topic = self._topics.get(bay) or self._topic(bay)
        head = _LENGTHS[len(topic) + 2 + len(payload)]
        return b"%c%b%b%b%b" % (PUBLISH_QOS1, head, topic, packet_id.to_bytes(2, "big"), payload)

    def _topic(self, bay: int) -> bytes:
        raw = "autospot/v1/{}/{}/reading".format(*self._schedule.names(bay)).encode()
        self._topics[bay] = prepared = len(raw).to_bytes(2, "big") + raw
        return prepared

    def _instant(self, at_ms: int) -> bytes:
        second, fraction = divmod(at_ms, 1000)
        if second != self._second:
            self._second, self._prefix = second, instant_text(second * 1000)[:20].encode()
        return b"%b%03dZ" % (self._prefix, fraction)


class Generator:
    """Sends a schedule when it is due, never earlier, and as soon after as the connections allow.

    Guarantees: each bay always uses the same connection, so its readings arrive in order; it ends by itself, at most
    DRAIN_SECONDS after the last reading was due; `lateness` tells how late it was itself.
    """

    def __init__(self, connections: list[Connection], schedule: Schedule) -> None:
        self._connections = connections
        self._schedule = schedule
        self._encoder = Encoder(schedule)
        self._next = schedule.load.first
        self.lateness = Latencies()

    @property
    def sent(self) -> int:
        """Readings that were handed to a connection."""
        return self._next - self._schedule.load.first

    @property
    def acknowledged(self) -> int:
        """Readings that the broker has confirmed."""
        return sum(connection.acknowledged.count for connection in self._connections)

    def run(self) -> None:
        """Send everything, then wait for the acknowledgements."""
        readings = self._schedule.load.readings
        give_up_ms = self._schedule.due_ms(self._schedule.load.end) + DRAIN_SECONDS * 1000
        poll = select.poll()
        by_descriptor = {connection.socket.fileno(): connection for connection in self._connections}
        for descriptor in by_descriptor:
            poll.register(descriptor, select.POLLIN)
        while self.acknowledged < readings and now_ms() < give_up_ms:
            self.send_due()
            time.sleep(TICK_SECONDS)
            for descriptor, _ in poll.poll(0):
                by_descriptor[descriptor].read()

    def send_due(self) -> None:
        """Everything that is due by now, unless a connection is full: then what comes after it waits too."""
        schedule, began = self._schedule, self._next
        due = schedule.due_by(now_ms())
        batches: list[list[bytes]] = [[] for _ in self._connections]
        while self._next < due:
            lane = schedule.order[self._next % schedule.total_bays] % len(batches)
            connection = self._connections[lane]
            if connection.in_flight >= IN_FLIGHT_MAX:
                break
            batches[lane].append(self._encoder.packet(self._next, connection.sent % PACKET_IDS + 1))
            connection.sent += 1
            self._next += 1
        for connection, packets in zip(self._connections, batches, strict=True):
            connection.write(packets)
        if self._next > began:  # the oldest of the batch stands for all: lateness is overstated, never understated
            late_us = int((now_ms() - schedule.due_ms(began)) * 1000)
            self.lateness.record(max(0, late_us), self._next - began)


def main(arguments: dict[str, Any]) -> None:
    """Connect, wait for the start, send, report."""
    load = Load(**arguments["load"])
    connections = [connect(arguments["port"], f"bench-load-{lane}") for lane in range(arguments["connections"])]
    answer({"ready": True})
    command = read_command()
    if command is None:
        return
    generator = Generator(connections, Schedule(load, command["start_ms"]))
    generator.run()
    answer(
        {
            "sent": generator.sent,
            "acknowledged": generator.acknowledged,
            "lateness": generator.lateness.summary(),
            "cpu_seconds": time.process_time(),
        }
    )


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
