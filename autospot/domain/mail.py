"""A mail before it is written: which text, to whom, with what in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

TEMPLATE_PATTERN = r"^[a-z][a-z_]{1,40}$"
VALUE_LENGTH = 2000


@dataclass(frozen=True, slots=True)
class Mail:
    """`template` names a pair of files in `autospot/templates/mail`; `values` fill it. `to` is one address."""

    template: str
    to: str
    values: Mapping[str, str] = field(default_factory=dict)
