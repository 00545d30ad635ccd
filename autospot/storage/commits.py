"""The end of a transaction, asked for until its outcome is known or time is over."""

from __future__ import annotations

import time
from typing import Final

from pymongo.client_session import ClientSession
from pymongo.errors import PyMongoError

from autospot.domain.errors import Unavailable

TRANSACTION_SECONDS: Final = 2.5
"""A transaction is tried again on transient conflicts for this long, then refused (the driver's own limit is 120 s)."""


class OutcomeUnknown(Unavailable):
    """The commit may or may not have happened: the answer was lost. Only an idempotent retry is safe."""

    code = "outcome_unknown"


def commit(session: ClientSession, until: float) -> None:
    """Commits; where the answer is lost it asks again, up to `until` (of `time.monotonic`), then `OutcomeUnknown`.

    Blocks: call it in a thread. Any other driver error leaves unchanged, and nothing was done.
    """
    while True:
        try:
            session.commit_transaction()
        except PyMongoError as error:
            if not error.has_error_label("UnknownTransactionCommitResult"):
                raise
            if time.monotonic() > until:
                raise OutcomeUnknown("the database did not confirm the commit in time") from error
        else:
            return
