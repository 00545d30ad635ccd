"""The demo's mailbox: what AutoSpot would have sent, for all to read. Wired in by the demo and by nothing else."""

from __future__ import annotations

import hashlib
from importlib.resources import files
from typing import Final, NamedTuple

from aiohttp import web
from pydantic import Field

from api.contract import PUBLIC, Input, Output, operation
from api.etag import is_fresh
from api.limits import LimitClass
from api.values import Instant
from autospot.domain.errors import NotFound
from autospot.storage.mails import Mails

MAILBOX: Final = "/mailbox"
SHOWN: Final = 100

PAGE_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; "
    "frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
MAIL_POLICY: Final = (
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; "
    "frame-ancestors 'self'"
)
"""A mail is shown as mail programs do: its own style, links that open elsewhere, and nothing that runs or loads."""

_FILES: Final = {
    MAILBOX: ("index.html", "text/html"),
    f"{MAILBOX}/mailbox.js": ("mailbox.js", "text/javascript"),
    f"{MAILBOX}/mailbox.css": ("mailbox.css", "text/css"),
}


class MailQuery(Input):
    """Whose mail; everybody's where nothing is said."""

    to: str | None = Field(None, max_length=254)


class MailView(Output):
    """A mail. Its HTML part is at `html`."""

    id: str
    to: str
    subject: str
    at: Instant
    text: str
    html: str = Field(description="path of the page that shows its HTML part")


class MailsView(Output):
    """The newest mails first."""

    data: list[MailView]


class MailboxOperations:
    """Reading the demo's mail."""

    def __init__(self, mails: Mails) -> None:
        self._mails = mails

    @operation("GET /v1/mailbox", summary="What the demo has mailed", tag="demo", access=PUBLIC, limit=LimitClass.READ)
    async def list_mails(self, query: MailQuery) -> MailsView:
        """Newest first. Only the demo has this: a real installation sends its mail and keeps none."""
        mails = await self._mails.newest(SHOWN, to=query.to)
        return MailsView(
            data=[
                MailView(
                    id=mail.id,
                    to=mail.to,
                    subject=mail.subject,
                    at=mail.at,
                    text=mail.text,
                    html=f"{MAILBOX}/mails/{mail.id}",
                )
                for mail in mails
            ]
        )


class _PageFile(NamedTuple):
    body: bytes
    media: str
    etag: str


class MailboxPages:
    """The page that shows the mailbox."""

    def __init__(self, mails: Mails) -> None:
        self._mails = mails
        folder = files("web").joinpath("mailbox")
        self._files = {
            path: _page_file(folder.joinpath(name).read_bytes(), media) for path, (name, media) in _FILES.items()
        }

    def serve_on(self, app: web.Application) -> None:
        """Adds its routes."""
        for path in self._files:
            app.router.add_get(path, self._serve_file)
        app.router.add_get(MAILBOX + "/mails/{id:eml_[0-9a-f]{32}}", self._serve_mail)

    async def _serve_file(self, request: web.Request) -> web.Response:
        page = self._files[request.path]
        headers = {"ETag": f'"{page.etag}"', "Cache-Control": "no-cache", "Content-Security-Policy": PAGE_POLICY}
        if is_fresh(request, page.etag):
            return web.Response(status=304, headers=headers)
        return web.Response(body=page.body, content_type=page.media, charset="utf-8", headers=headers)

    async def _serve_mail(self, request: web.Request) -> web.Response:
        mail = await self._mails.find(request.match_info["id"])
        if mail is None:
            raise NotFound("there is no such mail")
        headers = {"Cache-Control": "no-store", "Content-Security-Policy": MAIL_POLICY}
        return web.Response(text=mail.html, content_type="text/html", charset="utf-8", headers=headers)


def _page_file(body: bytes, media: str) -> _PageFile:
    return _PageFile(body, media, hashlib.sha256(body).hexdigest()[:16])
