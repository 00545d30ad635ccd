"""A gateway that says how a payment ended before it has answered the request to begin it."""

from __future__ import annotations

from collections.abc import Mapping

from autospot.domain.payment.intent import GatewayEvent, Intent, IntentOrder, PaymentState
from autospot.services.cashier.reports import GatewayReports
from autospot.services.gateway.directory import Gateways
from autospot.storage.idempotency import Unkept
from autospot.storage.mongo import Database
from tests.support.money import a_till


class QuickGateway:
    """Reports success, then answers that it is at work. Whatever else it is asked does not happen here."""

    provider = "quick"

    def __init__(self) -> None:
        self.reports: GatewayReports | None = None

    async def create(self, order: IntentOrder) -> Intent:
        assert self.reports is not None
        fields = ("pi_1", order.reference, order.amount, order.currency)
        await self.reports.looked_up(order.reference, Intent(*fields, PaymentState.SUCCEEDED, captured=order.amount))
        return Intent(*fields, PaymentState.PROCESSING)

    async def capture(self, intent_id: str, amount: int) -> Intent:
        raise AssertionError("nothing but an order is expected here")

    async def cancel(self, intent_id: str) -> Intent:
        raise AssertionError("nothing but an order is expected here")

    async def refund(self, intent_id: str, reference: str, amount: int) -> Intent:
        raise AssertionError("nothing but an order is expected here")

    async def retrieve(self, reference: str) -> Intent | None:
        raise AssertionError("nothing but an order is expected here")

    def parse_webhook(self, body: bytes, headers: Mapping[str, str]) -> GatewayEvent:
        raise AssertionError("nothing but an order is expected here")

    async def close(self) -> None:
        """Nothing is open."""


async def test_what_was_told_before_the_answer_is_told_once(database: Database) -> None:
    quick = QuickGateway()
    till = a_till(database, gateways=Gateways([quick]))
    quick.reports = till.cashier.reports
    wash = await till.washes.order(price=1000)
    payment = await till.cashier.payments.pay_by_card("usr_dora", wash, "pm_ok", Unkept())
    assert payment.state is PaymentState.SUCCEEDED
    assert (await till.washes.get(wash))["states"] == ["succeeded"]
    await till.clean()
