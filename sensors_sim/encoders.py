"""Readings as the messages that real senders publish. A message depends on its reading alone, so a repeated reading is
repeated byte for byte."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple, get_args

import orjson

from sensors_sim.frames import LORAWAN_MODELS
from sensors_sim.network_servers import chirpstack_v4, things_stack_v3
from sensors_sim.pace import rfc3339
from sensors_sim.reading import Reading

NetworkServer = Literal["chirpstack", "tts"]
NETWORK_SERVERS: tuple[NetworkServer, ...] = get_args(NetworkServer)

_UPLINKS: Mapping[NetworkServer, Callable[[Reading], tuple[str, bytes]]] = {
    "chirpstack": chirpstack_v4,
    "tts": things_stack_v3,
}


class Message(NamedTuple):
    topic: str
    payload: bytes


def encode(reading: Reading, server: NetworkServer) -> Message:
    """A native sensor's own message, or the uplink that `server` makes of a LoRaWAN sensor's frame."""
    if reading.sensor.model in LORAWAN_MODELS:
        return Message(*_UPLINKS[server](reading))
    return native(reading)


def native(reading: Reading) -> Message:
    """AutoSpot MQTT contract, version 1: one JSON object; what the sensor does not say is absent."""
    fields = {
        "occupied": reading.occupied,
        "at": rfc3339(reading.at_ms),
        "seq": reading.seq,
        "boot": reading.boot,
        "battery": reading.battery,
        "rssi": reading.rssi,
        "snr": reading.snr,
        "temperature": reading.temperature,
        "kind": reading.kind,
    }
    payload = orjson.dumps({name: value for name, value in fields.items() if value is not None})
    return Message(f"autospot/v1/{reading.lot}/{reading.sensor.id}/reading", payload)


def gateway_status_topic(lot: str, gateway: str) -> str:
    """Where a gateway says, retained, that it is `online` or `offline`."""
    return f"autospot/v1/{lot}/gateways/{gateway}/status"


def sensor_status_topic(lot: str, sensor: str) -> str:
    """The same for a sensor that holds a connection of its own."""
    return f"autospot/v1/{lot}/{sensor}/status"
