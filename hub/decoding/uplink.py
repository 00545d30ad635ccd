"""From a radio frame in its network server's envelope to readings: whose layout, which order, whose clock."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple, Protocol

from autospot.domain.devices import NATIVE_MODEL, SENSOR_MODELS, SensorModel, model_hinted_by
from autospot.domain.instant import to_ms
from autospot.domain.reading import AHEAD_LIMIT_MS, Clock, Reading, Rejected
from hub.decoding import plausible
from hub.decoding.decoders import DECODERS
from hub.decoding.frames import HEARD, Decoded, FrameEvent
from hub.decoding.words import event_of_codec

GATEWAY_DELAY_LIMIT_MS = 24 * 3600 * 1000
"""A gateway that lost its line may hand in frames so old. A time further back than that is a gateway whose clock was
never set."""

FRAME_MAX_BYTES = 512
"""LoRaWAN carries at most 242 bytes; datagrams of other radios, bridged, may be longer. More is not a frame."""

EVENTS_PER_FRAME = 256
"""`seq` leaves this much room between two frame counters: more than the shortest events could fill."""

SESSION_MAX_CHARS = 64
HINT_MAX_CHARS = 64
HINTS_REMEMBERED = 1024


class KnownSensor(Protocol):
    """What the registry says of a sensor; `autospot.domain.lot.SensorRef` is one."""

    @property
    def model(self) -> str: ...

    @property
    def threshold_mm(self) -> int | None: ...


class DeviceTypes(Protocol):
    """The registry as decoding needs it: a mapping from a sensor's code (LoRaWAN: its EUI) to what is known of it."""

    def get(self, sensor: str, /) -> KnownSensor | None: ...


class Heard(NamedTuple):
    """One gateway's copy of a frame. `at_ms` by the gateway's clock, None where it has none."""

    at_ms: int | None
    rssi: float | None
    snr: float | None


class Uplink(NamedTuple):
    """One frame with what its network server says of it.

    `codec` is what the server's own codec made of the frame. `server_ms` is the server's time of receipt. `session` is
    what changes when the device joins anew and `f_cnt` starts over, None where the envelope does not tell. `battery`
    (0..1) is what the network itself knows of it. `hints` are texts that may give the model away, the best first.
    """

    sensor: str
    f_port: int
    data: bytes
    codec: Mapping[str, object] | None
    heard: Sequence[Heard]
    server_ms: int | None
    session: str | None
    f_cnt: int
    battery: float | None = None
    hints: tuple[str, ...] = ()


def readings_of(uplink: Uplink, arrived_ms: int, registry: DeviceTypes) -> list[Reading] | Rejected:
    """Every reading in the frame, by event time, the older first.

    A frame is read by the layout of its sensor's model; where no model is known, by its server's codec. Of a sensor
    that the registry does not know, what cannot be read is no fault of the frame: one reading without a state tells
    that it was heard, and whoever knows every lot may say whose it is.
    """
    known = registry.get(uplink.sensor)
    events = _events(uplink, known)
    if isinstance(events, Rejected):
        if known is not None:
            return events
        events = HEARD
    receipt = _receipt(uplink, arrived_ms)
    threshold_mm = None if known is None else known.threshold_mm
    return [_reading(uplink, receipt, index, event, threshold_mm) for index, event in enumerate(events)]


def first_ms(instants: Iterable[datetime | None]) -> int | None:
    """The first instant there is, in milliseconds since the epoch."""
    return next((to_ms(instant) for instant in instants if instant is not None), None)


class _Receipt(NamedTuple):
    at_ms: int | None
    clock: Clock | None
    rssi: float | None
    snr: float | None


def _receipt(uplink: Uplink, arrived_ms: int) -> _Receipt:
    """When and how well the frame was heard.

    The time is a gateway's, the loudest copy's first, because it alone was there; unless it contradicts the server's
    clock (or, without that, the hub's) by being ahead of it, or behind by more than a line can be down. Then the
    server's.
    """
    copies = sorted(uplink.heard, key=_loudness, reverse=True)
    rssi = plausible.within(plausible.RSSI_DBM, copies[0].rssi) if copies else None
    snr = plausible.within(plausible.SNR_DB, copies[0].snr) if copies else None
    reference_ms = arrived_ms if uplink.server_ms is None else uplink.server_ms
    for copy in copies:
        if copy.at_ms is not None and -GATEWAY_DELAY_LIMIT_MS <= copy.at_ms - reference_ms <= AHEAD_LIMIT_MS:
            return _Receipt(copy.at_ms, "gateway", rssi, snr)
    return _Receipt(uplink.server_ms, None if uplink.server_ms is None else "server", rssi, snr)


def _loudness(copy: Heard) -> float:
    return -math.inf if copy.rssi is None else copy.rssi


def _reading(uplink: Uplink, receipt: _Receipt, index: int, event: FrameEvent, threshold_mm: int | None) -> Reading:
    dated = event.at_ms is not None
    # A sensor that dates its events also delivers them late and out of turn: frames do not order them, times do.
    ordered = not dated and uplink.session is not None
    battery = uplink.battery if event.battery is None else event.battery
    return Reading(
        uplink.sensor,
        occupied=_occupied(event, threshold_mm),
        at_ms=event.at_ms if dated else receipt.at_ms,
        boot=uplink.session if ordered else None,
        seq=uplink.f_cnt * EVENTS_PER_FRAME + index if ordered else None,
        kind=event.kind,
        battery=plausible.within(plausible.BATTERY, battery),
        battery_volts=plausible.within(plausible.BATTERY_VOLTS, event.battery_volts),
        rssi=receipt.rssi,
        snr=receipt.snr,
        temperature=plausible.within(plausible.TEMPERATURE_C, event.temperature),
        distance_mm=event.distance_mm,
        battery_low=event.battery_low,
        clock="device" if dated else receipt.clock,
    )


def _events(uplink: Uplink, known: KnownSensor | None) -> Decoded:
    if len(uplink.data) > FRAME_MAX_BYTES:
        return Rejected("bad_frame", f"{len(uplink.data)} bytes, at most {FRAME_MAX_BYTES} make a frame")
    model = _model(uplink, known)
    if isinstance(model, Rejected):
        return model
    if not uplink.data and uplink.f_port == 0 and not uplink.codec:
        return HEARD  # nothing but MAC commands: the sensor lives
    decoder = None if model is None or model.decoder is None else DECODERS.get(model.decoder)
    if decoder is not None and (uplink.data or not uplink.codec):
        return decoder(uplink.f_port, uplink.data)
    if uplink.codec:
        return event_of_codec(uplink.codec)
    return Rejected("unknown_device_type", "nothing tells its model, and its server has no codec")


def _model(uplink: Uplink, known: KnownSensor | None) -> SensorModel | Rejected | None:
    """The registry's word counts; then the best hint that names a model. None where nobody says."""
    if known is not None and known.model != NATIVE_MODEL:
        chosen = SENSOR_MODELS.get(known.model)
        return chosen or Rejected("unknown_device_type", f"no model {known.model!r} in the catalogue")
    return next((model for hint in uplink.hints if (model := _hinted(hint[:HINT_MAX_CHARS]))), None)


@lru_cache(maxsize=HINTS_REMEMBERED)  # sites have a handful of device profiles, named again in every message
def _hinted(text: str) -> SensorModel | None:
    return model_hinted_by(text)


def _occupied(event: FrameEvent, threshold_mm: int | None) -> bool | None:
    if event.distance_mm is not None and threshold_mm is not None:
        return event.distance_mm < threshold_mm
    return event.occupied
