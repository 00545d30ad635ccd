"""Driver errors as AutoSpot's own, for calls outside a transaction."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from pymongo.errors import BulkWriteError, PyMongoError

from autospot.storage.mongo import Session, translated

DUPLICATE_KEY: Final = 11000


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


def inserted(error: BulkWriteError, count: int) -> Sequence[bool]:
    """Which of `count` documents, written in one unordered call, are there although `error`: all but those whose key
    was taken. Raises `error` where anything else went wrong."""
    refused = (error.details or {}).get("writeErrors", [])
    if not refused or any(each["code"] != DUPLICATE_KEY for each in refused):
        raise error
    taken = {each["index"] for each in refused}
    return [number not in taken for number in range(count)]
