"""The pages for people: which files there are, under which addresses, and what a browser may do with them.

All files are read once, when the routes are added: a missing one stops the start, not a visitor, and each has a route
of its own, so that no address is ever joined to a folder.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Awaitable, Callable, Iterator, Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import PurePosixPath
from typing import Final, NamedTuple

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.Response]]

ASSETS: Final = "/assets"

PAGES: Final[Mapping[str, str]] = {
    "/": "home/index.html",
    "/display/{lot:[A-Za-z0-9._-]{1,64}}": "display/index.html",
    "/display/{lot:[A-Za-z0-9._-]{1,64}}/{sign:[A-Za-z0-9._-]{1,64}}": "display/index.html",
}
"""Route to file. Which lot and which sign is the page's own business: it reads its address."""

FOLDERS: Final = (
    "shared",
    "home",
    "display",
    "vendor/preact",
    "vendor/preact-signals",
    "vendor/preact-signals-core",
    "vendor/htm",
    "vendor/b612",
)
"""What is served below `ASSETS`, by the same paths. The API's documentation serves its own files."""

MEDIA: Final[Mapping[str, str]] = {
    ".css": "text/css",
    ".html": "text/html",
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}
"""Files of other kinds (licences, Python) are not served."""

REVALIDATE: Final = "no-cache"
"""Kept, but asked about each time: a new version of the product is a new version of every page at once."""
FOR_A_WEEK: Final = "public, max-age=604800"
"""For fonts: without them at hand a page would change its shape while it is looked at."""

IMPORT_MAP_SLOT: Final = b'<script type="importmap"></script>'


class Asset(NamedTuple):
    """A file in memory, with what is said about it."""

    body: bytes
    media: str
    etag: str
    keep: str


def serve_pages(app: web.Application) -> None:
    """Adds the pages and their files to `app`, each for GET and HEAD."""
    root = files("web")
    import_map = root.joinpath("importmap.json").read_bytes()
    policy = content_security_policy(import_map)
    for path, name in PAGES.items():
        app.router.add_get(path, _serving(_asset(name, _page(root, name, import_map)), policy))
    for name, body in _served_files(root):
        app.router.add_get(f"{ASSETS}/{name}", _serving(_asset(name, body), policy))


def _asset(name: str, body: bytes) -> Asset:
    suffix = PurePosixPath(name).suffix
    keep = FOR_A_WEEK if suffix == ".woff2" else REVALIDATE
    return Asset(body, MEDIA[suffix], hashlib.sha256(body).hexdigest()[:16], keep)


def content_security_policy(import_map: bytes) -> str:
    """Everything from this server, nothing inline, no page inside another. The import map has to be inline (browsers
    load no other kind), so exactly this one is allowed, by its hash."""
    import_map_hash = b64encode(hashlib.sha256(import_map).digest()).decode()
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src 'self' 'sha256-{import_map_hash}'",
            "style-src 'self'",
            "font-src 'self'",
            "img-src 'self'",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
            "require-trusted-types-for 'script'",
        )
    )


def _served_files(root: Traversable) -> Iterator[tuple[str, bytes]]:
    for folder in FOLDERS:
        for file in root.joinpath(folder).iterdir():
            if PurePosixPath(file.name).suffix in MEDIA:
                yield f"{folder}/{file.name}", file.read_bytes()


def _page(root: Traversable, name: str, import_map: bytes) -> bytes:
    slot_filled = IMPORT_MAP_SLOT.replace(b"></", b">" + import_map + b"</")
    return root.joinpath(name).read_bytes().replace(IMPORT_MAP_SLOT, slot_filled)


def _serving(found: Asset, policy: str) -> Handler:
    headers = {
        "Cache-Control": found.keep,
        "Content-Security-Policy": policy,
        "Cross-Origin-Opener-Policy": "same-origin",
        "ETag": f'"{found.etag}"',
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }
    charset = "utf-8" if found.media.startswith(("text/", "image/svg")) else None

    async def serve(request: web.Request) -> web.Response:
        if any(known.value in (found.etag, "*") for known in request.if_none_match or ()):
            return web.Response(status=304, headers=headers)
        return web.Response(body=found.body, content_type=found.media, charset=charset, headers=headers)

    return serve
