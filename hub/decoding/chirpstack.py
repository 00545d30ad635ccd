"""ChirpStack over MQTT: the events of version 4 in its three JSON generations, and of version 3.

Generations of version 4: 4.0 leaves out every field that is 0, false or empty; from 4.1 on event fields are always
there (those inside `rxInfo` still may not be); from 4.6 on `gwTime` and `nsTime` replace `rxInfo.time`. Version 3 has
flat names, base64 EUIs, a decoded object inside a string, no time of its own and no session. So: what is absent is 0,
false or empty, and never an error. Sources: ChirpStack documentation, integrations (MQTT, events) of versions 3 and 4;
`integration.proto`.
"""

from __future__ import annotations

import base64
import re
from datetime import datetime
from typing import Annotated, Any

from msgspec import Meta, Struct, field, json

from autospot.domain.reading import Ignored, IgnoreReason, Reading, Rejected
from hub.decoding import plausible
from hub.decoding.uplink import SESSION_MAX_CHARS, DeviceTypes, Heard, Uplink, first_ms, readings_of

TOPIC = re.compile(r"application/[^/]{1,64}/device/([0-9A-Fa-f]{16})/(?:event/)?([a-z]{1,16})")
"""With or without `event/`: version 3 before 3.11 had no such level."""

_IGNORED: dict[str, IgnoreReason] = {
    "join": "join",
    "ack": "downlink",
    "txack": "downlink",
    "tx": "downlink",
    "log": "log",
    "error": "log",
    "location": "location",
    "integration": "integration",
}
_UPLINK = ("up", "rx")

_Instant = Annotated[datetime, Meta(tz=True)]


class _Gateway(Struct, frozen=True, rename="camel"):
    gw_time: _Instant | None = None
    ns_time: _Instant | None = None
    time: _Instant | None = None
    rssi: float | None = None
    snr: float | None = None
    snr_v3: float | None = field(default=None, name="loRaSNR")


class _DeviceInfo(Struct, frozen=True, rename="camel"):
    dev_eui: str | None = None
    device_profile_name: str | None = None
    tags: dict[str, str] | None = None


class _Event(Struct, frozen=True, rename="camel"):
    time: _Instant | None = None
    device_info: _DeviceInfo | None = None
    dev_eui_v3: str | None = field(default=None, name="devEUI")
    tags: dict[str, str] | None = None
    dev_addr: Annotated[str, Meta(max_length=SESSION_MAX_CHARS)] | None = None
    f_cnt: Annotated[int, Meta(ge=0, lt=2**32)] | None = None
    f_port: Annotated[int, Meta(ge=0, le=255)] | None = None
    data: bytes | None = None
    object: Any = None
    object_v3: str | None = field(default=None, name="objectJSON")
    rx_info: list[_Gateway] | None = None
    battery_level: float | None = None
    battery_level_unavailable: bool | None = None
    external_power_source: bool | None = None


_decode = json.Decoder(_Event).decode


def chirpstack_event(
    eui: str, event: str, payload: bytes, arrived_ms: int, registry: DeviceTypes
) -> list[Reading] | Ignored | Rejected:
    """What the event of the device in the topic says. The topic's EUI is the sensor; a body that names another device
    is refused, because one of the two would be given the other's bay. Raises `msgspec.DecodeError`, `RecursionError`.
    """
    if (reason := _IGNORED.get(event)) is not None:
        return Ignored(reason)
    if event not in (*_UPLINK, "status"):
        return Rejected("bad_topic", f"no ChirpStack event {event!r}")
    said, sensor = _decode(payload), eui.lower()
    named = said.dev_eui_v3 if said.device_info is None else said.device_info.dev_eui
    if named and _eui(named) != sensor:
        return Rejected("bad_value", f"the topic names {sensor}, the body another device")
    if event == "status":
        return [_health(sensor, said)]
    return readings_of(_uplink(sensor, said), arrived_ms, registry)


def _uplink(sensor: str, said: _Event) -> Uplink:
    device = said.device_info or _DeviceInfo(tags=said.tags)
    tag = (device.tags or {}).get("model")
    codec = json.decode(said.object_v3) if said.object_v3 else said.object
    copies = said.rx_info or []
    return Uplink(
        sensor=sensor,
        f_port=said.f_port or 0,
        data=said.data or b"",
        codec=codec if isinstance(codec, dict) else None,
        heard=tuple(_heard(copy) for copy in copies),
        server_ms=first_ms([*(copy.ns_time for copy in copies), said.time]),
        session=said.dev_addr,
        f_cnt=said.f_cnt or 0,
        hints=tuple(hint for hint in (tag, device.device_profile_name) if hint),
    )


def _heard(copy: _Gateway) -> Heard:
    snr = copy.snr if copy.snr_v3 is None else copy.snr_v3
    if snr is None and copy.rssi is not None:
        snr = 0.0
    return Heard(first_ms((copy.gw_time, copy.time)), copy.rssi, snr)


def _health(sensor: str, said: _Event) -> Reading:
    """DevStatus: the battery in percent, unless the device is on mains or cannot tell. Says nothing of the bay."""
    tells = not (said.battery_level_unavailable or said.external_power_source)
    at_ms = first_ms((said.time,))
    return Reading(
        sensor,
        at_ms=at_ms,
        battery=plausible.within(plausible.BATTERY, (said.battery_level or 0.0) / 100) if tells else None,
        clock=None if at_ms is None else "server",
    )


def _eui(text: str) -> str:
    """An EUI as 16 lower-case hex digits from version 4's hex or version 3's base64. They differ in length: nothing
    is guessed."""
    if len(text) == 16:
        return text.lower()
    try:
        return base64.b64decode(text, validate=True).hex()
    except ValueError:
        return text
