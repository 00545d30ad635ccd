"""What the API says of itself: `/openapi.json`, `/asyncapi.json`, and pages for people under `/docs`.

The pages come from this repository alone (Swagger UI is vendored, unchanged, under `web/vendor/`) and are served under
a content security policy that lets them load nothing else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from functools import lru_cache
from html import escape
from importlib.resources import files
from typing import Any, Final, NamedTuple

import orjson
from aiohttp import web

from api.asyncapi import asyncapi
from api.contract import PUBLIC, Contract, Encoded, operation
from api.etag import is_fresh
from api.limits import LimitClass
from api.openapi import EDGE_ERRORS, errors_of, openapi
from api.problems import ERRORS_PAGE, answer_to
from autospot.domain.errors import AutoSpotError

CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

DOCS: Final = "/docs"

_FILES: Final = {
    "docs.js": ("docs/docs.js", "text/javascript"),
    "docs.css": ("docs/docs.css", "text/css"),
    "swagger-ui-bundle.js": ("vendor/swagger-ui/swagger-ui-bundle.js", "text/javascript"),
    "swagger-ui.css": ("vendor/swagger-ui/swagger-ui.css", "text/css"),
    "favicon-32x32.png": ("vendor/swagger-ui/favicon-32x32.png", "image/png"),
}


class Documents:
    """The two documents as operations, so that they are in the first of them. `publish` is called once, with all."""

    def __init__(self) -> None:
        self._openapi: Encoded[dict[str, Any]] = Encoded(b"{}")
        self._asyncapi: Encoded[dict[str, Any]] = Encoded(b"{}")

    def publish(self, contract: Contract) -> None:
        """From now on these are the operations there are."""
        self._openapi = _encoded(openapi(contract))
        self._asyncapi = _encoded_asyncapi()

    @operation(
        "GET /openapi.json", summary="This document", tag="service", access=PUBLIC, limit=LimitClass.LIVE, etag=True
    )
    async def openapi(self) -> Encoded[dict[str, Any]]:
        """OpenAPI 3.1, made from the declarations that route and validate."""
        return self._openapi

    @operation(
        "GET /asyncapi.json",
        summary="The document for MQTT and the websocket",
        tag="service",
        access=PUBLIC,
        limit=LimitClass.LIVE,
        etag=True,
    )
    async def asyncapi(self) -> Encoded[dict[str, Any]]:
        """AsyncAPI 3.0, made from the message models."""
        return self._asyncapi


@lru_cache(maxsize=1)  # it depends on nothing
def _encoded_asyncapi() -> Encoded[dict[str, Any]]:
    return _encoded(asyncapi())


def _encoded(document: Mapping[str, Any]) -> Encoded[dict[str, Any]]:
    body = orjson.dumps(document, option=orjson.OPT_NON_STR_KEYS)
    return Encoded(body, hashlib.sha256(body).hexdigest()[:16])


class Page(NamedTuple):
    """A page or one of its files, in memory."""

    body: bytes
    media: str
    etag: str


class DocumentPages:
    """`/docs` and what it is made of. Read once at the start: a missing file stops the start, not a reader."""

    def __init__(self, contract: Contract) -> None:
        web_files = files("web")
        self._pages = {
            DOCS: _page(web_files.joinpath("docs/index.html").read_bytes(), "text/html"),
            ERRORS_PAGE: _page(errors_page(contract).encode(), "text/html"),
            **{
                f"{DOCS}/{name}": _page(web_files.joinpath(path).read_bytes(), media)
                for name, (path, media) in _FILES.items()
            },
        }

    def serve_on(self, app: web.Application) -> None:
        """Adds a route for each page and file."""
        for path in self._pages:
            app.router.add_get(path, self._serve)

    async def _serve(self, request: web.Request) -> web.Response:
        page = self._pages[request.path]
        headers = {
            "ETag": f'"{page.etag}"',
            "Cache-Control": "no-cache",
            "Content-Security-Policy": CONTENT_SECURITY_POLICY,
            "Referrer-Policy": "no-referrer",
        }
        if is_fresh(request, page.etag):
            return web.Response(status=304, headers=headers)
        charset = None if page.media.startswith("image/") else "utf-8"
        return web.Response(body=page.body, content_type=page.media, charset=charset, headers=headers)


def _page(body: bytes, media: str) -> Page:
    return Page(body, media, hashlib.sha256(body).hexdigest()[:16])


def errors_page(contract: Contract) -> str:
    """Every code of every operation, with what it means and where it occurs. `type` of a problem leads here."""
    rows = "\n".join(_error_row(code, uses) for code, uses in sorted(uses_of_codes(contract).items()))
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>AutoSpot API: errors</title><link rel="icon" href="{DOCS}/favicon-32x32.png">
<link rel="stylesheet" href="{DOCS}/docs.css"></head>
<body><header><h1>AutoSpot API: errors</h1><nav aria-label="Documents"><a href="{DOCS}">Operations</a></nav></header>
<main class="page"><p>Every refusal is <code>application/problem+json</code> with one of these codes.</p>
<table><thead><tr><th>Code</th><th>Status</th><th>For example</th><th>Again?</th><th>Where</th></tr></thead>
<tbody>
{rows}
</tbody></table></main></body></html>
"""


def uses_of_codes(contract: Contract) -> dict[str, list[tuple[str, AutoSpotError]]]:
    """By code: the operations that may refuse with it, and the example each gives."""
    uses: dict[str, list[tuple[str, AutoSpotError]]] = {error.code: [("any request", error)] for error in EDGE_ERRORS}
    for name, bound in contract.items():
        for error in errors_of(bound):
            uses.setdefault(error.code, []).append((name, error))
    return uses


EVERYWHERE: Final = 8
"""A code of more operations than this is said to occur in many, without a list."""


def _error_row(code: str, uses: list[tuple[str, AutoSpotError]]) -> str:
    _name, example = uses[0]
    again = "the same request may succeed later" if example.retryable else "not without a change"
    return (
        f'<tr id="{escape(code)}"><td><code>{escape(code)}</code></td><td>{answer_to(example).status}</td>'
        f"<td>{escape(example.message)}</td><td>{again}</td><td>{'<br>'.join(_places(uses))}</td></tr>"
    )


def _places(uses: list[tuple[str, AutoSpotError]]) -> Iterator[str]:
    names = sorted({name for name, _error in uses})
    if len(names) > EVERYWHERE:
        yield f"{len(names)} operations"
    else:
        yield from (f"<code>{escape(name)}</code>" for name in names)
