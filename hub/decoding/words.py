"""What network servers' own codecs say, for sensors of which we have no decoder: one table of words for all of them."""

from __future__ import annotations

from collections.abc import Mapping

from autospot.domain.reading import ReadingKind, Rejected
from hub.decoding.frames import Decoded, FrameEvent

_STATE_NAMES = (
    "occupied",
    "occupancy",
    "occupancystatus",
    "parkingstatus",
    "parkingslotstatusname",
    "parkingslotstatus",
    "parkingstatusname",
    "pstate",
    "presence",
    "caronoff",
    "carstatus",
    "vehiclepresence",
    "bay",
    "state",
    "status",
)
"""Names of the field that holds the state, in the order in which they are believed; letters and digits only."""

_OPPOSITE_NAMES = ("free", "vacant", "available")

_WORDS = {
    **dict.fromkeys(("occupied", "busy", "present", "on", "true", "1", "taken", "parked", "car"), True),
    **dict.fromkeys(
        ("vacant", "free", "empty", "unoccupied", "absent", "available", "off", "false", "0", "notpresent", "nocar"),
        False,
    ),
}

_KIND_NAMES = ("type", "event", "messagetype", "frametype", "frametypename", "kind")
_KINDS: dict[str, ReadingKind] = {
    **dict.fromkeys(("heartbeat", "keepalive"), "heartbeat"),
    **dict.fromkeys(("startup", "start", "boot"), "startup"),
    **dict.fromkeys(("parkingstatus", "statuschange", "change", "info"), "change"),
}
_CHANGED_NAMES = ("statuschanged", "changed", "parkingslotchanged")

_VOLTS_NAMES = ("batteryvoltage", "batteryvolts", "voltage", "volt", "batv")
_PERCENT_NAMES = ("batterylevel", "batterypercentage", "batterypercent")
_TEMPERATURE_NAMES = ("temperature", "temperaturec", "temp")

_LONGEST_NAME = 40


def event_of_codec(decoded: Mapping[str, object]) -> Decoded:
    """The one event that a codec's object describes, or `unknown_device_type` where it speaks of no bay.

    A state in a word that is not in the table ("unknown", "error") is an event without a state.
    """
    fields = {_plain(name): value for name, value in decoded.items() if len(name) <= _LONGEST_NAME}
    name = next((name for name in (*_STATE_NAMES, *_OPPOSITE_NAMES) if name in fields), None)
    if name is None:
        return Rejected("unknown_device_type", "the codec's object has no field that tells whether the bay is occupied")
    state = _truth(fields[name])
    if state is not None and name in _OPPOSITE_NAMES:
        state = not state
    percent = _number(fields, _PERCENT_NAMES)
    return (
        FrameEvent(
            occupied=state,
            kind=_kind(fields),
            battery=None if percent is None else percent / 100,
            battery_volts=_number(fields, _VOLTS_NAMES),
            temperature=_number(fields, _TEMPERATURE_NAMES),
        ),
    )


def _plain(text: str) -> str:
    return "".join(letter for letter in text.lower() if letter.isalnum())


def _truth(value: object) -> bool | None:
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return bool(value) if value in (0, 1) else None
    if isinstance(value, str) and len(value) <= _LONGEST_NAME:
        return _WORDS.get(_plain(value))
    return None


def _kind(fields: Mapping[str, object]) -> ReadingKind | None:
    for name in _KIND_NAMES:
        word = fields.get(name)
        if isinstance(word, str) and (kind := _KINDS.get(_plain(word[:_LONGEST_NAME]))):
            return kind
    return "change" if any(_truth(fields.get(name)) for name in _CHANGED_NAMES) else None


def _number(fields: Mapping[str, object], names: tuple[str, ...]) -> float | None:
    found = next((fields[name] for name in names if name in fields), None)
    return float(found) if isinstance(found, int | float) and not isinstance(found, bool) else None
