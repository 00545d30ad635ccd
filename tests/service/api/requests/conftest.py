"""The boxes, served to all tests of a module."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.support.api import RunningApi, running_api
from tests.support.boxes import Boxes


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def api() -> AsyncIterator[RunningApi]:
    async with running_api(Boxes()) as running:
        yield running
