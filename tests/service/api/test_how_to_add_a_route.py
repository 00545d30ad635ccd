"""The page that says how to add a route says it right: its code is served and asked."""

from __future__ import annotations

import asyncio
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from api.contract import contract_of
from api.openapi import openapi
from autospot.storage.idempotency import IdempotencyKeys
from autospot.storage.mongo import Database
from tests.support.api import bearer, running_api

PAGE = Path(__file__).parents[3] / "docs" / "how-to-add-a-route.md"


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Any:
    """What the page's Python defines, as a module."""
    module = ModuleType("code_of_the_page")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    blocks = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    exec(compile("\n".join(blocks), str(PAGE), "exec", dont_inherit=True), vars(module))  # noqa: S102 - our own page
    return module


async def test_the_route_of_the_page_works(page: Any, mongo_url: str, mongo_db_name: str) -> None:
    database = Database(mongo_url, mongo_db_name)
    notes = page.Notes(page.NoteKeeper(database))
    note = {"text": "mind the pillar", "until": "2026-12-24T00:00:00+01:00"}
    async with running_api(notes, keys=IdempotencyKeys(database)) as api:

        async def add(key: str) -> Any:
            headers = {**bearer(), "Idempotency-Key": key}
            return await api.call("POST", "/v1/lots/harbour/notes", json=note, headers=headers)

        first, again = await add("k" * 16), await add("k" * 16)
        await asyncio.gather(add("l" * 16), add("m" * 16))
        page_one = (await api.call("GET", "/v1/lots/harbour/notes?limit=2")).json
        page_two = (await api.call("GET", f"/v1/lots/harbour/notes?limit=2&cursor={page_one['next_cursor']}")).json
        elsewhere = (await api.call("GET", "/v1/lots/station/notes")).json
        refused = await api.call("POST", "/v1/lots/harbour/notes", json={**note, "owner": "me"}, headers=bearer())
    database.close()

    assert (first.status, first.body) == (201, again.body)
    assert first.json["until"] == "2026-12-23T23:00:00.000Z"
    assert len({each["id"] for each in page_one["data"] + page_two["data"]}) == 3
    assert page_two["next_cursor"] is None
    assert elsewhere["data"] == []
    assert refused.status == 422


def test_the_route_of_the_page_is_in_the_document(page: Any) -> None:
    document = openapi(contract_of([page.Notes(None)]))

    assert set(document["paths"]["/v1/lots/{lot}/notes"]) == {"get", "post"}
    assert "too_many_notes" in str(document)
