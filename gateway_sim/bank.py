"""What happens to a payment in time: the bank's answer, the merchant's wishes, and who is told what."""

from __future__ import annotations

import asyncio
import secrets
from collections import OrderedDict
from dataclasses import replace
from typing import Any, Final

from gateway_sim.intents import Intent, Refund, Refused
from gateway_sim.methods import METHODS, Behaviour
from gateway_sim.webhooks import Webhooks

INTENTS_LIMIT: Final = 100_000
"""Payments remembered; the oldest are forgotten."""


class Bank:
    """All intents, in memory.

    Every change is told by a webhook, as the intent's method has it: once, twice, in reverse order or not at all.
    `url` is where this application is reached; `slow_seconds` is how long a slow method takes.
    """

    def __init__(self, webhooks: Webhooks, *, url: str, slow_seconds: float = 3.0) -> None:
        self.url = url
        self._webhooks = webhooks
        self._slow_seconds = slow_seconds
        self._intents: OrderedDict[str, Intent] = OrderedDict()
        self._by_reference: dict[str, str] = {}
        self._working: set[asyncio.Task[None]] = set()

    def shown(self, intent: Intent) -> dict[str, Any]:
        """An intent as JSON."""
        return intent.as_json(f"{self.url}/confirm/{intent.id}")

    def find(self, intent_id: str) -> Intent:
        """`Refused` if there is none."""
        intent = self._intents.get(intent_id)
        if intent is None:
            raise Refused("not_found", "there is no such payment")
        return intent

    def find_reference(self, reference: str) -> Intent | None:
        """The intent of a merchant's reference."""
        intent_id = self._by_reference.get(reference)
        return None if intent_id is None else self._intents.get(intent_id)

    def create(
        self, reference: str, amount: int, currency: str, method: str, *, is_manual: bool, return_url: str | None
    ) -> Intent:
        """A new intent, and what its method does with it. The same reference is the same intent."""
        if (known := self.find_reference(reference)) is not None:
            return known
        if method not in METHODS:
            raise Refused("unknown_method", f"the test methods are {', '.join(METHODS)}")
        behaviour, intent_id = METHODS[method], f"pi_{secrets.token_hex(12)}"
        intent = Intent(intent_id, reference, amount, currency, method, is_manual, return_url)
        self._by_reference[reference] = intent.id
        self._keep(intent)
        if behaviour.slow:
            task = asyncio.create_task(self._answer_late(intent.id))
            self._working.add(task)
            task.add_done_callback(self._working.discard)
        elif behaviour.second_step:
            self._change(intent.moved("requires_action"))
        else:
            self._answer(intent, behaviour)
        return self.find(intent.id)

    def capture(self, intent_id: str, amount: int) -> Intent:
        """Takes what was authorised. A repeat of the same capture is the same capture."""
        intent = self.find(intent_id)
        if intent.state in ("succeeded", "refunded") and intent.captured == amount:
            return intent
        return self._change(intent.taken(amount))

    def cancel(self, intent_id: str) -> Intent:
        """Gives up a payment that is not taken yet."""
        intent = self.find(intent_id)
        return intent if intent.state in ("cancelled", "failed") else self._change(intent.moved("cancelled"))

    def confirm(self, intent_id: str, *, is_agreed: bool) -> Intent:
        """The driver's answer on the page of the second step."""
        intent = self.find(intent_id)
        if intent.state != "requires_action":
            return intent
        return self._change(intent.approved() if is_agreed else intent.moved("failed", failure="not_confirmed"))

    def refund(self, intent_id: str, reference: str, amount: int) -> Intent:
        """Sends money back. A repeat of the same reference is the same refund."""
        intent = self.find(intent_id)
        if any(each.reference == reference for each in intent.refunds.values()):
            return intent
        refund = Refund(f"re_{secrets.token_hex(12)}", reference, amount)
        before = intent.with_refund(refund)
        ended = replace(refund, state="failed" if METHODS[intent.method].refunds_fail else "succeeded")
        after = before.with_refund(ended)
        return self._change(before, after)

    async def close(self) -> None:
        """Slow payments stay unanswered."""
        for task in self._working:
            task.cancel()

    def _answer(self, intent: Intent, behaviour: Behaviour) -> None:
        if behaviour.declined:
            self._change(intent.moved("failed", failure=behaviour.declined))
        else:
            self._change(intent, intent.approved())

    async def _answer_late(self, intent_id: str) -> None:
        await asyncio.sleep(self._slow_seconds)
        intent = self.find(intent_id)
        if intent.state == "processing":
            self._answer(intent, METHODS[intent.method])

    def _change(self, *steps: Intent) -> Intent:
        """Keeps the last step and tells of all."""
        after = steps[-1]
        self._keep(after)
        behaviour = METHODS[after.method]
        events = [self._webhooks.event(f"payment_intent.{step.state}", self.shown(step)) for step in steps]
        if behaviour.told_backwards:
            events.reverse()
        told = [event for event in events for _ in range(behaviour.told_times)]
        if told:
            self._webhooks.deliver(*told)
        return after

    def _keep(self, intent: Intent) -> None:
        self._intents[intent.id] = intent
        while len(self._intents) > INTENTS_LIMIT:
            _, forgotten = self._intents.popitem(last=False)
            self._by_reference.pop(forgotten.reference, None)
