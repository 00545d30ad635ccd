"""Running the gateway: inside another program's event loop, or by `python -m gateway_sim`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import web

from gateway_sim.app import gateway_app
from gateway_sim.bank import Bank
from gateway_sim.webhooks import Webhooks


@dataclass(frozen=True, slots=True)
class RunningGateway:
    """A gateway that serves at `url`."""

    url: str
    bank: Bank
    webhooks: Webhooks


@asynccontextmanager
async def running_gateway(
    *,
    webhook_url: str,
    webhook_secret: str,
    api_key: str,
    host: str = "127.0.0.1",
    port: int = 0,
    slow_seconds: float = 3.0,
) -> AsyncIterator[RunningGateway]:
    """Serves until left. Port 0 takes a free one."""
    webhooks = Webhooks(webhook_url, webhook_secret)
    bank = Bank(webhooks, url="", slow_seconds=slow_seconds)
    runner = web.AppRunner(gateway_app(bank, api_key=api_key), access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        bank.url = f"http://{host}:{runner.addresses[0][1]}"
        yield RunningGateway(bank.url, bank, webhooks)
    finally:
        await runner.cleanup()
        await webhooks.close()
