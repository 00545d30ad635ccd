"""For those who watch over AutoSpot: is it alive, is it ready, how is it doing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from time import monotonic
from typing import Final, Literal

import structlog
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from pydantic import Field

from api.contract import PUBLIC, Encoded, File, Output, Reply, operation
from api.limits import LimitClass
from autospot.domain.errors import AutoSpotError

CHECK_SECONDS: Final = 2.0
FRESH_SECONDS: Final = 1.0
"""An answer is given again for this long: whoever asks more often costs the database nothing."""

METRICS_MEDIA: Final = "text/plain"

Check = Callable[[], Awaitable[None]]
"""Returns if the part is well; raises an `AutoSpotError` whose message says what is wrong."""

log = structlog.get_logger("api")


class CheckView(Output):
    """One part that AutoSpot stands on."""

    ok: bool
    detail: str = Field("", description="what is wrong, in words for an operator")


class ReadinessView(Output):
    """Ready only if every part is."""

    ready: bool
    checks: dict[str, CheckView]


class AliveView(Output):
    """The process answers."""

    status: Literal["alive"] = "alive"


class Health:
    """Probes and metrics. `checks` by name: `database`, `broker`, `feed`."""

    def __init__(self, checks: Mapping[str, Check], registry: CollectorRegistry) -> None:
        self._checks = checks
        self._registry = registry
        self._readiness: tuple[float, ReadinessView] | None = None
        self._metrics: tuple[float, bytes] | None = None
        self._looking = asyncio.Lock()

    @operation("GET /livez", summary="Is the process alive", tag="service", access=PUBLIC, limit=LimitClass.LIVE)
    async def livez(self) -> Encoded[AliveView]:
        """Answers as long as the event loop turns, whatever else is down: restart the process if it does not."""
        return Encoded(b'{"status":"alive"}')

    @operation(
        "GET /readyz",
        summary="Can it serve",
        tag="service",
        access=PUBLIC,
        limit=LimitClass.LIVE,
        also=(503,),
    )
    async def readyz(self) -> Reply[ReadinessView]:
        """200 if the database and the broker answer and live state is live, else 503 with what is wrong. Send no new
        users here while it is not; do not restart for it."""
        async with self._looking:
            if self._readiness is None or monotonic() - self._readiness[0] > FRESH_SECONDS:
                self._readiness = (monotonic(), await self._look())
            readiness = self._readiness[1]
        return Reply(readiness, status=200 if readiness.ready else 503)

    async def _look(self) -> ReadinessView:
        views = await asyncio.gather(*(_checked(name, check) for name, check in self._checks.items()))
        checks = dict(zip(self._checks, views, strict=True))
        return ReadinessView(ready=all(view.ok for view in views), checks=checks)

    @operation(
        "GET /metrics",
        summary="Counters for Prometheus",
        tag="service",
        access=PUBLIC,
        limit=LimitClass.LIVE,
        media=(METRICS_MEDIA,),
    )
    async def metrics(self) -> File:
        """Made at most once a second. Meant for the inside: let the proxy keep it from the outside."""
        if self._metrics is None or monotonic() - self._metrics[0] > FRESH_SECONDS:
            self._metrics = (monotonic(), generate_latest(self._registry))
        return File(self._metrics[1], CONTENT_TYPE_LATEST)


async def _checked(name: str, check: Check) -> CheckView:
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            await check()
    except TimeoutError:
        return CheckView(ok=False, detail=f"no answer within {CHECK_SECONDS:.0f} s")
    except AutoSpotError as error:
        return CheckView(ok=False, detail=error.message)
    except Exception:
        log.exception("readiness_check_failed", check=name)
        return CheckView(ok=False, detail="the check itself failed")
    return CheckView(ok=True)
