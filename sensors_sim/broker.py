"""Where to publish, over which connections, and what came of it: the publisher's plain values."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from urllib.parse import unquote, urlsplit

BACK_OFF_FIRST_SECONDS, BACK_OFF_MOST_SECONDS = 0.5, 30.0
DEFAULT_PORT = 1883


class PublishError(Exception):
    """The broker cannot be reached, refuses, or no longer acknowledges; the text says which."""


@dataclass(frozen=True, slots=True)
class Broker:
    host: str
    port: int = DEFAULT_PORT
    user: str | None = None
    password: str | None = None

    @classmethod
    def parse(cls, url: str) -> Broker:
        """`mqtt://user:password@host:port`, user and port optional, percent-encoded as in any URL; else `ValueError`
        with a text that repeats no password."""
        parts = urlsplit(url)
        if parts.scheme != "mqtt" or not parts.hostname or parts.path not in ("", "/") or parts.query:
            raise ValueError("a broker is given as mqtt://user:password@host:port")
        return cls(
            parts.hostname,
            parts.port or DEFAULT_PORT,
            None if parts.username is None else unquote(parts.username),
            None if parts.password is None else unquote(parts.password),
        )


@dataclass(frozen=True, slots=True)
class Connection:
    """A connection to hold. `status_topic` is where it says `online`, and where its last will says `offline`; None for
    one on which nobody's fate hangs."""

    name: str
    status_topic: str | None = None


@dataclass(slots=True)
class Counts:
    """Readings handed to the broker and acknowledged by it. `connected` is how often a connection was accepted, the
    first time included."""

    published: int = 0
    acknowledged: int = 0
    connected: int = 0


def back_off_seconds(failures: int, rng: Random) -> float:
    """Full jitter: anything up to 0.5 s x 2^failures, 30 s at most (Brooker, "Exponential Backoff And Jitter")."""
    return rng.uniform(0, min(BACK_OFF_MOST_SECONDS, BACK_OFF_FIRST_SECONDS * 2 ** min(failures, 16)))
