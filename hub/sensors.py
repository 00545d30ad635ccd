"""What the hub remembers of every sensor: which bay it watches, what it last said, when it was last heard."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from autospot.domain.bay import NOTHING_SAID, age
from autospot.domain.change import FeedEntry
from autospot.domain.devices import silence_limit_seconds
from autospot.domain.lot import Lot, SensorRef
from autospot.storage.bays import StoredBay
from hub.shard import Shard

STATUS_GRACE_MS = 60_000
"""How long a gateway or a sensor may be offline before its bays turn unknown."""


TOPICS_REMEMBERED = 50_000
"""Topics whose sensor is known without looking, 6 MB; when there are more, all are learnt again."""


class Sensor:
    """One sensor at one bay.

    `half` is the sensor's half of the bay by which the next reading is judged; it runs ahead of the log by the batch
    that is being appended, `durable` does not. `heard_ms` is the hub's clock when it last spoke, `silence_ms` how long
    it may be silent, `offline_ms` since when its gateway's or its own last will says that it is gone.
    """

    __slots__ = (
        "bay",
        "durable",
        "gateway",
        "half",
        "health",
        "heard_ms",
        "id",
        "lot",
        "model",
        "offline_ms",
        "silence_ms",
        "threshold_mm",
    )

    def __init__(self, lot: str, bay: str, ref: SensorRef) -> None:
        self.lot = lot
        self.bay = bay
        self.half = self.durable = NOTHING_SAID
        self.heard_ms: int | None = None
        self.offline_ms: int | None = None
        self.health: dict[str, float] | None = None
        self.describe(ref)

    def describe(self, ref: SensorRef) -> None:
        """Takes over what the registry says of the device."""
        self.id = ref.id
        self.model = ref.model
        self.gateway = ref.gateway
        self.threshold_mm = ref.threshold_mm
        self.silence_ms = int(silence_limit_seconds(ref.model, ref.heartbeat_seconds) * 1000)

    def fell_silent(self, now_ms: int, listening_since_ms: int) -> bool:
        """True if its bay should turn unknown now. Silence counts from when the hub last heard it, and never from
        before the hub was listening."""
        if self.half.occupied is None:
            return False
        if self.offline_ms is not None and now_ms - self.offline_ms >= STATUS_GRACE_MS:
            return True
        return now_ms - max(self.heard_ms or 0, listening_since_ms) > self.silence_ms


class SensorTable:
    """Every sensor of the lots that this hub serves.

    Found by `(lot, sensor)` for native messages and by device id alone for network servers' messages. Bounded by the
    registry: a message never adds to it.
    """

    def __init__(self, shard: Shard) -> None:
        self._shard = shard
        self._elsewhere: dict[str, str] = {}
        self._by_lot: dict[str, dict[str, Sensor]] = {}
        self._by_bay: dict[str, dict[str, Sensor]] = {}
        self._by_device: dict[str, Sensor] = {}
        self._by_topic: dict[bytes, Sensor] = {}

    def put_layout(self, layout: Lot) -> None:
        """Takes up a lot, or its changed registry entries. What a bay's sensor said so far is kept."""
        if not self._shard.owns(layout.lot):
            self._elsewhere.update({bay.sensor.id: layout.lot for bay in layout.bays if bay.sensor is not None})
            return
        self._by_topic.clear()
        before = self._by_bay.get(layout.lot, {})
        for sensor_id, sensor in self._by_lot.get(layout.lot, {}).items():
            if self._by_device.get(sensor_id) is sensor:
                del self._by_device[sensor_id]
        sensors: dict[str, Sensor] = {}
        bays: dict[str, Sensor] = {}
        for bay in layout.bays:
            ref = bay.sensor or SensorRef(id=bay.bay)
            sensor = before.get(bay.bay) or Sensor(layout.lot, bay.bay, ref)
            sensor.describe(ref)
            bays[bay.bay] = sensors[ref.id] = sensor
            if bay.sensor is not None:
                self._by_device[ref.id] = sensor
        self._by_lot[layout.lot] = sensors
        self._by_bay[layout.lot] = bays

    def restore(self, stored: StoredBay) -> None:
        """Takes back what was stored of a sensor."""
        sensor = self.at_bay(stored.lot, stored.bay)
        if sensor is not None:
            sensor.half = sensor.durable = stored.last
            sensor.heard_ms = stored.heard_ms
            sensor.health = stored.health

    def replay(self, entry: FeedEntry) -> None:
        """Takes back what an entry of the log says, where it is not older than what was stored."""
        for lot, changes in entry.sensors.items():
            for change in changes:
                sensor = self.at_bay(lot, change.bay)
                if sensor is not None and age(sensor.half, change.boot, change.seq, change.at_ms or 0) >= 0:
                    sensor.half = sensor.durable = change.half

    def is_elsewhere(self, device: str) -> bool:
        """True if the device belongs to a lot that another hub serves."""
        return device in self._elsewhere

    def knows_lot(self, lot: str) -> bool:
        """True if this hub serves `lot`."""
        return lot in self._by_lot

    def find(self, lot: str | None, sensor: str) -> Sensor | None:
        """The sensor by its code in `lot`, or by its device id where the message names no lot."""
        if lot is None:
            return self._by_device.get(sensor)
        sensors = self._by_lot.get(lot)
        return None if sensors is None else sensors.get(sensor)

    def of_topic(self, topic: bytes) -> Sensor | None:
        """The sensor whose readings come by `topic`, if `learn_topic` has been told since the last layout."""
        return self._by_topic.get(topic)

    def learn_topic(self, topic: bytes, sensor: Sensor) -> None:
        """Remembers that the readings of `sensor` come by `topic`."""
        if len(self._by_topic) >= TOPICS_REMEMBERED:
            self._by_topic.clear()
        self._by_topic[topic] = sensor

    def get(self, sensor: str) -> Sensor | None:
        """What is known of a device by its id alone, as decoding asks."""
        return self._by_device.get(sensor)

    def at_bay(self, lot: str, bay: str) -> Sensor | None:
        """The sensor that watches a bay."""
        return self._by_bay.get(lot, {}).get(bay)

    def behind_gateway(self, lot: str, gateway: str) -> Iterable[Sensor]:
        """Every sensor of `lot` that speaks through `gateway`."""
        return [sensor for sensor in self._by_lot.get(lot, {}).values() if sensor.gateway == gateway]

    def lots(self) -> Iterable[str]:
        """The codes of the lots served."""
        return self._by_lot.keys()

    def __iter__(self) -> Iterator[Sensor]:
        for sensors in self._by_lot.values():
            yield from sensors.values()
