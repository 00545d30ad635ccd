"""`python -m gateway_sim --webhook-url URL [--port N]`; key and secret come from the environment.

`GATEWAY_SIM_API_KEY` is what merchants send, `GATEWAY_SIM_WEBHOOK_SECRET` (`whsec_…`) signs the webhooks.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys

from gateway_sim.run import running_gateway


async def serve(webhook_url: str, port: int, api_key: str, webhook_secret: str) -> None:
    """Serves until SIGINT or SIGTERM."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with running_gateway(
        webhook_url=webhook_url, webhook_secret=webhook_secret, api_key=api_key, port=port
    ) as gateway:
        print(f"the simulated gateway serves {gateway.url}", flush=True)
        await stop.wait()


def main() -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(prog="gateway_sim", description="A payment gateway that moves no money.")
    parser.add_argument("--webhook-url", required=True)
    parser.add_argument("--port", type=int, default=0)
    arguments = parser.parse_args()
    try:
        api_key, secret = os.environ["GATEWAY_SIM_API_KEY"], os.environ["GATEWAY_SIM_WEBHOOK_SECRET"]
    except KeyError as missing:
        print(f"gateway_sim: set {missing.args[0]}", file=sys.stderr)
        return 2
    asyncio.run(serve(arguments.webhook_url, arguments.port, api_key, secret))
    return 0


if __name__ == "__main__":
    sys.exit(main())
