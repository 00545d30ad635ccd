"""Two programs written apart agree: the hub reads in each message what the simulator's sensor meant."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from autospot.domain.reading import Reading as HubReading
from autospot.domain.reading import Status
from hub.decoding import decode
from sensors_sim.encoders import NETWORK_SERVERS, NetworkServer, encode, gateway_status_topic
from sensors_sim.frames import LORAWAN_MODELS
from sensors_sim.lots import Sensor
from sensors_sim.reading import Kind
from tests.unit.sensors_sim.building import a_reading

KINDS: tuple[Kind, ...] = ("startup", "change", "heartbeat")


def read_as(model: str, kind: Kind) -> Kind | None:
    """Netvox frames do not say what made them speak, and Fleximodo has no frame of its own for a start."""
    if model == "netvox-r719a":
        return None
    return "heartbeat" if (model, kind) == ("fleximodo", "startup") else kind


@dataclass(frozen=True)
class Known:
    model: str
    threshold_mm: int | None = None


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("occupied", [True, False])
def test_native_readings(kind: Kind, occupied: bool) -> None:
    meant = a_reading(kind, occupied, battery=0.87, rssi=-71, snr=9.5, temperature=21.5, seq=12, boot=1_795_341_600)
    topic, payload = encode(meant, "chirpstack")
    read = decode(topic, payload, meant.at_ms, {})
    assert isinstance(read, list)
    (reading,) = read
    assert (reading.lot, reading.sensor, reading.at_ms, reading.kind, reading.occupied, reading.boot, reading.seq) == (
        "harbour",
        "B001",
        meant.at_ms,
        kind,
        occupied,
        1_795_341_600,
        12,
    )
    assert (reading.battery, reading.rssi, reading.snr, reading.temperature) == (0.87, -71, 9.5, 21.5)


@pytest.mark.parametrize("model", sorted(LORAWAN_MODELS))
@pytest.mark.parametrize("server", NETWORK_SERVERS)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("occupied", [True, False])
def test_lorawan_readings(model: str, server: NetworkServer, kind: Kind, occupied: bool) -> None:
    sensor = Sensor("70b3d50000000001", model, "gw1")
    meant = a_reading(kind, occupied, sensor=sensor, battery=0.875, temperature=7.0, rssi=-71, snr=9.5, held_minutes=42)
    read = heard(encode(meant, server), meant.at_ms, model)
    last = read[-1]
    assert last.sensor == sensor.id
    assert last.occupied is occupied
    assert last.at_ms == meant.at_ms
    assert read_as(model, kind) in {reading.kind for reading in read}


@pytest.mark.parametrize("server", NETWORK_SERVERS)
def test_frame_counters_order_readings_within_a_session(server: NetworkServer) -> None:
    first = a_reading(sensor=Sensor("70b3d50000000001", "bosch-tps110"), rssi=-71, snr=9.5)
    (one,) = heard(encode(first, server), first.at_ms, "bosch-tps110")
    (two,) = heard(encode(replace(first, seq=2), server), first.at_ms, "bosch-tps110")
    (restarted,) = heard(encode(replace(first, boot=8), server), first.at_ms, "bosch-tps110")
    assert one.boot == two.boot != restarted.boot
    assert one.seq is not None
    assert two.seq is not None
    assert one.seq < two.seq


def test_the_name_of_the_device_profile_gives_the_model_away() -> None:
    for model in LORAWAN_MODELS:
        meant = a_reading(sensor=Sensor("70b3d50000000001", model), rssi=-71, snr=9.5)
        for server in NETWORK_SERVERS:
            topic, payload = encode(meant, server)
            read = decode(topic, payload, meant.at_ms, {})
            assert isinstance(read, list), (model, server, read)
            assert read[-1].occupied is True, (model, server)


def test_gateway_status() -> None:
    read = decode(gateway_status_topic("harbour", "gw1"), b"offline", 0, {})
    assert read == Status("harbour", online=False, gateway="gw1")


def heard(message: tuple[str, bytes], at_ms: int, model: str) -> list[HubReading]:
    topic, payload = message
    read = decode(topic, payload, at_ms + 200, {"70b3d50000000001": Known(model)})
    assert isinstance(read, list), read
    return read
