"""What is checked into the repository about the Node.js peers."""

from __future__ import annotations

import json
import re

from bench.systems import NODE_FOLDER, node_versions


def test_versions_are_exact() -> None:
    wanted = json.loads((NODE_FOLDER / "package.json").read_text())["dependencies"]
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in wanted.values())
    assert node_versions() == wanted


def test_the_lock_file_names_hashes_and_no_download_address() -> None:
    packages = json.loads((NODE_FOLDER / "package-lock.json").read_text())["packages"]
    locked = [fields for name, fields in packages.items() if name]
    assert all(fields["integrity"].startswith("sha512-") for fields in locked)
    assert not [fields for fields in locked if "resolved" in fields]
