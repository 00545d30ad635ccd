"""What comes from others is what they released, is listed, and carries its licence; the rest of the web is left out."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
FOLDERS = (ROOT / "web/vendor", ROOT / "tests/e2e/pages/vendor")
LICENCES = {"Apache-2.0", "MIT", "MPL-2.0", "OFL-1.1"}
PAGES = sorted(
    path
    for path in (ROOT / "web").rglob("*")
    if path.suffix in {".html", ".css", ".js", ".json", ".svg"} and "vendor" not in path.parts
)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: str(folder.relative_to(ROOT)))
def test_every_file_is_listed_and_unchanged(folder: Path) -> None:
    listed = {entry["path"]: entry for entry in json.loads((folder / "MANIFEST.json").read_text())}
    present = {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and path.name != "MANIFEST.json"
    }
    assert {name: entry["sha256"] for name, entry in listed.items()} == present
    assert {entry["licence"] for entry in listed.values()} <= LICENCES
    packages = {entry["package"] for entry in listed.values()}
    with_licence = {entry["package"] for name, entry in listed.items() if Path(name).name.startswith("LICENSE")}
    assert packages == with_licence


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_page_names_no_other_server(path: Path) -> None:
    addresses = re.findall(r"""(?:https?|wss?):?//[\w.-]+""", path.read_text())
    assert [address for address in addresses if address != "http://www.w3.org"] == []
