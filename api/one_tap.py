"""The page behind the link of a reminder: says what a tap would do, and does it when its button is pressed.

Opening it changes nothing, because mail programs and scanners open links. It needs no sign-in: the link is the proof,
for one extension of one booking.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from typing import Final
from zoneinfo import ZoneInfo

from aiohttp import web
from jinja2 import Environment, StrictUndefined

from api.problems import answer_to
from autospot.domain.errors import AutoSpotError
from autospot.domain.ledger import InsufficientFunds
from autospot.services.desk.one_tap import PATH, OneTap, Prospect

STYLE: Final = f"{PATH}/extend.css"

HEADERS: Final = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",  # the address is the proof: no other site may see it
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
}


@dataclass(frozen=True, slots=True)
class PageText:
    """What the page says. `button` is None where there is nothing to press."""

    title: str
    lines: tuple[str, ...]
    button: str | None = None
    status: int = 200


class OneTapPages:
    """Serves the page and its style."""

    def __init__(self, one_tap: OneTap) -> None:
        self._one_tap = one_tap
        folder = files("web").joinpath("extend")
        texts = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
        self._page = texts.from_string(folder.joinpath("page.html.j2").read_text(encoding="utf-8"))
        self._style = folder.joinpath("extend.css").read_bytes()

    def serve_on(self, app: web.Application) -> None:
        """Adds its routes."""
        app.add_routes(self.routes())

    def routes(self) -> Sequence[web.RouteDef]:
        """The page, what its button does, and its style."""
        return [web.get(PATH, self._ask), web.post(PATH, self._extend), web.get(STYLE, self._serve_style)]

    async def _serve_style(self, request: web.Request) -> web.Response:  # noqa: ARG002 - the shape of a handler
        return web.Response(body=self._style, content_type="text/css", headers={"Cache-Control": "no-cache"})

    async def _ask(self, request: web.Request) -> web.Response:
        try:
            prospect = await self._one_tap.look(_offer(request))
        except AutoSpotError as refusal:
            return self._shown(refused(refusal))
        return self._shown(done(prospect) if prospect.is_done else asked(prospect))

    async def _extend(self, request: web.Request) -> web.Response:
        try:
            return self._shown(done(await self._one_tap.accept(_offer(request))))
        except AutoSpotError as refusal:
            return self._shown(refused(refusal))

    def _shown(self, text: PageText) -> web.Response:
        html = self._page.render(title=text.title, lines=text.lines, button=text.button)
        return web.Response(status=text.status, text=html, content_type="text/html", headers=HEADERS)


def _offer(request: web.Request) -> str:
    return request.query.get("offer", "")


def asked(prospect: Prospect) -> PageText:
    """Before the tap."""
    until, cost = _time(prospect.extension.until, prospect), prospect.cost
    price = "It costs nothing more." if not cost or cost.amount <= 0 else f"It costs {cost} more, from your wallet."
    lines = (f"Your booking of {_place(prospect)} ends at {_time(prospect.booking.period.until, prospect)}.", price)
    return PageText(f"Stay until {until}?", lines, f"Stay until {until}")


def done(prospect: Prospect) -> PageText:
    """After it, however often it was tapped."""
    title = f"You may stay until {_time(prospect.booking.period.until, prospect)}"
    return PageText(title, (f"Your booking of {_place(prospect)} was extended.",))


def refused(refusal: AutoSpotError) -> PageText:
    """Why it cannot be. What may work later can be pressed again."""
    said = refusal.message
    if isinstance(refusal, InsufficientFunds):
        said = "there is not enough in your wallet: fill it, then try again"
    again = refusal.retryable or isinstance(refusal, InsufficientFunds)
    line = f"{said[0].upper()}{said[1:]}."
    return PageText("Your booking is as it was", (line,), "Try again" if again else None, answer_to(refusal).status)


def _place(prospect: Prospect) -> str:
    return f"bay {prospect.booking.bay} at {prospect.lot.name}"


def _time(instant: datetime, prospect: Prospect) -> str:
    return f"{instant.astimezone(ZoneInfo(prospect.lot.time_zone)):%H:%M on %A, %d %B}"
