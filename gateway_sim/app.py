"""The HTTP application."""

from __future__ import annotations

import hmac
import html
import json
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Final

from aiohttp import web

from gateway_sim.bank import Bank
from gateway_sim.intents import Intent, Refused

ANSWERS_KEPT: Final = 100_000
AMOUNT_LIMIT: Final = 1_000_000_000
TEXT_LIMIT: Final = 200

BANK = web.AppKey("bank", Bank)

Serve = Callable[[web.Request], Awaitable[web.StreamResponse]]

PAGE: Final = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Confirm your payment</title>
<meta name="viewport" content="width=device-width">
<style>body{{font:1.1rem/1.5 system-ui;max-width:26rem;margin:4rem auto;padding:0 1rem}}
button{{font:inherit;padding:.6rem 1.2rem;margin-right:1rem}}</style>
<main><h1>Test bank</h1><p>{text}</p>{form}</main></html>"""
FORM: Final = """<form method="post"><button name="answer" value="yes">Confirm</button>
<button name="answer" value="no">Refuse</button></form>"""


def gateway_app(bank: Bank, *, api_key: str) -> web.Application:
    """The gateway for one merchant, whose key is `api_key`."""
    door = Door(api_key)
    app = web.Application(middlewares=[door.around], client_max_size=64 * 1024)
    app[BANK] = bank
    app.add_routes(
        [
            web.post("/v1/payment_intents", create),
            web.get("/v1/payment_intents", find),
            web.get("/v1/payment_intents/{id}", get),
            web.post("/v1/payment_intents/{id}/capture", capture),
            web.post("/v1/payment_intents/{id}/cancel", cancel),
            web.post("/v1/refunds", refund),
            web.get("/confirm/{id}", page),
            web.post("/confirm/{id}", confirm),
        ]
    )

    async def closing(app: web.Application) -> AsyncIterator[None]:
        yield
        await app[BANK].close()

    app.cleanup_ctx.append(closing)
    return app


class Door:
    """Asks for the key, answers repeats of an idempotency key as before, and puts refusals into JSON.

    Bounded: of the newest `ANSWERS_KEPT` keys the answers are kept.
    """

    def __init__(self, api_key: str) -> None:
        self._api_key = api_key
        self._answers: OrderedDict[str, tuple[int, bytes]] = OrderedDict()

    @web.middleware
    async def around(self, request: web.Request, handler: Serve) -> web.StreamResponse:
        """Serves a request."""
        if not request.path.startswith("/v1/"):
            return await self._answered(request, handler)
        _, _, key = request.headers.get("Authorization", "").partition("Bearer ")
        if not hmac.compare_digest(key.encode(), self._api_key.encode()):
            return refusal(401, "unauthorised", "this needs the merchant's key")
        once = request.headers.get("Idempotency-Key")
        if request.method != "POST" or once is None:
            return await self._answered(request, handler)
        if (kept := self._answers.get(once)) is not None:
            return web.Response(status=kept[0], body=kept[1], content_type="application/json")
        response = await self._answered(request, handler)
        if isinstance(response, web.Response) and isinstance(response.body, bytes):
            self._answers[once] = (response.status, response.body)
            if len(self._answers) > ANSWERS_KEPT:
                self._answers.popitem(last=False)
        return response

    @staticmethod
    async def _answered(request: web.Request, handler: Serve) -> web.StreamResponse:
        try:
            return await handler(request)
        except Refused as refused:
            return refusal(404 if refused.code == "not_found" else 422, refused.code, refused.message)


def refusal(status: int, code: str, message: str) -> web.Response:
    return web.json_response({"error": {"code": code, "message": message}}, status=status)


async def create(request: web.Request) -> web.Response:
    """POST /v1/payment_intents."""
    body = await body_of(request)
    intent = request.app[BANK].create(
        text_of(body, "reference"),
        amount_of(body),
        text_of(body, "currency"),
        text_of(body, "method"),
        is_manual=body.get("capture") == "manual",
        return_url=text_of(body, "return_url") if body.get("return_url") else None,
    )
    return shown(request, intent)


async def find(request: web.Request) -> web.Response:
    """GET /v1/payment_intents?reference=…"""
    intent = request.app[BANK].find_reference(request.query.get("reference", ""))
    return web.json_response({"data": [] if intent is None else [request.app[BANK].shown(intent)]})


async def get(request: web.Request) -> web.Response:
    """GET /v1/payment_intents/{id}."""
    return shown(request, request.app[BANK].find(request.match_info["id"]))


async def capture(request: web.Request) -> web.Response:
    """POST /v1/payment_intents/{id}/capture."""
    amount = amount_of(await body_of(request))
    return shown(request, request.app[BANK].capture(request.match_info["id"], amount))


async def cancel(request: web.Request) -> web.Response:
    """POST /v1/payment_intents/{id}/cancel."""
    return shown(request, request.app[BANK].cancel(request.match_info["id"]))


async def refund(request: web.Request) -> web.Response:
    """POST /v1/refunds."""
    body = await body_of(request)
    intent = request.app[BANK].refund(text_of(body, "payment_intent"), text_of(body, "reference"), amount_of(body))
    return shown(request, intent)


async def page(request: web.Request) -> web.Response:
    """GET /confirm/{id}: the second step, for a person."""
    return page_of(request.app[BANK].find(request.match_info["id"]))


async def confirm(request: web.Request) -> web.Response:
    """POST /confirm/{id}: the person's answer."""
    answer = (await request.post()).get("answer")
    intent = request.app[BANK].confirm(request.match_info["id"], is_agreed=answer == "yes")
    if intent.return_url is not None:
        raise web.HTTPSeeOther(intent.return_url)
    return page_of(intent)


def page_of(intent: Intent) -> web.Response:
    amount = f"{intent.amount} {html.escape(intent.currency)} (minor units)"
    if intent.state == "requires_action":
        text, form = f"Pay {amount}? No real money moves.", FORM
    else:
        text, form = f"The payment of {amount} is {intent.state}. You may close this page.", ""
    return web.Response(text=PAGE.format(text=text, form=form), content_type="text/html")


def shown(request: web.Request, intent: Intent) -> web.Response:
    return web.json_response(request.app[BANK].shown(intent))


async def body_of(request: web.Request) -> dict[str, Any]:
    try:
        body = await request.json()
    except (json.JSONDecodeError, UnicodeDecodeError):
        body = None
    if not isinstance(body, dict):
        raise Refused("bad_body", "send a JSON object")
    return body


def text_of(body: dict[str, Any], name: str) -> str:
    text = body.get(name)
    if not isinstance(text, str) or not 0 < len(text) <= TEXT_LIMIT:
        raise Refused(f"bad_{name}", f"{name}: 1 to {TEXT_LIMIT} characters")
    return text


def amount_of(body: dict[str, Any]) -> int:
    amount = body.get("amount")
    if type(amount) is not int or not 0 < amount <= AMOUNT_LIMIT:
        raise Refused("bad_amount", "amount: whole minor units")
    return amount
