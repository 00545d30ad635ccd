"""Processes of a benchmark: started with a log file, measured, and always ended, even when the runner is killed."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Final, Self

import psutil

from bench.schedule import Load

STOP_SECONDS: Final = 10.0
"""Time between asking a process to end and killing it."""

ANSWER_SECONDS: Final = 120.0
LOG_LINES_SHOWN: Final = 15
POLL_SECONDS: Final = 0.02
OWN_CODE: Final = {"PYTHONPATH": str(Path(__file__).parents[1])}
"""Environment in which a Python process finds this package, wherever the runner was started."""

_PR_SET_PDEATHSIG: Final = 1
_libc = ctypes.CDLL(None)


class BenchError(Exception):
    """A part of the benchmark did not start, answer or end as it must; the text says which and shows its last lines."""


class BenchTimeout(BenchError):
    """Something took longer than it may."""


def free_port() -> int:
    """A TCP port of the loopback address that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until(ready: Callable[[], bool], within_seconds: float, what: str) -> float:
    """Poll `ready`; the seconds it took. Raises BenchTimeout after `within_seconds`."""
    began = time.monotonic()
    while not ready():
        if time.monotonic() - began > within_seconds:
            raise BenchTimeout(f"{what}: not within {within_seconds:.0f} s")
        time.sleep(POLL_SECONDS)
    return time.monotonic() - began


def answers_http(url: str) -> bool:
    """Whether a GET of `url` is answered with 200 at this moment."""
    try:
        with urllib.request.urlopen(url, timeout=2) as reply:  # noqa: S310 (an http address made by this package)
            return bool(reply.status == 200)
    except OSError:
        return False


def _die_with_parent() -> None:
    """In the child, before exec: the kernel ends it when the runner goes, however that happens (prctl(2))."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def machine_busy_seconds() -> float:
    """Processor seconds that all cores have spent on anything since the machine came up, what a host stole included."""
    times = psutil.cpu_times()
    return float(times.user + times.nice + times.system + times.irq + times.softirq + times.steal)


class Child:
    """A process that belongs to the benchmark.

    Guarantees: its output goes to `log`; it does not outlive the runner; `stop` returns only when it is gone.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str | Path],
        log: Path,
        environment: Mapping[str, str] | None = None,
        *,
        pipes: bool = False,
    ) -> None:
        self.name = name
        self.log = log
        with log.open("ab") as sink:
            self._popen = subprocess.Popen(
                [str(part) for part in command],
                env={**os.environ, **(environment or {})},
                stdin=subprocess.PIPE if pipes else subprocess.DEVNULL,
                stdout=subprocess.PIPE if pipes else sink,
                stderr=sink,
                preexec_fn=_die_with_parent,  # noqa: PLW1509 (the runner has one thread)
            )
        self._process = psutil.Process(self._popen.pid)

    def __enter__(self) -> Self:
        """For use in a `with` statement or an ExitStack."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """End the process."""
        self.stop()

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return self._popen.poll() is None

    def _family(self) -> list[psutil.Process]:
        return [self._process, *self._process.children(recursive=True)]

    def cpu_seconds(self) -> float:
        """User and system time of the process, its threads and its children so far."""
        total = 0.0
        for process in self._family():
            with contextlib.suppress(psutil.NoSuchProcess):
                times = process.cpu_times()
                total += times.user + times.system
        return total

    def resident_bytes(self) -> int:
        """Resident set of the process and its children at this moment."""
        return sum(process.memory_info().rss for process in self._family())

    def wait_ready(self, ready: Callable[[], bool], within_seconds: float) -> float:
        """Poll `ready`; the seconds it took. Raises BenchError with the last log lines when the process ends first."""

        def ready_or_dead() -> bool:
            if not self.alive:
                raise BenchError(f"{self.name} ended with code {self._popen.returncode}:\n{self.last_lines()}")
            return ready()

        try:
            return wait_until(ready_or_dead, within_seconds, f"{self.name} was not ready")
        except BenchTimeout as error:
            raise BenchError(f"{error}\n{self.last_lines()}") from error

    def wait_end(self, within_seconds: float) -> float:
        """Wait until it has ended well; the seconds it ran. Raises BenchError when it fails or takes longer."""
        began = time.monotonic()
        try:
            code = self._popen.wait(within_seconds)
        except subprocess.TimeoutExpired as error:
            raise BenchError(f"{self.name} did not end within {within_seconds:.0f} s") from error
        if code:
            raise BenchError(f"{self.name} ended with code {code}:\n{self.last_lines()}")
        return time.monotonic() - began

    def last_lines(self) -> str:
        """The end of the log, for error messages."""
        with self.log.open(errors="replace") as lines:
            return "".join(deque(lines, LOG_LINES_SHOWN))

    def stop(self) -> None:
        """Ask it to end, and kill it and its children if it has not after STOP_SECONDS."""
        family = self._family() if self.alive else []
        with contextlib.suppress(ProcessLookupError):
            self._popen.terminate()
        try:
            self._popen.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._popen.kill()
            self._popen.wait()
        for process in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        for pipe in (self._popen.stdin, self._popen.stdout):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()


class Worker(Child):
    """A load process of this package that answers one JSON line to each command (see `bench.worker`).

    The first answer says that it is ready: `wait_answer` must be called for it before anything is asked.
    """

    def __init__(self, module: str, log_folder: Path, arguments: Mapping[str, Any]) -> None:
        command = [sys.executable, "-m", module, json.dumps(arguments)]
        super().__init__(module, command, log_folder / f"{module}.log", OWN_CODE, pipes=True)
        self._unread = b""

    def tell(self, do: str, **fields: Any) -> None:
        """Send a command without waiting for its answer."""
        _pipe(self._popen.stdin).write(json.dumps({"do": do, **fields}).encode() + b"\n")
        _pipe(self._popen.stdin).flush()

    def wait_answer(self, within_seconds: float = ANSWER_SECONDS) -> dict[str, Any]:
        """The next answer. Raises BenchError when the worker ends or stays silent for `within_seconds`."""
        output = _pipe(self._popen.stdout)
        deadline = time.monotonic() + within_seconds
        while b"\n" not in self._unread:
            ready, _, _ = select.select([output], [], [], max(0.0, deadline - time.monotonic()))
            piece = os.read(output.fileno(), 1 << 20) if ready else b""
            if not piece:
                raise BenchError(f"{self.name} gave no answer:\n{self.last_lines()}")
            self._unread += piece
        line, _, self._unread = self._unread.partition(b"\n")
        reply: dict[str, Any] = json.loads(line)
        return reply

    def ask(self, do: str, **fields: Any) -> dict[str, Any]:
        """Send a command and wait for its answer."""
        self.tell(do, **fields)
        return self.wait_answer()


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe is not None, "workers are started with pipes"
    return pipe


def load_arguments(load: Load) -> dict[str, Any]:
    """A load as plain values, for a worker's command line."""
    return {
        name: getattr(load, name) for name in ("lots", "bays", "rate", "seconds", "warmup_seconds", "seed", "first")
    }
