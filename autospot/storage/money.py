"""Every index of the collections about money, for `schema.py`."""

from __future__ import annotations

from autospot.storage import idempotency, ledger
from autospot.storage.mongo import Capped, Index

DECLARED: tuple[Index | Capped, ...] = (
    *idempotency.INDEXES,
    *ledger.INDEXES,
)
