"""Play a recording through MQTT, in the order in which its events arrived."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

from sensors_sim.broker import Broker, Connection, Counts
from sensors_sim.encoders import native
from sensors_sim.pace import Stopwatch, rfc3339
from sensors_sim.publisher import PATIENCE_SECONDS, WINDOW, Publisher
from sensors_sim.reading import Reading
from sensors_sim.recording import Recorded

LONGEST_PAUSE_SECONDS = 60.0
"""A night in which nothing happened is not waited out."""

CONNECTION = Connection("replay")


class Tally:
    """What the recording says, event by event: repeats, late ones, and each sensor's newest word on its bay."""

    def __init__(self) -> None:
        self.repeats = 0
        self.late = 0
        self.newest: dict[str, Reading] = {}
        self._seen: set[tuple[str, int, str, bool | None]] = set()

    def note(self, reading: Reading) -> None:
        """A repeat equals an earlier event in sensor, time, kind and state; a late one is older than a state that its
        sensor has already reported."""
        event = (reading.sensor.id, reading.at_ms, reading.kind, reading.occupied)
        newest = self.newest.get(reading.sensor.id)
        if event in self._seen:
            self.repeats += 1
        elif newest is not None and reading.at_ms < newest.at_ms:
            self.late += 1
        self._seen.add(event)
        if reading.occupied is not None and (newest is None or reading.at_ms > newest.at_ms):
            self.newest[reading.sensor.id] = reading


class Metronome:
    """How long to wait before an event, at `speed` recorded seconds a second.

    Files hold no arrival times. A log is taken to have arrived when the newest event in it had happened: time passes
    when an event is newer than all before it in its log, and stands still for the late ones.
    """

    def __init__(self, speed: float) -> None:
        self._speed = speed
        self._newest_ms: dict[str, int] = {}

    def wait_seconds(self, event: Recorded) -> float:
        at_ms = event.reading.at_ms
        newest_ms = self._newest_ms.get(event.network, at_ms)
        self._newest_ms[event.network] = max(newest_ms, at_ms)
        return min(max(at_ms - newest_ms, 0) / self._speed / 1000, LONGEST_PAUSE_SECONDS)


class Replay:
    """A recording, played once. `speed` None: as fast as the broker acknowledges.

    Guarantees: one connection, so the broker gets the events in their order; each at least once, by QoS 1.
    """

    def __init__(
        self,
        recording: Sequence[Recorded],
        broker: Broker,
        stopwatch: Stopwatch,
        *,
        speed: float | None,
        window: int = WINDOW,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        self._recording = recording
        self._stopwatch = stopwatch
        self._metronome = None if speed is None else Metronome(speed)
        self._publisher = Publisher(broker, [CONNECTION], Random(), window=window, patience_seconds=patience_seconds)
        self._tally = Tally()

    @property
    def counts(self) -> Counts:
        return self._publisher.counts

    async def go(self) -> None:
        """Returns when all is acknowledged, or the stopwatch was stopped. `PublishError` as in `Run.go`."""
        async with self._publisher:
            link = self._publisher.link(CONNECTION)
            for event in self._recording:
                wait_seconds = 0.0 if self._metronome is None else self._metronome.wait_seconds(event)
                if wait_seconds > 0:
                    await self._stopwatch.wait(wait_seconds)
                if self._stopwatch.stopped:
                    break
                await link.publish(native(event.reading))
                self._tally.note(event.reading)
            await self._publisher.drain()

    def report(self) -> dict[str, Any]:
        """Counts, and each sensor's newest word among the events that were played."""
        counts = self.counts
        return {
            "readings": {
                "planned": len(self._recording),
                "published": counts.published,
                "acknowledged": counts.acknowledged,
            },
            "repeats": self._tally.repeats,
            "late": self._tally.late,
            "sensors": {
                sensor: {"occupied": reading.occupied, "at": rfc3339(reading.at_ms)}
                for sensor, reading in sorted(self._tally.newest.items())
            },
        }
