"""What several ask of the database at one moment, made few calls, and all of them in one visit of one thread.

What cannot be told apart afterwards, or does not go as every single caller was promised, is `Divided`: then nothing is
guessed, and everybody goes alone.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final

from pymongo.client_session import ClientSession
from pymongo.database import Database as DriverDatabase

from autospot.storage.commits import TRANSACTION_SECONDS, commit
from autospot.storage.seat import Document, Find, Write

if TYPE_CHECKING:
    from autospot.storage.collection import Collection


ROWS_LIMIT: Final = 1_000
"""Most rows of one question to the server. A use case that wants more goes alone."""


class Divided(Exception):
    """These use cases cannot share a transaction."""


def perform(session: ClientSession, writes: Sequence[Write], finds: Sequence[Find]) -> list[list[Document]]:
    """Makes the writes, then reads: the rows of each of `finds`. Where nothing is to be read this was the end, and it
    commits. Blocks until done.

    A write that does not find its document is `Divided`. The writes to one collection are made in their order.
    """
    by_collection: dict[str, list[Write]] = {}
    for write in writes:
        by_collection.setdefault(write.collection.name, []).append(write)
    for several in by_collection.values():
        for kind, alike in groupby(several, key=_KIND):
            _write(session, kind, list(alike))
    if not finds:
        commit(session, time.monotonic() + TRANSACTION_SECONDS)
    return _found(session, finds)


_KIND = attrgetter("kind")
_STATEMENTS = {"insert": "documents", "update": "updates", "delete": "deletes"}


def _write(session: ClientSession, kind: str, writes: Sequence[Write]) -> None:
    statements = [write.statement for write in writes]
    done = _told(session, writes[0].collection, kind, {_STATEMENTS[kind]: statements, "ordered": True})
    changed = done["n"] if kind != "update" else done["nModified"] + len(done.get("upserted", ()))
    if done.get("writeErrors") or not done["n"] == changed == len(writes):
        raise Divided


def _found(session: ClientSession, finds: Sequence[Find]) -> list[list[Document]]:
    alike: dict[Any, list[int]] = {}
    for number, find in enumerate(finds):
        shape = (find.collection.name, tuple(sorted(find.wanted)), repr(find.fields), find.sort, find.limit)
        alike.setdefault(shape, []).append(number)
    answers: list[list[Document]] = [[]] * len(finds)
    for numbers in alike.values():
        found = _found_alike(session, [finds[number] for number in numbers])
        for number, rows in zip(numbers, found, strict=True):
            answers[number] = rows
    return answers


def _found_alike(session: ClientSession, finds: Sequence[Find]) -> Sequence[list[Document]]:
    first = finds[0]
    differing = [name for name in first.wanted if any(each.wanted[name] != first.wanted[name] for each in finds)]
    if not differing:
        rows = _rows(session, first)
        return [[dict(row) for row in rows] for _ in finds]
    if not _can_be_joined(finds, differing):
        return [_rows(session, each) for each in finds]
    keys = [tuple(each.wanted[name] for name in differing) for each in finds]
    by_key: dict[Any, list[Document]] = {key: [] for key in keys}
    joined = _joined(finds, differing)
    rows = _rows(session, joined)
    if joined.limit and len(rows) == joined.limit:  # some of them may have been cut off
        raise Divided
    for row in rows:
        key = tuple(_at(row, name) for name in differing)
        if key not in by_key:  # such as a list that holds the value: whose it is cannot be told
            raise Divided
        by_key[key].append(row)
    most = first.limit or None
    return [[dict(row) for row in by_key[key][:most]] for key in keys]


def _can_be_joined(finds: Sequence[Find], differing: Sequence[str]) -> bool:
    """True if all rows can be read at once and told apart by plain values. The first of many must be read by itself."""
    first = finds[0]
    has_all_fields = first.fields is None or all(first.fields.values())
    reads_all = "_id" in differing or first.limit != 1
    return has_all_fields and reads_all and all(type(each.wanted[name]) is str for each in finds for name in differing)


def _joined(finds: Sequence[Find], differing: Sequence[str]) -> Find:
    first = finds[0]
    wanted = {name: value for name, value in first.wanted.items() if name not in differing}
    if len(differing) == 1:
        wanted[differing[0]] = {"$in": list({each.wanted[differing[0]]: None for each in finds})}
    else:
        wanted["$or"] = [{name: each.wanted[name] for name in differing} for each in finds]
    fields = None if first.fields is None else {**first.fields, **dict.fromkeys(differing, 1)}
    most = first.limit * len(finds) if first.limit > 1 else 0
    return Find(first.collection, wanted, fields, first.sort, most)


def _rows(session: ClientSession, find: Find) -> list[Document]:
    asked: Document = {"filter": find.wanted, "batchSize": ROWS_LIMIT, "limit": find.limit}
    if find.fields is not None:
        asked["projection"] = find.fields
    if find.sort:
        asked["sort"] = dict(find.sort)
    cursor = _told(session, find.collection, "find", asked)["cursor"]
    if cursor["id"]:
        raise Divided
    rows: list[Document] = cursor["firstBatch"]
    return rows


def _told(session: ClientSession, collection: Collection, command: str, asked: Document) -> Document:
    """What the server answers to a command. The driver's bulk builder takes 8 us more for each document, its cursors
    180 us more for each question."""
    database: DriverDatabase[Document] = collection.database.delegate
    return database.command(
        {command: collection.name, **asked}, session=session, codec_options=collection.codec_options
    )


def _at(row: Document, path: str) -> Any:
    value: Any = row
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return tuple(value) if isinstance(value, list) else value
