"""Runs the tests of the pages' own modules (`*.test.mjs`, beside this file) in Node."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
NODE = shutil.which("node")


@pytest.mark.skipif(NODE is None and "AUTOSPOT_TESTS_SKIP_NOTHING" not in os.environ, reason="needs Node")
@pytest.mark.parametrize("module", sorted(HERE.glob("*.test.mjs")), ids=lambda module: module.name)
def test_the_module_keeps_its_promises(module: Path) -> None:
    assert NODE is not None, "Node is needed to run these tests"
    run = subprocess.run([NODE, "--test", str(module)], capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode == 0, run.stdout
