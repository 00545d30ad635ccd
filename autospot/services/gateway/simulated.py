"""The simulated gateway (`gateway_sim`), spoken to over HTTP like any other. No real money moves."""

from __future__ import annotations

from binascii import Error as Base64Error
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, TypeVar

import aiohttp
import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from standardwebhooks import Webhook, WebhookVerificationError

from autospot.domain.errors import InvalidInput, Unavailable
from autospot.domain.payment.intent import GatewayEvent, Intent, IntentOrder, PaymentState, RefundReport, RefundState
from autospot.services.gateway.interface import ForgedWebhook, GatewayRefused

ANSWER_SECONDS: Final = 10.0
"""How long a gateway may take; its caller waits that long."""

Amount = Annotated[int, Field(ge=0, le=1_000_000_000)]


class _Document(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)


class _Refund(_Document):
    reference: str
    amount: Amount
    state: Literal["processing", "succeeded", "failed"]


class _Intent(_Document):
    id: str = Field(pattern=r"^pi_[0-9a-f]+$", max_length=64)
    reference: str = Field(max_length=200)
    amount: Amount
    currency: str
    state: Literal["processing", "requires_action", "authorised", "succeeded", "failed", "cancelled", "refunded"]
    captured: Amount
    failure: str | None = Field(max_length=64)
    action_url: str | None
    refunds: list[_Refund] = Field(max_length=100)

    def told(self) -> Intent:
        return Intent(
            id=self.id,
            reference=self.reference,
            amount=self.amount,
            currency=self.currency,
            state=PaymentState(self.state),
            captured=self.captured,
            action_url=self.action_url,
            failure=self.failure,
            refunds=tuple(RefundReport(each.reference, each.amount, RefundState(each.state)) for each in self.refunds),
        )


class _Found(_Document):
    data: list[_Intent]


class _EventContent(_Document):
    payment_intent: _Intent


class _Event(_Document):
    id: str = Field(pattern=r"^[A-Za-z0-9_-]{1,100}$")
    data: _EventContent


_Answer = TypeVar("_Answer", bound=_Document)


class SimulatedGateway:
    """See `Gateway`. `url` is where the application listens, `webhook_secret` what it signs with (`whsec_…`)."""

    provider = "simulated"

    def __init__(self, url: str, api_key: str, webhook_secret: str, *, return_url: str | None = None) -> None:
        self._url = url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {api_key}"}
        self._webhook = Webhook(webhook_secret)
        self._return_url = return_url
        self._client: aiohttp.ClientSession | None = None

    async def create(self, order: IntentOrder) -> Intent:
        body = {
            "reference": order.reference,
            "amount": order.amount,
            "currency": order.currency,
            "method": order.method,
            "capture": "manual" if order.is_hold else "automatic",
            "return_url": self._return_url,
        }
        return await self._post("/v1/payment_intents", body, order.reference)

    async def capture(self, intent_id: str, amount: int) -> Intent:
        path = f"/v1/payment_intents/{intent_id}/capture"
        return await self._post(path, {"amount": amount}, f"capture-{intent_id}-{amount}")

    async def cancel(self, intent_id: str) -> Intent:
        return await self._post(f"/v1/payment_intents/{intent_id}/cancel", {}, f"cancel-{intent_id}")

    async def refund(self, intent_id: str, reference: str, amount: int) -> Intent:
        body = {"payment_intent": intent_id, "reference": reference, "amount": amount}
        return await self._post("/v1/refunds", body, reference)

    async def retrieve(self, reference: str) -> Intent | None:
        content = await self._request("GET", "/v1/payment_intents", params={"reference": reference})
        found = _understood(_Found, content).data
        return found[0].told() if found else None

    def parse_webhook(self, body: bytes, headers: Mapping[str, str]) -> GatewayEvent:
        try:
            self._webhook.verify(body, dict(headers), json_parse=False)
        except (WebhookVerificationError, Base64Error, ValueError) as error:
            raise ForgedWebhook("this was not signed by the payment provider, or too long ago") from error
        try:
            event = _Event.model_validate_json(body)
        except ValidationError as error:
            raise InvalidInput("this event is not one that can be understood") from error
        return GatewayEvent(event.id, event.data.payment_intent.told())

    async def close(self) -> None:
        if self._client is not None:
            await self._client.close()

    async def _post(self, path: str, body: Mapping[str, Any], once: str) -> Intent:
        content = await self._request("POST", path, json=body, headers={"Idempotency-Key": once})
        return _understood(_Intent, content).told()

    async def _request(self, method: str, path: str, **more: Any) -> bytes:
        if self._client is None:
            timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS)
            self._client = aiohttp.ClientSession(timeout=timeout, headers=self._headers)
        try:
            async with self._client.request(method, self._url + path, allow_redirects=False, **more) as response:
                content = await response.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Unavailable("the payment provider does not answer") from error
        if response.status in (404, 409, 422):
            raise GatewayRefused(_reason(content))
        if response.status != 200:
            raise Unavailable(f"the payment provider answers {response.status}")
        return content


def _understood(model: type[_Answer], content: bytes) -> _Answer:
    try:
        return model.model_validate_json(content)
    except ValidationError as error:
        raise Unavailable("the payment provider's answer cannot be understood") from error


def _reason(content: bytes) -> str:
    try:
        return str(orjson.loads(content)["error"]["code"])[:64]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return "unknown"
