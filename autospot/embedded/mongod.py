"""How the embedded mongod is run: a replica set of one on a loopback port."""

from __future__ import annotations

import functools
from pathlib import Path

from autospot.embedded.ports import LOOPBACK, until_listening
from autospot.embedded.process import Plan
from autospot.embedded.programs import MongodProgram
from autospot.storage import replica_set

REPLICA_SET = "autospot"

CACHE_GB = 1.0
"""WiredTiger's cache. Its own default, half of the machine's memory, is for a machine of its own."""

TRANSACTION_LIFETIME_SECONDS = 5

OPLOG_MB = 1_024
"""Hours of a busy demo. WiredTiger's own default is 5% of the free disk."""


READY_SECONDS = 60.0
"""A start takes one second; after a kill it first reads its journal back."""

STOP_SECONDS = 20.0
"""It writes a checkpoint, in a second as a rule."""


def plan(program: MongodProgram, folder: Path, *, cache_gb: float = CACHE_GB) -> Plan:
    """Run `program` with its data in `folder` (which exists)."""
    return Plan(
        name="mongod",
        command=functools.partial(command, program.path, folder, cache_gb=cache_gb),
        ready=ready,
        ready_seconds=READY_SECONDS,
        stop_seconds=STOP_SECONDS,
    )


async def ready(port: int) -> None:
    """Return when the mongod is primary; makes it the replica set first when it is new or had another port."""
    await until_listening(port)
    await replica_set.initiate(LOOPBACK, port, name=REPLICA_SET, deadline_seconds=READY_SECONDS)


def url(port: int) -> str:
    return f"mongodb://{LOOPBACK}:{port}/?replicaSet={REPLICA_SET}"


def command(program: Path, folder: Path, port: int, *, cache_gb: float) -> list[str]:
    """The command line. The caller makes `folder`, where the data goes; log lines go to standard output."""
    return [
        str(program),
        *("--dbpath", str(folder)),
        *("--bind_ip", LOOPBACK, "--port", str(port)),
        *("--replSet", REPLICA_SET, "--oplogSize", str(OPLOG_MB)),
        *("--wiredTigerCacheSizeGB", f"{cache_gb:g}"),
        "--quiet",
        # Its socket file in /tmp would outlive a kill, and belongs to another user at the next start.
        "--nounixsocket",
        # 200 MB of server statistics that nobody reads here.
        *("--setParameter", "diagnosticDataCollectionEnabled=false"),
        # A killed process leaves its open transaction behind, and with it its locks: for this long, not for a minute.
        *("--setParameter", f"transactionLifetimeLimitSeconds={TRANSACTION_LIFETIME_SECONDS}"),
    ]
