"""Names of things: the short codes people see, and opaque ids for everything else."""

from __future__ import annotations

import re
import secrets
from typing import Annotated

from pydantic import StringConstraints

CODE_PATTERN = r"^[A-Za-z0-9._-]{1,64}$"
"""Lot, bay, level, sensor, gateway and sign codes. No `/`, `+`, `#` or space, so a code is one MQTT topic level."""

Code = Annotated[str, StringConstraints(pattern=CODE_PATTERN)]

_code = re.compile(r"[A-Za-z0-9._-]{1,64}")


def is_code(text: str) -> bool:
    """True if `text` may name a lot, bay or sensor."""
    return _code.fullmatch(text) is not None


def new_id(prefix: str) -> str:
    """A new opaque id such as `bkg_6dd2…`: 128 random bits, so ids can neither be guessed nor collide."""
    return f"{prefix}_{secrets.token_hex(16)}"
