"""The sensor catalogue: every model AutoSpot can read, which decoder reads it, and how often it must speak.

A model's name is what a lot file writes in `sensor.model`. How to add one: `docs/how-to-add-a-sensor.md`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

NATIVE_MODEL = "native"
"""A sensor that speaks the AutoSpot topics itself, and what a lot file means where it names no model."""

CODEC_DECODER = "codec"
"""No decoder of ours: what the network server's own codec made of the frame is taken."""

DEFAULT_SILENCE_SECONDS = 24 * 3600
"""A sensor of which nobody says how often it speaks is missing after this long (realtime contract, section 1)."""

MISSED_HEARTBEATS = 2
"""A sensor is missing when it has let so many of its heartbeats pass: one may always be lost on the air."""


@dataclass(frozen=True, slots=True)
class SensorModel:
    """One line of the catalogue.

    `decoder` names the function in `hub.decoding.decoders` that reads its frames, None for a native sensor.
    `silence_seconds` is how long it may say nothing before its bay turns `unknown`; `silence_source` where that figure
    is from. `hints` are words by which a network server's device profile or version ids give the model away, in lower
    case letters and digits only.
    """

    name: str
    vendor: str
    title: str
    decoder: str | None
    hints: tuple[str, ...] = ()
    silence_seconds: int = DEFAULT_SILENCE_SECONDS
    silence_source: str = "not stated; the contract's default"


_DAILY = MISSED_HEARTBEATS * 24 * 3600 + 2 * 3600
"""Two daily heartbeats, and two hours for clocks that drift and gateways that hold messages back."""

_MODELS = (
    SensorModel(NATIVE_MODEL, "any", "Sensor that speaks the AutoSpot topics", None),
    SensorModel("lorawan-codec", "any", "Any LoRaWAN sensor, read by its server's codec", CODEC_DECODER),
    SensorModel("bosch-tps110", "Bosch", "TPS110 parking lot sensor", "bosch", ("tps110", "tpl110", "boschpark")),
    SensorModel("nwave-nps310", "Nwave", "NPS310 parking sensor", "nwave-nps310", ("nps310",)),
    SensorModel("nwave-nps405", "Nwave", "NPS405 (G4) parking sensor", "nwave-nps405", ("nps405", "g4nps")),
    SensorModel("nwave-ncc405", "Nwave", "NCC405 car counter, not a bay sensor", "nwave-ncc405", ("ncc405",)),
    SensorModel("tekzitel-tekzipark", "TEKZITEL", "TEKZIPARK", "tekzitel", ("tekzipark",)),
    SensorModel(
        "netvox-r719a",
        "Netvox",
        "R719A surface-mounted parking sensor",
        "netvox",
        ("r719a",),
        silence_seconds=MISSED_HEARTBEATS * 3600 + 3600,
        silence_source="Netvox R718 family manuals: a report every 3,600 s as delivered; taken to hold here",
    ),
    SensorModel("dingtek-do200", "Dingtek", "DO200 parking sensor", "dingtek", ("do200",)),
    SensorModel("dingtek-do201", "Dingtek", "DO201 parking sensor", "dingtek", ("do201",)),
    SensorModel("dingtek-do202", "Dingtek", "DO202 parking sensor", "dingtek", ("do202",)),
    SensorModel("pni-placepod", "PNI", "PlacePod", "pni", ("placepod",)),
    *(
        SensorModel(
            f"libelium-parking-v{version}",
            "Libelium",
            f"Plug & Sense! Smart Parking, firmware {version}",
            f"libelium-v{version}",
            hints,
            silence_seconds=_DAILY,
            silence_source="Smart Parking technical guide, daily update frame at 1 a.m.",
        )
        for version, hints in (
            (1, ("libeliumparkingv1", "libeliumsmartparkingv1")),
            (2, ("libeliumparkingv2", "libeliumsmartparkingv2")),
            (3, ("libelium",)),
        )
    ),
    SensorModel("fleximodo", "Fleximodo", "In-ground and undersurface parking sensor", "fleximodo", ("fleximodo",)),
    *(
        SensorModel(
            f"iot-park-{radio}",
            "IoT Solutions",
            f"IoT Park in-ground sensor, {title}",
            f"iot-park-{radio}",
            hints,
            silence_seconds=_DAILY,
            silence_source="a year in the field: keep-alives 24.0 h apart (foxcodenine/iot-parking-gateway)",
        )
        for radio, title, hints in (
            ("lora", "LoRaWAN", ("iotpark",)),
            ("nb", "NB-IoT, its datagrams bridged", ("iotparknb",)),
            ("sigfox", "Sigfox, its messages bridged", ("iotparksigfox",)),
        )
    ),
    SensorModel("milesight-em400-mud", "Milesight", "EM400-MUD ultrasonic distance", "milesight", ("em400mud",)),
)

SENSOR_MODELS: Mapping[str, SensorModel] = {model.name: model for model in _MODELS}
"""Every model by its name."""

_NOISE = re.compile(r"[^a-z0-9]+")


def silence_limit_seconds(model: str, heartbeat_seconds: int | None = None) -> int:
    """How long a sensor may say nothing before nobody knows its bay, in seconds.

    The heartbeat that the operator set for this sensor counts before what its model states; a model that is not in the
    catalogue gets the default.
    """
    if heartbeat_seconds is not None:
        return MISSED_HEARTBEATS * heartbeat_seconds
    known = SENSOR_MODELS.get(model)
    return DEFAULT_SILENCE_SECONDS if known is None else known.silence_seconds


def model_hinted_by(text: str) -> SensorModel | None:
    """The one model that a free text such as a device profile's name gives away, None if none or several do.

    Of two hints, one inside the other, the longer counts: "IoT Park NB" is no LoRaWAN sensor.
    """
    plain = _NOISE.sub("", text.lower())
    found = {hint: model for model in _MODELS for hint in model.hints if hint in plain}
    clearest = {
        model.name: model
        for hint, model in found.items()
        if not any(hint != other and hint in other for other in found)
    }
    return next(iter(clearest.values())) if len(clearest) == 1 else None
