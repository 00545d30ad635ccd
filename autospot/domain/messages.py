"""The messages of the realtime contract, version 1, as the shapes that both sides of the wire agree on.

This is the description: `/asyncapi.json` and the schema of `GET /v1/lots/{lot}/state` are made from it, and tests hold
what the hub really decodes and sends against it. The hub has its own, faster decoders. Both sides ignore fields and
message types that they do not know. A field that is not required is left out where it does not apply.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypedDict  # pydantic needs this one on Python 3.11

from autospot.domain.bay import State
from autospot.domain.ids import Code
from autospot.domain.lot import BayKind
from autospot.domain.reading import ReadingKind

SAFE_INTEGER = 2**53 - 1

Instant = Annotated[str, Field(json_schema_extra={"format": "date-time"}, examples=["2026-11-22T10:00:00.123Z"])]
"""RFC 3339 in UTC, as text: what is on the wire."""
Rev = Annotated[int, Field(ge=0, le=SAFE_INTEGER, description="a position in the one order of all changes")]
Epoch = Annotated[str, Field(description="names this history; positions of another epoch mean nothing")]
MessageId = Annotated[str | int, Field(description="your own; answers about this message carry it")]
Seconds = Annotated[float, Field(ge=0)]

# -- MQTT, from the field


class ReadingMessage(TypedDict):
    """What a bay sensor says: on a change, on a heartbeat, on starting."""

    occupied: NotRequired[Annotated[bool, Field(description="a vehicle is there; only a heartbeat may leave it out")]]
    at: NotRequired[Annotated[Instant, Field(description="when it happened, by the sensor's clock")]]
    seq: NotRequired[Annotated[int, Field(ge=0, le=SAFE_INTEGER, description="counts readings since `boot`")]]
    boot: NotRequired[Annotated[int, Field(ge=0, le=SAFE_INTEGER, description="counts restarts")]]
    battery: NotRequired[Annotated[float, Field(ge=0, le=1, description="charge, 0 to 1")]]
    rssi: NotRequired[Annotated[float, Field(ge=-200, le=20, description="dBm")]]
    snr: NotRequired[Annotated[float, Field(ge=-50, le=50, description="dB")]]
    temperature: NotRequired[Annotated[float, Field(ge=-60, le=125, description="degrees Celsius")]]
    kind: NotRequired[ReadingKind]


StatusMessage = Annotated[
    Literal["online", "offline"],
    Field(description="retained; `offline` is the last will of a sensor or gateway that holds a connection"),
]

NetworkServerUplink = Annotated[
    dict[str, Any],
    Field(description="an uplink in the network server's own JSON; the device's codec is found by its registry entry"),
]

# -- what clients are told


class BayView(TypedDict):
    """One bay as people see it. `at` is the time of the reading that made it so, `since` when it became so; both are
    null before the first reading."""

    state: State
    occupied: bool | None
    since: Instant | None
    at: Instant | None
    stale: NotRequired[Annotated[Literal[True], Field(description="nobody knows: the sensor is silent")]]
    claim: NotRequired[Literal["reserved", "assigned"]]
    until: NotRequired[Annotated[Instant, Field(description="when the claim ends")]]
    conflict: NotRequired[Annotated[Literal[True], Field(description="somebody else stands on a claimed bay")]]


StateCounts = Annotated[dict[State, Annotated[int, Field(ge=0)]], Field(description="bays per state")]
Counts = Annotated[
    dict[BayKind | Literal["total"], StateCounts],
    Field(description="bays per kind and state; `total` names every state, a kind only those that occur"),
]
BayViews = Annotated[dict[Code, BayView], Field(description="by bay code")]


class LotState(TypedDict):
    """All that is known of a lot at position `rev`."""

    lot: Code
    epoch: Epoch
    rev: Rev
    at: Instant
    layout: Annotated[int, Field(ge=0, description="version of the layout these bays belong to")]
    bays: BayViews
    counts: Counts


class SummaryMessage(TypedDict):
    """A lot in a few numbers, retained: enough for a sign on the street."""

    lot: Code
    rev: Rev
    at: Instant
    counts: Counts


LampMessage = Annotated[
    Literal["free", "occupied", "reserved", "assigned", "closed"],
    Field(description="what the light above a bay shows, retained"),
]

# -- websocket, client to server


class Subscription(TypedDict):
    """A lot to watch. With `epoch` and `rev`: go on from there."""

    lot: Code
    id: NotRequired[MessageId]
    detail: NotRequired[Annotated[Literal["bays", "counts"], Field(description="default `bays`")]]
    epoch: NotRequired[Epoch]
    rev: NotRequired[Rev]


class HelloMessage(TypedDict):
    """The first message, within 10 s."""

    type: Literal["hello"]
    token: NotRequired[Annotated[str, Field(description="an access token; never put one into the URL")]]
    client: NotRequired[Annotated[str, Field(description="name/version of the program")]]
    subscriptions: NotRequired[list[Subscription]]


class SubscribeMessage(Subscription):
    """Watch a lot."""

    type: Literal["subscribe"]


class UnsubscribeMessage(TypedDict):
    """No longer watch a lot."""

    type: Literal["unsubscribe"]
    lot: Code
    id: NotRequired[MessageId]


class AuthMessage(TypedDict):
    """A fresh token before the old one expires."""

    type: Literal["auth"]
    token: str
    id: NotRequired[MessageId]


# -- websocket, server to client


class ConnectionLimits(TypedDict):
    """What one connection may do."""

    message_bytes: int
    subscriptions: int
    messages_per_second: int


class WelcomeMessage(TypedDict):
    """The answer to `hello`."""

    type: Literal["welcome"]
    server: Annotated[str, Field(description="name/version of the server")]
    now: Instant
    epoch: Epoch
    heartbeat: Annotated[int, Field(description="seconds between beats")]
    limits: ConnectionLimits


class SnapshotMessage(LotState):
    """Replaces all that the client knows of the lot. With `detail` `counts`, `bays` is empty."""

    type: Literal["snapshot"]


DeltaMessage = TypedDict(
    "DeltaMessage",
    {
        "type": Literal["delta"],
        "lot": Code,
        "epoch": Epoch,
        "from": Annotated[Rev, Field(description="apply it if your own position is this or later")],
        "rev": Rev,
        "at": Instant,
        "bays": Annotated[BayViews, Field(description="the changed ones, each once, whole")],
        "counts": Counts,
    },
)
DeltaMessage.__doc__ = "What changed between two positions. Values are absolute: applying it twice is harmless."


class BeatMessage(TypedDict):
    """Sent every 15 s. A client that is behind `lots` for 2 s asks again."""

    type: Literal["beat"]
    now: Instant
    lots: Annotated[dict[Code, Rev], Field(description="the present position of every lot of this connection")]
    behind_since: NotRequired[
        Annotated[Instant, Field(description="the server hears no changes since then: what it sends may be old")]
    ]


class MeMessage(TypedDict):
    """For a signed-in driver: something of their own booking, session, subscription or wish. Kept before it is sent, so
    that `GET /v1/me/notifications` has what a client missed; the same `id` is the same notice."""

    type: Literal["me"]
    event: Annotated[str, Field(description="such as `booking_moved`")]
    id: str
    subject: Annotated[str, Field(description="id of the booking, session, subscription or wish")]
    lot: Code
    at: Instant
    facts: dict[str, Any]


class ErrorMessage(TypedDict):
    """One message of the client could not be done. The connection goes on."""

    type: Literal["error"]
    id: Annotated[MessageId | None, Field(description="of the message it is about")]
    code: str
    message: str
    retry: bool
    after: Seconds


class ByeMessage(TypedDict):
    """Sent before the server closes: 4000-4099 do not come back unchanged, 4100-4199 later, 4200-4299 now."""

    type: Literal["bye"]
    code: Annotated[int, Field(ge=4000, le=4299)]
    name: Annotated[str, Field(description="the stable word for `code`")]
    message: str
    after: Seconds
