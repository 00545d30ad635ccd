"""Clients that pay with keys, what they were told, and the check that the books say the same."""

from __future__ import annotations

import asyncio
import os
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import orjson

from autospot.domain.ids import new_id
from tests.support.api import bearer
from tests.support.money import Till

PATIENCE_SECONDS = 60.0
RETRY_SECONDS = 0.05
RETRIED = {"still_running", "lease_lost", "unavailable", "outcome_unknown"}


def proof_scale() -> float:
    """How much of the full proof is done: `AUTOSPOT_PROOF_SCALE`, 1 unless set. See `docs/payments.md`."""
    return float(os.environ.get("AUTOSPOT_PROOF_SCALE", "1"))


@dataclass(frozen=True)
class Attempt:
    """A payment that somebody wants: who pays which wash of which price, by which key."""

    user_id: str
    wash_id: str
    price: int
    key: str = field(default_factory=lambda: new_id("key"))

    @property
    def body(self) -> Mapping[str, Any]:
        return {"subject": {"kind": "wash", "id": self.wash_id}, "source": "wallet"}


@dataclass
class History:
    """Every definite answer, by key: status and bytes."""

    answers: dict[str, list[tuple[int, bytes]]] = field(default_factory=lambda: defaultdict(list))
    retries: Counter[str] = field(default_factory=Counter)

    async def send(self, client: aiohttp.ClientSession, url: str, attempt: Attempt) -> tuple[int, bytes]:
        """Sends until there is a definite answer: yes, or no for good."""
        headers = {**bearer(attempt.user_id), "Idempotency-Key": attempt.key}
        loop = asyncio.get_running_loop()
        deadline = loop.time() + PATIENCE_SECONDS
        while loop.time() < deadline:
            try:
                async with client.post(f"{url}/v1/payments", json=attempt.body, headers=headers) as response:
                    status, body = response.status, await response.read()
            except (aiohttp.ClientError, TimeoutError) as error:
                self.retries[type(error).__name__] += 1
            else:
                code = "" if status < 300 else str(orjson.loads(body)["code"])
                if code not in RETRIED:
                    self.answers[attempt.key].append((status, body))
                    return status, body
                self.retries[code] += 1
            await asyncio.sleep(RETRY_SECONDS)
        raise AssertionError(f"no answer to {attempt.key} within {PATIENCE_SECONDS:g} s; so far {self.retries}")

    async def check(self, till: Till, attempts: Sequence[Attempt], funded: Mapping[str, int]) -> Counter[str]:
        """Fails unless the books say what the clients were told; counts the outcomes."""
        outcomes: Counter[str] = Counter()
        spent: Counter[str] = Counter()
        for attempt in attempts:
            answers = set(self.answers[attempt.key])
            assert len(answers) == 1, f"{attempt.key} was answered in {len(answers)} ways: {answers}"
            status, body = answers.pop()
            told = orjson.loads(body)
            outcomes["paid" if status == 201 else told["code"]] += 1
            if status == 201:
                assert told["captured"] == {"amount": attempt.price, "currency": "EUR"}
                spent[attempt.user_id] += attempt.price
        await self._check_payments(till, attempts)
        for user_id, amount in funded.items():
            assert await till.available(user_id) == amount - spent[user_id], user_id
        report = await till.cashier.auditor.audit()
        assert report.is_clean, report.mismatches
        return outcomes

    async def _check_payments(self, till: Till, attempts: Sequence[Attempt]) -> None:
        paid = {attempt.wash_id for attempt in attempts if self.answers[attempt.key][0][0] == 201}
        purchases = till.database.collection("payments").find({"subject.kind": "wash"})
        stored = Counter([row["subject"]["id"] async for row in purchases])
        assert stored.keys() == paid, "what was paid and what was told to be paid are not the same"
        assert set(stored.values()) <= {1}, "something was paid twice"
