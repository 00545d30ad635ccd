"""The AsyncAPI document describes what the hub really reads and sends."""

from __future__ import annotations

from typing import Any, get_type_hints

import msgspec
import orjson
import pytest
from jsonschema import Draft202012Validator
from pydantic import TypeAdapter
from pydantic_asyncapi.v3 import AsyncAPI

from api.asyncapi import CHANNELS, asyncapi
from autospot.domain import messages
from autospot.domain.bay import Claim, Closure
from autospot.domain.change import ClaimChange, Commit, FeedEntry, SensorChange
from autospot.domain.reading import Reading
from autospot.live import LiveLots, snapshot_of
from hub import protocol
from hub.decoding.native import native_reading
from tests.support.lots import a_lot

NOON_MS = 1_795_348_800_000


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return asyncapi()


def a_lot_in_every_state() -> LiveLots:
    live = LiveLots()
    live.begin("e1", 5, [(a_lot(bays=6, kinds=("general", "ev")), 5)])
    sensors = [
        SensorChange("B00000", False, NOON_MS, NOON_MS),
        SensorChange("B00001", True, NOON_MS, NOON_MS),
        SensorChange("B00002", True, NOON_MS, NOON_MS),
        SensorChange("B00003", False, NOON_MS, NOON_MS),
    ]
    claims = [
        ClaimChange("B00002", Claim("reserved", NOON_MS + 1, NOON_MS + 3_600_000, "bkg_1"), None),
        ClaimChange("B00003", Claim("assigned", NOON_MS, NOON_MS + 60_000, "asg_1"), None),
        ClaimChange("B00004", None, Closure("roadworks")),
    ]
    live.apply(Commit(7, FeedEntry("test", sensors={"harbour": sensors}, claims={"harbour": claims}), NOON_MS))
    return live


def schema_of(model: Any) -> Draft202012Validator:
    return Draft202012Validator(TypeAdapter(model).json_schema(mode="serialization"))


def test_the_document_is_asyncapi_3(document: dict[str, Any]) -> None:
    parsed = AsyncAPI.model_validate(orjson.loads(orjson.dumps(document)))

    assert parsed.asyncapi == "3.0.0"
    assert set(document["channels"]) == set(document["operations"]) == {channel.name for channel in CHANNELS}


def references(part: Any) -> list[str]:
    if isinstance(part, dict):
        return [part["$ref"]] if "$ref" in part else [ref for each in part.values() for ref in references(each)]
    return [ref for each in part for ref in references(each)] if isinstance(part, list) else []


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    for reference in references(document):
        part: Any = document
        for name in reference.removeprefix("#/").split("/"):
            part = part[name]
        assert part


def test_every_message_model_is_in_the_document() -> None:
    described = {message.payload for channel in CHANNELS for message in channel.messages if callable(message.payload)}
    models = {model for name, model in vars(messages).items() if name.endswith("Message") and isinstance(model, type)}

    assert models <= described


def test_a_snapshot_of_a_lot_in_every_state_fits_its_model() -> None:
    live = a_lot_in_every_state()
    lot = live.lots["harbour"]
    snapshot = orjson.loads(orjson.dumps(snapshot_of(lot, live.epoch, NOON_MS)))

    schema_of(messages.LotState).validate(snapshot)
    for view in snapshot["bays"].values():
        assert set(view) <= set(get_type_hints(messages.BayView)), "the hub sends nothing that is not described"
    assert {view["state"] for view in snapshot["bays"].values()} == {
        "free",
        "occupied",
        "assigned",
        "out_of_service",
        "unknown",
    }
    assert any(view.get("conflict") for view in snapshot["bays"].values())


@pytest.mark.parametrize(
    ("model", "struct"),
    [
        (messages.HelloMessage, protocol.Hello),
        (messages.SubscribeMessage, protocol.Subscribe),
        (messages.Subscription, protocol.Wish),
        (messages.UnsubscribeMessage, protocol.Unsubscribe),
        (messages.AuthMessage, protocol.Auth),
    ],
)
def test_what_clients_may_say_is_what_the_hub_decodes(model: Any, struct: type[msgspec.Struct]) -> None:
    decoded = {field.encode_name: field.required for field in msgspec.structs.fields(struct)}
    schema = TypeAdapter(model).json_schema()
    described = {name: name in schema.get("required", ()) for name in schema["properties"] if name != "type"}

    assert described == decoded


def test_what_the_hub_says_fits_its_models() -> None:
    error = protocol.error_message("not_found", "there is no such lot", about=7, retry=False)

    schema_of(messages.ErrorMessage).validate(orjson.loads(error))
    schema_of(messages.ByeMessage).validate(orjson.loads(protocol.TOO_MANY_CONNECTIONS.bye()))


def test_the_full_reading_of_the_contract_is_decoded_as_described() -> None:
    payload = {
        "occupied": True,
        "at": "2026-11-22T10:00:00.123Z",
        "seq": 1234,
        "boot": 7,
        "battery": 0.87,
        "rssi": -71,
        "snr": 9.5,
        "temperature": 21.5,
        "kind": "change",
    }
    schema_of(messages.ReadingMessage).validate(payload)

    assert set(payload) == set(get_type_hints(messages.ReadingMessage))
    assert isinstance(native_reading("harbour", "B1", orjson.dumps(payload)), Reading)
