"""A secret key for installations that set none: made once, kept in a file that only its owner can read."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

SECRET_BYTES = 48


def kept_secret(file: Path) -> str:
    """The secret in `file`, made at the first call: tokens and sealed plates outlive a restart."""
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as text:
            text.write(secrets.token_urlsafe(SECRET_BYTES))
    return file.read_text().strip()


def default_file() -> Path:
    """Where the secret of this machine's user is kept (XDG base directories: state)."""
    state = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(state) / "autospot" / "secret-key"
