"""Conditional requests (RFC 9110, section 13): `If-None-Match` saves sending what the client has, `If-Match` keeps it
from overwriting what it has not seen."""

from __future__ import annotations

import re
from typing import Final

from aiohttp import web
from multidict import istr

from autospot.domain.errors import PreconditionFailed

_TAG: Final = re.compile(r'(?:W/)?"([\x21\x23-\x7e]*)"')

_IF_NONE_MATCH: Final = istr("If-None-Match")


def is_fresh(request: web.BaseRequest, etag: str) -> bool:
    """True if the client says that it has the version `etag` (weak comparison, as the RFC asks for)."""
    header = request.headers.get(_IF_NONE_MATCH)
    if header is None:
        return False
    return header == f'"{etag}"' or header.strip() == "*" or etag in _TAG.findall(header)


class IfMatch:
    """What a change is conditional on. Without the header, or with `*`, every version will do."""

    def __init__(self, header: str | None) -> None:
        self._tags = None if header is None or header.strip() == "*" else _strong_tags(header)

    @property
    def tags(self) -> frozenset[str] | None:
        """The versions the caller is ready to overwrite; None for any. For the filter of the update."""
        return self._tags

    def check(self, etag: str) -> None:
        """`PreconditionFailed` unless the present version `etag` is one that the caller knows (strong comparison)."""
        if self._tags is not None and etag not in self._tags:
            raise PreconditionFailed("it was changed since you read it: read it again, then decide")


def _strong_tags(header: str) -> frozenset[str]:
    return frozenset(match[1] for match in _TAG.finditer(header) if not match[0].startswith("W/"))
