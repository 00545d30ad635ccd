"""Messages as sensors and network servers send them, every field with a default."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from autospot.domain.reading import Reading, Rejected
from hub.decoding import decode

VECTORS = Path(__file__).parents[3] / "vectors"
EUI = "a81758fffe04b3c2"
HEARD_AT = "2026-11-22T10:00:00.250Z"
HEARD_MS = 1_795_341_600_250
ARRIVED_MS = HEARD_MS + 400


@dataclass(frozen=True)
class Registered:
    """A line of the registry."""

    model: str = "native"
    threshold_mm: int | None = None


@dataclass(frozen=True)
class Registry:
    """The registry of a site with one kind of sensor, whatever its EUI."""

    sensor: Registered | None = field(default_factory=Registered)

    def get(self, sensor: str, /) -> Registered | None:
        return self.sensor


NOBODY = Registry(None)


def registry(model: str = "native", threshold_mm: int | None = None) -> Registry:
    return Registry(Registered(model, threshold_mm))


def vectors(name: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads((VECTORS / name).read_text())
    return rows


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def chirpstack_up(
    data: bytes = b"\x01",
    f_port: int = 1,
    /,
    *,
    without: tuple[str, ...] = (),
    device: Mapping[str, Any] = {},
    **more: Any,
) -> bytes:
    """A ChirpStack 4.6 `up` event. `device` adds to `deviceInfo`, `more` to the event, `without` takes fields away."""
    event = {
        "deduplicationId": "57433366-50a6-4dc2-8145-2df1bbc70d9e",
        "time": HEARD_AT,
        "deviceInfo": {"deviceProfileName": "bays", "deviceName": "bay 7", "devEui": EUI, "tags": {}} | dict(device),
        "devAddr": "01020304",
        "adr": True,
        "dr": 5,
        "fCnt": 4,
        "fPort": f_port,
        "confirmed": False,
        "data": b64(data),
        "rxInfo": [
            {
                "gatewayId": "0016c001f153a14c",
                "gwTime": HEARD_AT,
                "nsTime": "2026-11-22T10:00:00.300Z",
                "rssi": -89,
                "snr": 10.5,
            }
        ],
        "txInfo": {"frequency": 867100000},
    } | more
    return json.dumps({name: value for name, value in event.items() if name not in without}).encode()


def chirpstack_topic(event: str = "up", eui: str = EUI) -> str:
    return f"application/17c82e96-be03-4f38-aef3-f83d48582d97/device/{eui}/event/{event}"


def things_stack_up(data: bytes = b"\x01", f_port: int = 1, /, *, top: Mapping[str, Any] = {}, **message: Any) -> bytes:
    """The Things Stack's `up`. `top` adds to the whole, `message` to `uplink_message`; zero values are left out."""
    uplink = {
        "session_key_id": "AYfqmb0pc/1uRZv9xUydgQ==",
        "f_port": f_port,
        "f_cnt": 10,
        "frm_payload": b64(data),
        "rx_metadata": [{"gateway_ids": {"gateway_id": "g"}, "time": HEARD_AT, "rssi": -35, "snr": 13.2}],
        "settings": {"frequency": "868300000"},
        "received_at": "2026-11-22T10:00:00.300123456Z",
    } | message
    whole = {
        "end_device_ids": {"device_id": "bay-7", "dev_eui": EUI.upper()},
        "received_at": "2026-11-22T10:00:00.400123456Z",
        "uplink_message": {name: value for name, value in uplink.items() if value or name not in ("f_port", "f_cnt")},
    } | dict(top)
    return json.dumps(whole).encode()


THINGS_STACK_TOPIC = "v3/parking@tenant/devices/bay-7/up"


def readings(topic: str, payload: bytes, known: Registry = NOBODY) -> list[Reading]:
    """What `decode` makes of a message that must be readable."""
    outcome = decode(topic, payload, ARRIVED_MS, known)
    assert isinstance(outcome, list), outcome
    return outcome


def frame(model: str, f_port: int, hexadecimal: str) -> list[Reading]:
    """The readings of one frame, sent through ChirpStack."""
    return readings(chirpstack_topic(), chirpstack_up(bytes.fromhex(hexadecimal), f_port), registry(model))


def refused(model: str, f_port: int, hexadecimal: str) -> str:
    """Why a frame is refused."""
    payload = chirpstack_up(bytes.fromhex(hexadecimal), f_port)
    outcome = decode(chirpstack_topic(), payload, ARRIVED_MS, registry(model))
    assert isinstance(outcome, Rejected), outcome
    return outcome.reason
