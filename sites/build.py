"""Writes the lot files of the example sites anew: `python -m sites.build`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from autospot.domain.lot import Lot
from autospot.domain.lot_files import lot_json
from sites.harbour import harbour
from sites.market_street import market_street

FOLDER = Path(__file__).parent

SITES: dict[str, Callable[[], Lot]] = {"harbour.json": harbour, "market-street.json": market_street}


def text_of(lot: Lot) -> str:
    """The lot file, laid out for people: one bay, one node, one aisle a line."""
    fields = json.loads(lot_json(lot))
    lines = [f"  {json.dumps(name)}: {_value(value)}" for name, value in fields.items()]
    return '{"lots": [{\n' + ",\n".join(lines) + "\n}]}\n"


def _value(value: Any) -> str:
    if not isinstance(value, list):
        return json.dumps(value, ensure_ascii=False)
    entries = ",\n".join(f"    {json.dumps(entry, ensure_ascii=False)}" for entry in value)
    return f"[\n{entries}\n  ]"


def main() -> None:
    for name, site in SITES.items():
        (FOLDER / name).write_text(text_of(site()), encoding="utf-8")


if __name__ == "__main__":
    main()
