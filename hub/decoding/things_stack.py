"""The Things Stack version 3 (The Things Network) over MQTT.

Every field that is 0, false or empty is left out. QoS 0 only: a lost message is normal, and the next heartbeat is what
repairs the bay. Source: lorawan-stack-docs, data formats and MQTT server.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any

from msgspec import Meta, Struct
from msgspec.json import Decoder

from autospot.domain.ids import is_code
from autospot.domain.reading import Ignored, IgnoreReason, Reading, Rejected
from hub.decoding.uplink import SESSION_MAX_CHARS, DeviceTypes, Heard, Uplink, first_ms, readings_of

TOPIC = re.compile(r"v3/[^/]{1,128}/devices/([^/]{1,64})/(up|join|down/[a-z]{1,16}|service/data|location/solved)")
"""`{application}@{tenant}` is one level; the open-source edition has no `@{tenant}`."""

_IGNORED: dict[str, IgnoreReason] = {
    "join": "join",
    "down": "downlink",
    "service": "integration",
    "location": "location",
}

_Instant = Annotated[datetime, Meta(tz=True)]


class _DeviceIds(Struct, frozen=True):
    device_id: str
    dev_eui: Annotated[str, Meta(pattern="^([0-9A-Fa-f]{16})?$")] | None = None


class _Gateway(Struct, frozen=True):
    time: _Instant | None = None
    rssi: float | None = None
    snr: float | None = None


class _Versions(Struct, frozen=True):
    brand_id: str = ""
    model_id: str = ""


class _Battery(Struct, frozen=True):
    value: float = 0.0


class _Message(Struct, frozen=True):
    session_key_id: Annotated[str, Meta(max_length=SESSION_MAX_CHARS)] | None = None
    f_port: Annotated[int, Meta(ge=0, le=255)] = 0
    f_cnt: Annotated[int, Meta(ge=0, lt=2**32)] = 0
    frm_payload: bytes = b""
    decoded_payload: dict[str, Any] | None = None
    rx_metadata: list[_Gateway] | None = None
    received_at: _Instant | None = None
    version_ids: _Versions | None = None
    attributes: dict[str, str] | None = None
    last_battery_percentage: _Battery | None = None


class _Up(Struct, frozen=True):
    end_device_ids: _DeviceIds
    uplink_message: _Message
    received_at: _Instant | None = None
    simulated: bool = False


_decode = Decoder(_Up).decode


def things_stack_event(
    device_id: str, event: str, payload: bytes, arrived_ms: int, registry: DeviceTypes
) -> list[Reading] | Ignored | Rejected:
    """What the message of the device in the topic says. The sensor is the device's EUI in lower case, or its id where
    no EUI is given. A console's test message changes nothing. Raises `msgspec.DecodeError`, `RecursionError`.
    """
    if (reason := _IGNORED.get(event.partition("/")[0])) is not None:
        return Ignored(reason)
    said = _decode(payload)
    if said.simulated:
        return Ignored("simulated")
    ids = said.end_device_ids
    if ids.device_id != device_id:
        return Rejected("bad_value", "the topic names one device, the body another - at `$.end_device_ids.device_id`")
    sensor = ids.dev_eui.lower() if ids.dev_eui else ids.device_id
    if not is_code(sensor):
        return Rejected("bad_value", "not a sensor code - at `$.end_device_ids.device_id`")
    return readings_of(_uplink(sensor, said), arrived_ms, registry)


def _uplink(sensor: str, said: _Up) -> Uplink:
    message = said.uplink_message
    versions = message.version_ids
    battery = message.last_battery_percentage
    attribute = (message.attributes or {}).get("model")
    device = None if versions is None else f"{versions.brand_id}/{versions.model_id}"
    return Uplink(
        sensor=sensor,
        f_port=message.f_port,
        data=message.frm_payload,
        codec=message.decoded_payload,
        heard=tuple(_heard(copy) for copy in message.rx_metadata or ()),
        server_ms=first_ms((message.received_at, said.received_at)),
        session=message.session_key_id,
        f_cnt=message.f_cnt,
        battery=None if battery is None else battery.value / 100,
        hints=tuple(hint for hint in (attribute, device) if hint),
    )


def _heard(copy: _Gateway) -> Heard:
    snr = 0.0 if copy.snr is None and copy.rssi is not None else copy.snr
    return Heard(first_ms((copy.time,)), copy.rssi, snr)
