"""The AsyncAPI 3.0 document for MQTT and the websocket, from the message models of the realtime contract.

Seen from AutoSpot: it receives what sensors and clients send. One table of channels; the rest is derived.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, Final, Literal

from pydantic import TypeAdapter

from autospot.domain import messages as m

Json = dict[str, Any]

_PARAMETERS: Final = {
    "lot": "the lot's code",
    "sensor": "the sensor's code; one that equals a bay's code needs no registry entry",
    "gateway": "the gateway's code",
    "bay": "the bay's code",
    "application": "the application's id in the network server",
    "device": "the device's id in the network server",
    "event": "ChirpStack's event, such as `up`",
}


@dataclass(frozen=True, slots=True)
class Message:
    """A message and its model."""

    name: str
    payload: Any
    summary: str


@dataclass(frozen=True, slots=True)
class Channel:
    """A topic or socket with what goes over it in one direction. `action` is AutoSpot's."""

    name: str
    server: Literal["mqtt", "websocket"]
    address: str
    action: Literal["receive", "send"]
    summary: str
    messages: Sequence[Message]
    retained: bool = False


def _described(name: str, model: type[Any]) -> Message:
    return Message(name, model, inspect.cleandoc(model.__doc__ or "").splitlines()[0])


_STATUS: Final = Message("status", m.StatusMessage, "`online` or `offline`, as plain text")
_UPLINK: Final = Message("uplink", m.NetworkServerUplink, "An uplink of a LoRaWAN device")

CHANNELS: Final = (
    Channel(
        "reading",
        "mqtt",
        "autospot/v1/{lot}/{sensor}/reading",
        "receive",
        "A bay sensor reports. QoS 1.",
        [_described("reading", m.ReadingMessage)],
    ),
    Channel(
        "sensorStatus",
        "mqtt",
        "autospot/v1/{lot}/{sensor}/status",
        "receive",
        "A sensor that holds a connection, or its last will.",
        [_STATUS],
        retained=True,
    ),
    Channel(
        "gatewayStatus",
        "mqtt",
        "autospot/v1/{lot}/gateways/{gateway}/status",
        "receive",
        "A gateway, or its last will: the sensors behind it share its fate.",
        [_STATUS],
        retained=True,
    ),
    Channel(
        "chirpstack",
        "mqtt",
        "application/{application}/device/{device}/event/{event}",
        "receive",
        "ChirpStack v3 and v4.",
        [_UPLINK],
    ),
    Channel(
        "thingsStack",
        "mqtt",
        "v3/{application}/devices/{device}/up",
        "receive",
        "The Things Stack v3.",
        [_UPLINK],
    ),
    Channel(
        "summary",
        "mqtt",
        "autospot/v1/{lot}/summary",
        "send",
        "A lot in a few numbers, at most once a second.",
        [_described("summary", m.SummaryMessage)],
        retained=True,
    ),
    Channel(
        "lamp",
        "mqtt",
        "autospot/v1/{lot}/{bay}/lamp",
        "send",
        "The light above a bay, in lots that have lamps.",
        [Message("lamp", m.LampMessage, "What the light shows, as plain text")],
        retained=True,
    ),
    Channel(
        "clientToServer",
        "websocket",
        "/v1/live",
        "receive",
        "Subprotocol `autospot.v1`, text frames, one JSON object per frame.",
        [
            _described("hello", m.HelloMessage),
            _described("subscribe", m.SubscribeMessage),
            _described("unsubscribe", m.UnsubscribeMessage),
            _described("auth", m.AuthMessage),
        ],
    ),
    Channel(
        "serverToClient",
        "websocket",
        "/v1/live",
        "send",
        "Per lot, frames come in the order of `rev`.",
        [
            _described("welcome", m.WelcomeMessage),
            _described("snapshot", m.SnapshotMessage),
            _described("delta", m.DeltaMessage),
            _described("beat", m.BeatMessage),
            _described("me", m.MeMessage),
            _described("error", m.ErrorMessage),
            _described("bye", m.ByeMessage),
        ],
    ),
)

_SERVERS: Final = {
    "mqtt": {
        "host": "{broker}",
        "protocol": "mqtt",
        "protocolVersion": "3.1.1",
        "description": "The broker. Every device has its own user and may write below its own topics only.",
        "variables": {"broker": {"default": "localhost:1883"}},
    },
    "websocket": {
        "host": "{host}",
        "protocol": "ws",
        "description": "The hub. A token goes into `hello`, never into the URL.",
        "variables": {"host": {"default": "localhost:8080"}},
    },
}


def asyncapi() -> Json:
    """The document."""
    all_messages = list({message.name: message for channel in CHANNELS for message in channel.messages}.values())
    schemas, definitions = TypeAdapter.json_schemas(
        [(message.name, "serialization", TypeAdapter(message.payload)) for message in all_messages],
        ref_template="#/components/schemas/{model}",
    )
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "AutoSpot, live",
            "version": version("autospot"),
            "description": "Readings come in over MQTT; live state goes out over MQTT and websockets. Fields and "
            "messages may be added at any time: ignore what you do not know.",
        },
        "defaultContentType": "application/json",
        "servers": _SERVERS,
        "channels": {channel.name: _channel(channel) for channel in CHANNELS},
        "operations": {channel.name: _operation(channel) for channel in CHANNELS},
        "components": {
            "messages": {
                message.name: _message(message, schemas[message.name, "serialization"]) for message in all_messages
            },
            "schemas": definitions.get("$defs", {}),
        },
    }


def _channel(channel: Channel) -> Json:
    described: Json = {
        "address": channel.address,
        "servers": [{"$ref": f"#/servers/{channel.server}"}],
        "summary": channel.summary,
        "messages": {message.name: {"$ref": f"#/components/messages/{message.name}"} for message in channel.messages},
    }
    if parameters := {name: {"description": _PARAMETERS[name]} for name in _names(channel.address)}:
        described["parameters"] = parameters
    return described


def _names(address: str) -> Iterator[str]:
    return (part[1:-1] for part in address.split("/") if part.startswith("{"))


def _operation(channel: Channel) -> Json:
    described: Json = {
        "action": channel.action,
        "channel": {"$ref": f"#/channels/{channel.name}"},
        "summary": channel.summary,
        "messages": [{"$ref": f"#/channels/{channel.name}/messages/{message.name}"} for message in channel.messages],
    }
    if channel.server == "mqtt":
        described["bindings"] = {"mqtt": {"qos": 1, "retain": channel.retained}}
    return described


def _message(message: Message, schema: Json) -> Json:
    content_type = "text/plain" if "enum" in schema else "application/json"
    return {"name": message.name, "summary": message.summary, "contentType": content_type, "payload": schema}
