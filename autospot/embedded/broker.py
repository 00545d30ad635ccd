"""How the embedded broker is run: its configuration files, its command line, and whether it answers."""

from __future__ import annotations

import asyncio
import getpass
import struct
from pathlib import Path

from autospot.embedded import access
from autospot.embedded.access import Passwords
from autospot.embedded.ports import LOOPBACK
from autospot.embedded.programs import BrokerProgram

MESSAGE_BYTES = 262_144
"""The largest payload the broker takes. Readings over 16 KiB are refused by the hub, which keeps them as evidence."""

AUTOSAVE_SECONDS = 5
"""Mosquitto's journal is a file that it rewrites whole: at each change (`autosave_on_changes`) that caps the broker at
1,230 messages/s instead of 9,700/s (measured). So a killed mosquitto forgets at most the last 5 s of what the hub had
not taken yet; the next heartbeat of each sensor puts its bay right."""

MQTT_CONNACK_ACCEPTED = b"\x20\x02\x00\x00"


def url(port: int, user: str | None = None, passwords: Passwords | None = None) -> str:
    """`mqtt://user:password@host:port`, without the first part on an anonymous broker (`passwords` None)."""
    if passwords is None or user is None:
        return f"mqtt://{LOOPBACK}:{port}"
    return f"mqtt://{user}:{passwords[user]}@{LOOPBACK}:{port}"


def prepare(program: BrokerProgram, folder: Path, port: int, passwords: Passwords | None) -> list[str]:
    """Write the broker's files into `folder` (which exists) and return its command line.

    `passwords` None makes an anonymous broker on which everybody may do everything. Log lines go to standard error.
    """
    if program.kind == "nats":
        config = folder / "nats.conf"
        _write_private(config, _nats_config(folder, port, passwords))
        return [str(program.path), "--config", str(config)]
    if passwords is not None:
        _write_private(folder / "passwords", access.mosquitto_passwords(passwords))
        _write_private(folder / "acl", access.mosquitto_acl())
    config = folder / "mosquitto.conf"
    _write_private(config, _mosquitto_config(folder, port, anonymous=passwords is None))
    return [str(program.path), "-c", str(config)]


async def answers(port: int, user: str | None, passwords: Passwords | None) -> bool:
    """Whether an MQTT 3.1.1 CONNECT is accepted now. Spoken here in a few bytes, so that nothing but the hub needs an
    MQTT client."""
    try:
        reader, writer = await asyncio.open_connection(LOOPBACK, port)
    except OSError:
        return False
    try:
        writer.write(_connect_packet(user, passwords[user] if user and passwords else None))
        return await reader.readexactly(4) == MQTT_CONNACK_ACCEPTED
    except (OSError, asyncio.IncompleteReadError):
        return False
    finally:
        writer.close()


def _connect_packet(user: str | None, password: str | None) -> bytes:
    """CONNECT with a clean session and the id `autospot-probe` (MQTT 3.1.1, section 3.1)."""
    flags = 0x02
    payload = _field("autospot-probe")
    if user is not None and password is not None:
        flags |= 0xC0
        payload += _field(user) + _field(password)
    body = _field("MQTT") + struct.pack(">BBH", 4, flags, 10) + payload
    return struct.pack(">BB", 0x10, len(body)) + body  # one length byte: the body is far under 128 bytes


def _field(text: str) -> bytes:
    encoded = text.encode()
    return struct.pack(">H", len(encoded)) + encoded


def _mosquitto_config(folder: Path, port: int, *, anonymous: bool) -> str:
    access_lines = (
        ["allow_anonymous true"]
        if anonymous
        else ["allow_anonymous false", f"password_file {folder / 'passwords'}", f"acl_file {folder / 'acl'}"]
    )
    return "\n".join(
        [
            f"listener {port} {LOOPBACK}",
            *access_lines,
            # Started as root it would become the user `mosquitto`: the data folder would be closed to it, and the
            # kernel would forget to kill it together with its parent.
            f"user {getpass.getuser()}",
            "persistence true",
            f"persistence_location {folder}/",
            f"autosave_interval {AUTOSAVE_SECONDS}",
            "max_inflight_messages 0",
            "max_queued_messages 0",
            "set_tcp_nodelay true",
            f"message_size_limit {MESSAGE_BYTES}",
            "log_dest stderr",
            "connection_messages false",
            "",
        ]
    )


def _nats_config(folder: Path, port: int, passwords: Passwords | None) -> str:
    users = "" if passwords is None else f"authorization {{\n  users = [\n{access.nats_users(passwords)}\n  ]\n}}\n"
    return f"""\
server_name: autospot
host: {LOOPBACK}
# NATS' own protocol, which nobody here speaks: any free port.
port: -1
max_payload: {MESSAGE_BYTES}
jetstream {{
  store_dir: "{folder}"
}}
mqtt {{
  host: {LOOPBACK}
  port: {port}
  # The most messages in flight the server allows; 1,024 would cap the rate at that many for each database commit.
  max_ack_pending: 65535
  # Repeat only after a database outage of this length, not because a commit took long.
  ack_wait: "5m"
}}
{users}"""


def _write_private(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text)
