from __future__ import annotations

import pytest

from autospot.domain.devices import (
    DEFAULT_SILENCE_SECONDS,
    SENSOR_MODELS,
    SensorModel,
    model_hinted_by,
    silence_limit_seconds,
)
from autospot.domain.ids import is_code

HOUR = 3600


@pytest.mark.parametrize("model", SENSOR_MODELS.values(), ids=lambda model: model.name)
def test_every_model_can_be_written_in_a_lot_file_and_hinted_at(model: SensorModel) -> None:
    assert is_code(model.name)
    assert all(hint == "".join(letter for letter in hint.lower() if letter.isalnum()) for hint in model.hints)


@pytest.mark.parametrize(
    ("model", "heartbeat_seconds", "silence_seconds"),
    [
        ("native", None, 24 * HOUR),
        ("native", 300, 600),
        ("bosch-tps110", 6 * HOUR, 12 * HOUR),
        ("bosch-tps110", None, 24 * HOUR),
        ("iot-park-lora", None, 50 * HOUR),
        ("netvox-r719a", None, 3 * HOUR),
        ("acme-9000", None, DEFAULT_SILENCE_SECONDS),
        ("acme-9000", 60, 120),
    ],
)
def test_a_sensor_is_missing_after_two_of_its_heartbeats_or_what_its_model_states(
    model: str, heartbeat_seconds: int | None, silence_seconds: int
) -> None:
    assert silence_limit_seconds(model, heartbeat_seconds) == silence_seconds


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("bosch/tps110", "bosch-tps110"),
        ("Bosch Parking Lot Sensor EU868", "bosch-tps110"),
        ("nwave/nps405", "nwave-nps405"),
        ("NWAVE G4-NPS-SM", "nwave-nps405"),
        ("Fleximodo Parking Sensors", "fleximodo"),
        ("IoT Park - EU868", "iot-park-lora"),
        ("IoT Park NB", "iot-park-nb"),
        ("Libelium Smart Parking v2", "libelium-parking-v2"),
        ("Libelium", "libelium-parking-v3"),
        ("em400_mud", "milesight-em400-mud"),
        ("pni-placepod", "pni-placepod"),
    ],
)
def test_a_profiles_name_gives_its_model_away(text: str, name: str) -> None:
    model = model_hinted_by(text)
    assert model is not None
    assert model.name == name


@pytest.mark.parametrize("text", ["", "parking", "Bosch TPS110 and Nwave NPS405", "do20", "…"])
def test_a_text_that_names_none_or_several_gives_nothing_away(text: str) -> None:
    assert model_hinted_by(text) is None
