"""What the simulator's encoders say is what our decoders read. The two share no code: each is built from the vendors'
documents alone, so this test is where they have to agree."""

from __future__ import annotations

from typing import Literal

import pytest

from sensors_sim.encoders import NETWORK_SERVERS, NetworkServer, encode
from sensors_sim.frames import LORAWAN_MODELS
from sensors_sim.lots import Sensor
from sensors_sim.reading import Reading
from tests.unit.hub.decoding.messages import EUI, HEARD_MS, readings, registry

SAY_NOT_WHAT_KIND = {"netvox-r719a"}
EVERY_WAY = pytest.mark.parametrize("server", NETWORK_SERVERS)
EVERY_MODEL = pytest.mark.parametrize("model", sorted(LORAWAN_MODELS))


def simulated(model: str, kind: Literal["change", "heartbeat", "startup"], *, occupied: bool) -> Reading:
    return Reading(
        lot="harbour",
        sensor=Sensor(EUI, model),
        at_ms=HEARD_MS,
        kind=kind,
        occupied=occupied,
        boot=3,
        seq=8,
        battery=0.75,
        rssi=-97,
        snr=0.0,
        temperature=-7.0,
    )


@EVERY_WAY
@EVERY_MODEL
@pytest.mark.parametrize("kind", ["change", "heartbeat", "startup"])
@pytest.mark.parametrize("occupied", [True, False])
def test_every_frame_of_every_simulated_sensor(
    model: str, server: NetworkServer, kind: Literal["change", "heartbeat", "startup"], occupied: bool
) -> None:
    said = simulated(model, kind, occupied=occupied)
    topic, payload = encode(said, server)
    (reading,) = readings(topic, payload, registry(model))
    assert (reading.sensor, reading.occupied, reading.at_ms, reading.seq) == (EUI, occupied, HEARD_MS, 7 * 256)
    assert (reading.rssi, reading.snr, reading.clock) == (-97, 0, "gateway")
    if model not in SAY_NOT_WHAT_KIND and not (model == "fleximodo" and kind == "startup"):
        assert reading.kind == kind
    assert reading.temperature in (None, -7)
    assert reading.battery in (None, pytest.approx(0.75, abs=0.01))


@EVERY_WAY
@EVERY_MODEL
def test_its_model_is_found_without_the_registry(model: str, server: NetworkServer) -> None:
    topic, payload = encode(simulated(model, "heartbeat", occupied=True), server)
    assert readings(topic, payload, registry())[0].occupied is True


def test_a_native_sensor() -> None:
    topic, payload = encode(simulated("native", "change", occupied=True), "chirpstack")
    (reading,) = readings(topic, payload)
    assert (reading.lot, reading.occupied, reading.boot, reading.seq) == ("harbour", True, 3, 8)
    assert (reading.at_ms, reading.temperature, reading.battery, reading.kind) == (HEARD_MS, -7, 0.75, "change")
