"""The guide names what there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from web.serve import PAGES

ROOT = Path(__file__).parents[3]
GUIDE = (ROOT / "docs/displays.md").read_text()


@pytest.mark.parametrize("route", PAGES)
def test_every_page_is_in_the_guide(route: str) -> None:
    assert f"`{re.sub(r':[^/]*}(?=/|$)', '}', route)}`" in GUIDE


@pytest.mark.parametrize("module", sorted(path.name for path in (ROOT / "web/shared").iterdir()))
def test_every_shared_module_is_in_the_guide(module: str) -> None:
    assert f"`web/shared/{module}`" in GUIDE or module.endswith(".svg")


def test_the_guide_leads_to_files_that_exist() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", GUIDE):
        assert (ROOT / "docs" / target).exists(), target
