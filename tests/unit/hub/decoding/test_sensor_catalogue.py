"""The catalogue of models, the table of decoders and the guide belong together."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from autospot.domain.devices import CODEC_DECODER, NATIVE_MODEL, SENSOR_MODELS, SensorModel
from hub.decoding.decoders import DECODERS

GUIDE = (Path(__file__).parents[4] / "docs" / "how-to-add-a-sensor.md").read_text()
MODELS = pytest.mark.parametrize("model", SENSOR_MODELS.values(), ids=lambda model: model.name)


@MODELS
def test_every_model_has_a_decoder(model: SensorModel) -> None:
    assert model.decoder in {*DECODERS, CODEC_DECODER} or model.name == NATIVE_MODEL


def test_every_decoder_has_a_model() -> None:
    assert set(DECODERS) <= {model.decoder for model in SENSOR_MODELS.values()}


@MODELS
def test_the_guide_lists_every_model_with_its_silence(model: SensorModel) -> None:
    hours = model.silence_seconds // 3600
    assert f"| `{model.name}` | {model.vendor} | {model.title} | {hours} h | {model.silence_source} |" in GUIDE


def test_every_file_that_the_guide_names_exists() -> None:
    root = Path(__file__).parents[4]
    named = re.findall(r"`((?:hub|autospot|tests|docs)/[\w/.-]+\.(?:py|json|md))`", GUIDE)
    assert len(named) > 5
    assert [path for path in named if not (root / path).exists()] == []
