"""What is served is what is documented, and the pages need nothing from elsewhere."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import AsyncIterator
from importlib.resources import files
from pathlib import Path
from typing import Any, cast

import pytest
import pytest_asyncio
from openapi_spec_validator import OpenAPIV31SpecValidator
from prometheus_client import CollectorRegistry

from api.documents import CONTENT_SECURITY_POLICY, DOCS
from api.health import Health
from api.lots import Lots
from tests.support.api import RunningApi, running_api

pytestmark = pytest.mark.asyncio(loop_scope="module")

VENDOR = Path(str(files("web"))) / "vendor"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def api() -> AsyncIterator[RunningApi]:
    nothing = cast(Any, None)
    async with running_api(Lots(nothing, nothing), Health({}, CollectorRegistry())) as running:
        yield running


async def test_every_route_is_in_the_document_and_the_reverse(api: RunningApi) -> None:
    document = (await api.call("GET", "/openapi.json")).json
    documented = {(method.upper(), path) for path, item in document["paths"].items() for method in item}
    routes = {
        (route.method, route.resource.canonical)
        for route in api.app.router.routes()
        if route.resource is not None and route.method != "HEAD" and not route.resource.canonical.startswith(DOCS)
    }

    assert documented == routes


async def test_the_documents_are_served_valid_and_can_be_kept(api: RunningApi) -> None:
    served, asyncapi = await api.call("GET", "/openapi.json"), await api.call("GET", "/asyncapi.json")
    again = await api.call("GET", "/openapi.json", headers={"If-None-Match": served.headers["ETag"]})

    assert list(OpenAPIV31SpecValidator(served.json).iter_errors()) == []
    assert asyncapi.json["asyncapi"] == "3.0.0"
    assert again.status == 304


@pytest.mark.parametrize("path", ["/docs", "/docs/errors"])
async def test_the_pages_load_from_here_alone(api: RunningApi, path: str) -> None:
    page = await api.call("GET", path)
    links = re.findall(rb'(?:src|href)="([^"#]+)"', page.body)

    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert page.headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY
    assert b"<style" not in page.body
    assert b"<script>" not in page.body
    assert links
    for link in links:
        assert link.startswith(b"/"), link
        assert (await api.call("GET", link.decode())).status == 200, link


async def test_the_policy_names_no_other_site_and_no_inline_code() -> None:
    assert "unsafe" not in CONTENT_SECURITY_POLICY
    assert "http" not in CONTENT_SECURITY_POLICY
    assert CONTENT_SECURITY_POLICY.startswith("default-src 'none'")


async def test_a_page_that_was_seen_is_not_sent_again(api: RunningApi) -> None:
    page = await api.call("GET", "/docs/swagger-ui-bundle.js")
    again = await api.call("GET", "/docs/swagger-ui-bundle.js", headers={"If-None-Match": page.headers["ETag"]})

    assert page.headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert (again.status, again.body) == (304, b"")


@pytest.mark.parametrize("path", ["/docs/", "/docs/../pyproject.toml", "/docs/index.html", "/docs/%2e%2e/__init__.py"])
async def test_nothing_else_is_served_from_the_folder(api: RunningApi, path: str) -> None:
    assert (await api.call("GET", path)).status == 404


async def test_vendored_files_are_unchanged_and_all_are_in_the_manifest() -> None:
    manifest = json.loads((VENDOR / "MANIFEST.json").read_text())
    listed = {entry["path"]: entry["sha256"] for entry in manifest}
    found = {
        str(path.relative_to(VENDOR)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in VENDOR.rglob("*")
        if path.is_file() and path.name != "MANIFEST.json"
    }

    assert found == listed
    assert all(entry["package"] and entry["version"] and entry["licence"] for entry in manifest)
