"""Every index of the collections about people, for `schema.py`."""

from __future__ import annotations

from autospot.storage import accounts, api_keys, attempts, audit, codes, due, tokens, vehicles
from autospot.storage.mongo import Capped, Index

DECLARED: tuple[Index | Capped, ...] = (
    *accounts.INDEXES,
    *api_keys.INDEXES,
    *attempts.INDEXES,
    *audit.INDEXES,
    *codes.INDEXES,
    *due.INDEXES,
    *tokens.INDEXES,
    *vehicles.INDEXES,
)
"""The demo adds `mails.INDEXES`."""
