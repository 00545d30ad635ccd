"""A secret key for installations that set none: made once, kept in a file that only its owner can read."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from autospot.domain.errors import InvalidInput

SECRET_BYTES = 48


def kept_secret(file: Path) -> str:
    """The secret in `file`, made at the first call: tokens and sealed plates outlive a restart. Programs that start at
    the same moment get the same one. `InvalidInput` where it cannot be kept."""
    try:
        if not file.exists():
            _make(file)
        return file.read_text().strip()
    except OSError as error:
        words = f"AUTOSPOT_SECRET_KEY is not set, and none can be kept in {file}: {error.strerror}"
        raise InvalidInput(words, at="/secret_key") from error


def _make(file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = file.with_name(f"{file.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as text:
            text.write(secrets.token_urlsafe(SECRET_BYTES))
        os.link(draft, file)  # whole or not at all, and only if nobody was faster
    except FileExistsError:
        return
    finally:
        draft.unlink()


def default_file() -> Path:
    """Where the secret of this machine's user is kept (XDG base directories: state)."""
    state = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(state) / "autospot" / "secret-key"
