"""The naive Python hub with one fault: it shows and stores bay L000/B00001 the other way round."""

from __future__ import annotations

import asyncio
import json

from bench.peers.naive_hub import NaiveHub, main

LIED_ABOUT = "autospot/v1/L000/B00001/reading"


class LyingHub(NaiveHub):
    """Turns one bay over before anything else happens to its readings."""

    async def take(self, topic: str, payload: bytes) -> None:
        """The same as for any hub, but for one bay."""
        if topic == LIED_ABOUT:
            reading = json.loads(payload)
            payload = json.dumps({**reading, "occupied": not reading["occupied"]}).encode()
        await super().take(topic, payload)


if __name__ == "__main__":
    asyncio.run(main(LyingHub))
