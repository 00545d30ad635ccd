"""Webhooks of the simulated gateway, made and signed by hand: to be repeated, delayed, forged and mixed up."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from standardwebhooks import Webhook

from autospot.domain.ids import new_id
from gateway_sim.intents import Intent
from tests.support.money import WEBHOOK_SECRET, Shop


def event_about(shop: Shop, intent: Intent, event_id: str | None = None) -> dict[str, Any]:
    """An event that says of a payment what `intent` says."""
    shown = shop.gateway.bank.shown(intent)
    name = f"payment_intent.{intent.state}"
    return {"id": event_id or new_id("evt"), "type": name, "data": {"payment_intent": shown}}


def signed(event: dict[str, Any], *, at: datetime | None = None, secret: str = WEBHOOK_SECRET) -> dict[str, Any]:
    """A webhook as it stands in a request; `at` is when it says it was signed."""
    at, body = at or datetime.now(UTC), json.dumps(event)
    headers = {
        "Content-Type": "application/json",
        "webhook-id": event["id"],
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign(event["id"], at, body),
    }
    return {"data": body, "headers": headers}


async def deliver(shop: Shop, request: dict[str, Any]) -> int:
    """Sends a webhook to the shop; the status it is answered with."""
    answer = await shop.api.call("POST", "/v1/gateway/webhooks/simulated", **request)
    return answer.status
