"""Who may say and hear what on the embedded broker: one table, written out for either broker.

The rules are those of `deploy/mosquitto.acl`, with one user for each role instead of one for each device.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Access = Literal["read", "write"]
Passwords = Mapping[str, str]
"""Password by user."""


@dataclass(frozen=True)
class Right:
    access: Access
    topics: str
    """An MQTT topic filter."""


def _rights(access: Access, *filters: str) -> tuple[Right, ...]:
    return tuple(Right(access, topics) for topics in filters)


FIELD_TOPICS = (
    "autospot/v1/+/+/reading",
    "autospot/v1/+/+/status",
    "autospot/v1/+/gateways/+/status",
    "application/+/device/+/event/+",
    "v3/+/devices/+/up",
)
"""What comes in from the field: native sensors, gateways, and both kinds of network server."""

HUB_TOPICS = ("autospot/v1/+/summary", "autospot/v1/+/+/lamp")
"""What the hub alone says."""

ROLES: Mapping[str, tuple[Right, ...]] = {
    "hub": _rights("read", *FIELD_TOPICS) + _rights("read", *HUB_TOPICS) + _rights("write", *HUB_TOPICS),
    "sensors": _rights("write", *FIELD_TOPICS),
    "display": _rights("read", "autospot/v1/+/summary"),
}
"""The embedded broker's users. `sensors` stands for the whole field, as the simulator does."""

PBKDF2_ITERATIONS = 101
"""What mosquitto_passwd writes. The passwords are 128 random bits, so the count does not matter."""


def new_passwords() -> dict[str, str]:
    return {user: secrets.token_urlsafe(16) for user in ROLES}


def kept_passwords(file: Path) -> Passwords:
    """The passwords in `file`, so that a device keeps its own over a restart; those that are missing are made."""
    passwords = new_passwords() | _found_passwords(file)
    file.touch(mode=0o600)
    file.write_text(json.dumps(passwords, indent=2) + "\n")
    return passwords


def _found_passwords(file: Path) -> dict[str, str]:
    try:
        found = json.loads(file.read_text())
    except (FileNotFoundError, ValueError):
        return {}
    if not isinstance(found, dict):
        return {}
    return {user: found[user] for user in ROLES if isinstance(found.get(user), str)}


def mosquitto_passwords(passwords: Passwords) -> str:
    """A mosquitto password file (its PBKDF2-SHA512 lines, `$7$iterations$salt$hash`)."""
    return "".join(f"{user}:{_mosquitto_hash(password)}\n" for user, password in passwords.items())


def _mosquitto_hash(password: str) -> str:
    salt = secrets.token_bytes(12)
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, PBKDF2_ITERATIONS)
    return f"$7${PBKDF2_ITERATIONS}${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}"


def mosquitto_acl() -> str:
    """A mosquitto ACL file: what no line allows is refused."""
    blocks = (
        [f"user {user}", *(f"topic {right.access} {right.topics}" for right in rights)]
        for user, rights in ROLES.items()
    )
    return "\n\n".join("\n".join(block) for block in blocks) + "\n"


def nats_users(passwords: Passwords) -> str:
    """The `users` list of a nats-server configuration; users may connect by MQTT only."""
    return "\n".join(
        f'    {{ user: {user}, password: "{password}", allowed_connection_types: ["MQTT"], permissions: {{'
        f" publish: {{ allow: {_nats_subjects(ROLES[user], 'write')} }},"
        f" subscribe: {{ allow: {_nats_subjects(ROLES[user], 'read')} }} }} }}"
        for user, password in passwords.items()
    )


def _nats_subjects(rights: Iterable[Right], access: Access) -> str:
    subjects = [_nats_subject(right.topics) for right in rights if right.access == access]
    return "[" + ", ".join(f'"{subject}"' for subject in subjects) + "]"


def _nats_subject(topic_filter: str) -> str:
    """An MQTT topic filter as the subject that nats-server makes of it."""
    return topic_filter.replace("/", ".").replace("+", "*").replace("#", ">")
