"""A hub's surroundings for each test: the shared servers, and a database of its own."""

from __future__ import annotations

import pytest

from tests.support.hub import Servers


@pytest.fixture
def servers(mongo_url: str, mongo_db_name: str, broker_url: str) -> Servers:
    return Servers(mongo_url, mongo_db_name, broker_url)
