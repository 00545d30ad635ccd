"""What the linter says."""

from __future__ import annotations

from typing import NamedTuple

from autospot.domain.tariff.model import FindingCode


class Finding(NamedTuple):
    """Something well-formed that is probably not meant, at a JSON pointer into the document.

    `accepted` says that the document lists the code in `accepts`: the operator has seen it and means it.
    """

    code: FindingCode
    at: str
    message: str
    accepted: bool = False
