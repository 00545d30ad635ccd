"""`endpoints.json`: where a running demo is found, for people and for programs that wait for it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

FILE_NAME = "endpoints.json"


@dataclass(frozen=True)
class Login:
    email: str
    password: str


@dataclass(frozen=True)
class Endpoints:
    """Addresses of a running demo; the fields are the file's keys."""

    http: str
    mqtt: str
    mongo: str
    logins: Mapping[str, Login]
    """By role: `driver`, `operator`."""
    pages: Mapping[str, str]
    """By page: `display`, `driver`, `operator`, `docs`."""


@contextmanager
def published(endpoints: Endpoints, folder: Path) -> Iterator[Path]:
    """The file exists inside the `with`: whole from its first moment, readable by its owner alone, gone at the end.

    Enter when everything in it answers.
    """
    file = folder / FILE_NAME
    draft = folder / f"{FILE_NAME}.new"
    draft.touch(mode=0o600)
    draft.write_text(json.dumps(asdict(endpoints), indent=2) + "\n")
    draft.replace(file)
    try:
        yield file
    finally:
        withdraw(folder)


def withdraw(folder: Path) -> None:
    """Remove the file, which a killed run leaves behind."""
    (folder / FILE_NAME).unlink(missing_ok=True)
