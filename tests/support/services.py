"""Real servers for the tests: a mongod (replica set of one) and MQTT brokers, each on its own loopback port and folder.

`tests/conftest.py` makes fixtures of them. All die with the test process, however it ends.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import inspect
import os
import signal
import subprocess
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from autospot.embedded import broker, mongod
from autospot.embedded.access import Passwords, new_passwords
from autospot.embedded.log import PartLog
from autospot.embedded.ports import free_port
from autospot.embedded.process import Plan, tethered
from autospot.embedded.programs import BrokerKind, find_broker, find_mongod

__all__ = ["BrokerServer", "MongodServer", "becomes", "eventually", "free_port"]

POLL_SECONDS = 0.02
PORT_ATTEMPTS = 3

T = TypeVar("T")

# The kernel kills a server when the thread that started it ends, and a test may start one from a thread of its own
# (`asyncio.to_thread`): so all are started from this thread, which lives as long as the test process.
_cradle = concurrent.futures.ThreadPoolExecutor(max_workers=1, thread_name_prefix="cradle")


async def eventually(
    condition: Callable[[], T | Awaitable[T]], *, deadline_seconds: float = 5.0, what: str | None = None
) -> T:
    """Wait until `condition()` (plain or async) is true and return what it returned.

    Fails with the condition's text (or `what`), its last value and its last error when it is not true by the deadline.
    An AssertionError that it raises counts as "not yet".
    """
    until = time.monotonic() + deadline_seconds
    while True:
        last_error: AssertionError | None = None
        value: T | None = None
        try:
            outcome = condition()
            value = await outcome if inspect.isawaitable(outcome) else outcome
        except AssertionError as error:
            last_error = error
        if value:
            return value
        if time.monotonic() > until:
            said = f"it raised {last_error}" if last_error else f"its last value was {value!r}"
            raise AssertionError(f"not true within {deadline_seconds:g} s: {what or _text(condition)}; {said}")
        await asyncio.sleep(POLL_SECONDS)


async def becomes(look: Callable[[], Awaitable[T]], wanted: T) -> None:
    """Wait until `await look()` is `wanted`."""

    async def is_so() -> bool:
        seen = await look()
        assert seen == wanted, f"{seen!r} is not {wanted!r}"
        return True

    await eventually(is_so)


def _text(condition: Callable[[], object]) -> str:
    try:
        return inspect.getsource(condition).strip()
    except (OSError, TypeError):
        return repr(condition)


class Server:
    """A server process of its own: `port` and `folder` stay the same over `kill()`, `stop()` and `restart()`.

    Every method blocks (a start takes about a second): in an async test whose loop must go on meanwhile, call it
    through `asyncio.to_thread`.
    """

    def __init__(self, folder: Path, plan: Plan) -> None:
        self.folder = folder
        self.port = free_port()
        self._plan = plan
        self._log = PartLog(folder / "log")
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None, "the server was not started"
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start and wait until it answers."""
        assert not self.running, "the server runs already"
        _cradle.submit(self._start).result()

    def kill(self) -> None:
        """SIGKILL: it gets no chance to save anything."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """SIGTERM: an orderly end."""
        self._end(signal.SIGTERM)

    def pause(self) -> None:
        """SIGSTOP: it keeps its connections and answers nobody, like a machine that hangs."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def restart(self) -> None:
        """Start again with the same port and data; ends it first (orderly) if it still runs."""
        self.stop()
        self.start()

    def log_tail(self) -> str:
        return "\n".join(self._log.tail())

    def _start(self) -> None:
        with self._log.opened() as log:
            self._process = subprocess.Popen(
                tethered(self._plan.command(self.port)),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        asyncio.run(self._until_ready())

    async def _until_ready(self) -> None:
        probing = asyncio.create_task(self._plan.ready(self.port))
        until = time.monotonic() + self._plan.ready_seconds
        while self.running and not probing.done() and time.monotonic() < until:
            await asyncio.wait({probing}, timeout=POLL_SECONDS)
        if probing.done() and self.running:
            probing.result()
            return
        probing.cancel()
        state = "is not ready" if self.running else "has ended"
        self.kill()
        raise RuntimeError(f"{self._plan.name} {state}:\n{self.log_tail()}")

    def _end(self, signal_number: int) -> None:
        if self._process is None or self._process.poll() is not None:
            return
        self._process.send_signal(signal_number)
        try:
            self._process.wait(self._plan.stop_seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise


class MongodServer(Server):
    """A real mongod, primary of its own replica set."""

    def __init__(self, folder: Path, *, cache_gb: float = 0.25) -> None:
        (folder / "db").mkdir(parents=True, exist_ok=True)
        super().__init__(folder, mongod.plan(find_mongod(), folder / "db", cache_gb=cache_gb))

    @property
    def url(self) -> str:
        return mongod.url(self.port)


class BrokerServer(Server):
    """A real MQTT broker: mosquitto, or nats-server where there is none (or when asked for).

    Anonymous by default. With `with_users` it has the product's users (`hub`, `sensors`, `display`) and their rights.
    """

    def __init__(self, folder: Path, *, kind: BrokerKind | None = None, with_users: bool = False) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.passwords: Passwords | None = new_passwords() if with_users else None
        super().__init__(folder, broker.plan(find_broker(kind), folder, self.passwords))

    @property
    def url(self) -> str:
        """The hub's."""
        return self.url_for("hub")

    def url_for(self, user: str) -> str:
        return broker.url(self.port, user, self.passwords)


S = TypeVar("S", bound=Server)


def started(server: Callable[[], S]) -> S:
    """Make a server and start it; again with another port when somebody else was quicker to take the first."""
    for attempt in range(1, PORT_ATTEMPTS + 1):
        made = server()
        try:
            made.start()
        except RuntimeError:
            if attempt == PORT_ATTEMPTS or "in use" not in made.log_tail().lower():
                raise
        else:
            return made
    raise AssertionError("unreachable")
