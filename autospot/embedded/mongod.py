"""How the embedded mongod is run: a replica set of one on a loopback port."""

from __future__ import annotations

from pathlib import Path

from autospot.embedded.ports import LOOPBACK

REPLICA_SET = "autospot"

CACHE_GB = 1.0
"""WiredTiger's cache. Its own default, half of the machine's memory, is for a machine of its own."""

OPLOG_MB = 1_024
"""Hours of a busy demo. WiredTiger's own default is 5% of the free disk."""


def url(port: int) -> str:
    return f"mongodb://{LOOPBACK}:{port}/?replicaSet={REPLICA_SET}"


def command(program: Path, folder: Path, port: int, *, cache_gb: float = CACHE_GB) -> list[str]:
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
    ]
