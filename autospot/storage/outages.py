"""Driver errors as AutoSpot's own, for calls outside a transaction."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pymongo.errors import PyMongoError

from autospot.storage.mongo import Session, translated


@contextmanager
def answering(session: Session | None = None) -> Iterator[None]:
    """Turns an outage inside into `Unavailable`. Within a transaction every driver error passes unchanged: the
    transaction must see it to decide whether to try again."""
    try:
        yield
    except PyMongoError as error:
        if session is not None:
            raise
        raise translated(error) from error
