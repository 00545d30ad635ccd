"""How the embedded broker is run: its configuration files, its command line, and whether it answers."""

from __future__ import annotations

import asyncio
import functools
import os
import struct
from pathlib import Path
from urllib.parse import quote

from autospot.embedded import access
from autospot.embedded.access import Passwords
from autospot.embedded.ports import LOOPBACK
from autospot.embedded.process import Plan
from autospot.embedded.programs import BrokerProgram

MESSAGE_BYTES = 1_048_576
"""The largest payload the broker takes. The hub refuses readings over 16 KiB and keeps them as evidence; what is larger
than this, mosquitto acknowledges and drops. (`max_packet_size`, which it recommends instead, would cut the connection,
and the sensor would send the same again for ever.)"""

AUTOSAVE_SECONDS = 5
"""Mosquitto's journal is a file that it rewrites whole: at each change (`autosave_on_changes`) that caps the broker at
1,230 messages/s instead of 9,700/s (measured). Every 5 s costs it nothing while the hub keeps up, and 15% of its time
with a million messages waiting (0.75 ms for a thousand). So a killed mosquitto forgets what was on its way to the hub
at that moment, and with the hub away at most the last 5 s; the next heartbeat of each sensor puts its bay right."""

MQTT_CONNACK_ACCEPTED = b"\x20\x02\x00\x00"


WINDOW_MESSAGES = 20_000
"""Readings on their way to the hub that it has not acknowledged; the rest wait here. A hub at 20,000/s that commits in
0.15 s needs 3,000. Without a limit mosquitto uses packet ids again that are still in flight (it did, after 65,535), and
the hub's memory would be its only bound. (65,535 is no limit either: mosquitto takes it for none.)"""

QUEUE_BYTES = 512 * 1024 * 1024
"""What may wait for a hub that is away, about 2.6 million readings and 1.8 GB of mosquitto's memory. When it is full,
new readings are lost, and each bay is right again with its sensor's next heartbeat."""

QUEUE_MESSAGES = 100_000_000
"""More than QUEUE_BYTES can hold; the default of 1,000 drops readings after they were acknowledged. Not 0 ("no limit"):
mosquitto 2.0.11 then compares its send queue with that 0 and cuts the connection of every client whose message it
refuses (no right, too large), instead of acknowledging and dropping it."""

NATS_REPEAT_SECONDS = 10
"""nats-server sends what was not acknowledged again after this time, whether or not the connection was lost in between
(mosquitto does so as soon as the hub is back). Short: a killed hub shows what it had not stored that much later. Long
enough that a slow commit is no repeat."""

READY_SECONDS = 20.0
STOP_SECONDS = 10.0
"""Mosquitto writes its queue, 0.75 ms for a thousand messages (measured)."""

POLL_SECONDS = 0.02


def plan(program: BrokerProgram, folder: Path, passwords: Passwords | None) -> Plan:
    """Run `program` with its data and configuration in `folder` (which exists); anonymous without `passwords`."""
    return Plan(
        name=program.path.name,
        command=functools.partial(_prepared, program, folder, passwords),
        ready=functools.partial(ready, passwords=passwords),
        ready_seconds=READY_SECONDS,
        stop_seconds=STOP_SECONDS,
    )


async def ready(port: int, *, passwords: Passwords | None) -> None:
    """Return when the broker lets the hub in."""
    while not await answers(port, "hub", passwords):  # noqa: ASYNC110 another program's state has no event
        await asyncio.sleep(POLL_SECONDS)


def url(port: int, user: str | None = None, passwords: Passwords | None = None) -> str:
    """`mqtt://user:password@host:port`, without the first part on an anonymous broker (`passwords` None)."""
    if passwords is None or user is None:
        return f"mqtt://{LOOPBACK}:{port}"
    return f"mqtt://{quote(user, safe='')}:{quote(passwords[user], safe='')}@{LOOPBACK}:{port}"


def _prepared(program: BrokerProgram, folder: Path, passwords: Passwords | None, port: int) -> list[str]:
    """Write the broker's files and return its command line. Log lines go to standard error."""
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
            *(["user root"] if os.geteuid() == 0 else []),
            "persistence true",
            f"persistence_location {folder}/",
            f"autosave_interval {AUTOSAVE_SECONDS}",
            f"max_inflight_messages {WINDOW_MESSAGES}",
            f"max_queued_messages {QUEUE_MESSAGES}",
            f"max_queued_bytes {QUEUE_BYTES}",
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
  # By default 1,024, which would cap the rate at that many for each database commit.
  max_ack_pending: {WINDOW_MESSAGES}
  ack_wait: "{NATS_REPEAT_SECONDS}s"
}}
{users}"""


def _write_private(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text)
