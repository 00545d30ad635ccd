"""Every index of the collections about money, for `schema.py`."""

from __future__ import annotations

from autospot.storage import gateway_inbox, idempotency, ledger, payments
from autospot.storage.mongo import Capped, Index

DECLARED: tuple[Index | Capped, ...] = (
    *gateway_inbox.INDEXES,
    *idempotency.INDEXES,
    *ledger.INDEXES,
    *payments.INDEXES,
)
