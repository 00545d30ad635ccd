"""What is deployed is what is documented."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from autospot.settings import Settings

ROOT = Path(__file__).parents[3]


def test_the_compose_file_is_one() -> None:
    command = [
        sys.executable,
        "-m",
        "check_jsonschema",
        "--builtin-schema",
        "vendor.compose-spec",
        "docker-compose.yml",
    ]
    checked = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_the_compose_file_and_the_image_name_only_settings_that_exist() -> None:
    known = {f"AUTOSPOT_{name.upper()}" for name in Settings.model_fields}
    for name in ("docker-compose.yml", "Dockerfile", "deploy/env.example", "deploy/Caddyfile", "README.md"):
        used = set(re.findall(r"\bAUTOSPOT_[A-Z_]+\b", (ROOT / name).read_text(encoding="utf-8")))
        assert used <= known, name


def test_an_empty_setting_is_no_setting() -> None:
    assert Settings(_env_file=None, smtp_url=None).smtp_url is None


def test_requirements_are_locked_by_hash_and_name_no_place() -> None:
    for file in sorted((ROOT / "requirements").glob("*.txt")):
        text = file.read_text(encoding="utf-8")
        pins = re.findall(r"^[a-zA-Z0-9][^\s;]*==", text, re.MULTILINE)
        assert pins, file.name
        assert text.count("--hash=sha256:") >= len(pins), file.name
        assert "://" not in text, file.name
