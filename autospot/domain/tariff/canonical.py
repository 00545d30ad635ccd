"""One value, one text: what fingerprints and hashes are taken over."""

from __future__ import annotations

import json


def canonical_json(value: object) -> bytes:
    """UTF-8 JSON with sorted keys and no spaces; equal values give equal bytes. Floats have no place in it."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()
