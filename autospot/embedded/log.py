"""A part's log file: written by the part itself, kept small by its supervisor, readable when it is needed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

LIMIT_BYTES = 8 * 1024 * 1024
"""A log may grow to about this before it starts anew; one earlier file of the same size is kept."""

TAIL_LINES = 8
"""How many of the last lines, and how many of the last errors, are worth telling."""

TAIL_BYTES = 65_536
LINE_CHARACTERS = 400


class PartLog:
    """The log of one part.

    The part writes to the file itself and not through a pipe: a part never waits for this program to read, and what a
    dying part or a dying supervisor said last is on disk. So that nothing needs to be reopened, a log that has grown
    too long is copied aside and cut to nothing; lines written in that instant are lost.
    """

    def __init__(self, path: Path, limit_bytes: int = LIMIT_BYTES) -> None:
        self.path = path
        self.earlier = path.with_suffix(".earlier.log")
        self._limit_bytes = limit_bytes

    @contextmanager
    def opened(self) -> Iterator[BinaryIO]:
        """The file to hand to a new part, empty. The log of the run before is kept as the earlier one."""
        if self.path.exists():
            self.path.replace(self.earlier)
        # Appending, because a writer that keeps its own position would write behind the cut and leave a hole.
        with self.path.open("ab") as file:
            yield file

    def trim(self) -> None:
        """Start anew when the file is over its limit."""
        if self.path.stat().st_size <= self._limit_bytes:
            return
        with self.path.open("r+b") as file:
            self.earlier.write_bytes(file.read(2 * self._limit_bytes))
            file.truncate(0)

    def tail(self) -> tuple[str, ...]:
        """The last lines and the last errors, in their order, for people."""
        with self.path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - TAIL_BYTES))
            lines = file.read().decode(errors="replace").splitlines()
        return _worth_telling([_Line.of(line) for line in lines])


@dataclass(frozen=True)
class _Line:
    text: str
    is_error: bool

    @classmethod
    def of(cls, line: str) -> _Line:
        """A line of mongod's structured log as `severity component message details`; any other line as it is."""
        try:
            entry = json.loads(line)
            severity, component, message, details = entry["s"], entry["c"], entry["msg"], entry.get("attr")
        except (ValueError, KeyError, TypeError):
            return cls(line[:LINE_CHARACTERS], is_error=False)
        text = f"{severity} {component} {message} {json.dumps(details) if details else ''}"
        return cls(" ".join(text.split())[:LINE_CHARACTERS], is_error=severity in {"E", "F"})


def _worth_telling(lines: Sequence[_Line]) -> tuple[str, ...]:
    """mongod says what went wrong some fifty lines before its last one."""
    errors = [number for number, line in enumerate(lines) if line.is_error][-TAIL_LINES:]
    last = range(max(0, len(lines) - TAIL_LINES), len(lines))
    return tuple(lines[number].text for number in sorted({*errors, *last}))
