"""The documents say what the code says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.registry import Collector

from autospot.settings import Settings
from hub.metrics import HubMetrics
from hub.protocol import CLOSE_NAMES

ROOT = Path(__file__).parents[3]
PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md"), ROOT / "sites/README.md"])


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_every_setting_is_documented_with_its_default_and_no_other() -> None:
    rows = dict(re.findall(r"^\| `AUTOSPOT_(\w+)` \| (.*?) \|", text("docs/settings.md"), re.MULTILINE))
    assert rows.keys() == {name.upper() for name in Settings.model_fields}
    for name, field in Settings.model_fields.items():
        if isinstance(field.default, str | int) and not isinstance(field.default, bool):
            assert rows[name.upper()] == f"`{field.default}`"


def test_every_close_code_is_documented() -> None:
    rows = re.findall(r"^\| (4\d\d\d) \| (\w+) \|", text("docs/realtime.md"), re.MULTILINE)
    assert {int(code): name for code, name in rows} == CLOSE_NAMES


def test_every_metric_of_the_hub_is_documented() -> None:
    registry = CollectorRegistry()
    HubMetrics(registry)
    collectors: set[Collector] = set(registry._collector_to_names)
    names = {metric.name for collector in collectors for metric in collector.collect()}
    documented = text("docs/operations.md")
    assert not {name for name in names if name not in documented}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), target


def test_the_readmes_make_targets_and_commands_exist() -> None:
    makefile = text("Makefile")
    for target in re.findall(r"^make (\w+)$", text("README.md"), re.MULTILINE):
        assert re.search(rf"^{target}:.*##", makefile, re.MULTILINE), target
