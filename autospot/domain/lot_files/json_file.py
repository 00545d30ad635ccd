"""The lot file: `{"lots": [lot, …]}`, read and written one lot at a time so that a million bays need little memory."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, NoReturn

from pydantic import ValidationError

from autospot.domain.lot import Lot
from autospot.domain.lot_files.checks import SeenInFile, problems_of
from autospot.domain.lot_files.problems import InvalidLots, Problem, shape_problems

LOT_TEXT_LIMIT = 16 * 1024 * 1024
"""Longest text of one lot, in characters: what MongoDB takes as one document. Longer is refused, unread."""

_SPACE = " \t\r\n"


class _DuplicateField(ValueError):
    """A JSON object names a field twice: one of the two would be lost in silence."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise _DuplicateField(f"the field {twice!r} is there twice in one object")
    return fields


def _no_constant(name: str) -> NoReturn:
    raise _DuplicateField(f"{name} is no number")


class _Text:
    """A window on the text of a file: what has been read and not yet used, and the line it begins on."""

    _decoder = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_no_constant)

    def __init__(self, chunks: Iterable[str]) -> None:
        self._chunks = iter(chunks)
        self._text = ""
        self._at = 0
        self._window_at = (1, 1)

    def peek(self) -> str:
        """The next character that is no space; empty at the end of the file."""
        while True:
            while self._at < len(self._text):
                character = self._text[self._at]
                if character not in _SPACE:
                    return character
                self._at += 1
            if not self._more():
                return ""

    def expect(self, character: str) -> None:
        """Uses up `character`, or refuses the file."""
        found = self.peek()
        if found != character:
            self.refuse(f"{character!r} expected, {found!r} found" if found else "the file ends too early")
        self._at += 1

    def value(self) -> Any:
        """Uses up one JSON value that begins here and returns it."""
        if not self.peek():
            self.refuse("the file ends too early")
        while True:
            try:
                value, self._at = self._decoder.raw_decode(self._text, self._at)
            except json.JSONDecodeError as error:
                # Either the text is wrong or the window ends inside the value: more text tells.
                ahead = error.pos - self._at
                if len(self._text) - self._at < LOT_TEXT_LIMIT and self._double():
                    continue
                self._at += ahead
                self.refuse(error.msg[:1].lower() + error.msg[1:])
            except _DuplicateField as error:
                self.refuse(str(error))
            except RecursionError:
                self.refuse("nested too deeply")
            return value

    def _more(self) -> bool:
        chunk = next(self._chunks, "")
        self._window_at = self._place()
        self._text = self._text[self._at :] + chunk
        self._at = 0
        return bool(chunk)

    def _double(self) -> bool:
        """Makes the window twice as long, so that a long value is tried only a few times."""
        wanted = 2 * (len(self._text) - self._at)
        grew = False
        while len(self._text) - self._at < wanted and self._more():
            grew = True
        return grew

    def _place(self) -> tuple[int, int]:
        """Line and column of what stands here, both from 1."""
        line, column = self._window_at
        newlines = self._text.count("\n", 0, self._at)
        if not newlines:
            return line, column + self._at
        return line + newlines, self._at - self._text.rfind("\n", 0, self._at)

    def refuse(self, message: str) -> NoReturn:
        """Refuses the file because of what stands here."""
        line, column = self._place()
        raise InvalidLots([Problem("", f"line {line}, column {column}: {message}")])


def _raw_lots(chunks: Iterable[str]) -> Iterator[Any]:
    text = _Text(chunks)
    text.expect("{")
    name = text.value() if text.peek() == '"' else None
    if name != "lots":
        text.refuse('a lot file is {"lots": [lot, …]}')
    text.expect(":")
    text.expect("[")
    if text.peek() == "]":
        text.expect("]")
    else:
        yield text.value()
        while text.peek() == ",":
            text.expect(",")
            yield text.value()
        text.expect("]")
    text.expect("}")
    if text.peek():
        text.refuse("there is more after the end")


def parse_lot(raw: Any, at: str = "") -> Lot:
    """The lot that `raw`, decoded JSON, describes. `InvalidLots` names everything that is wrong with it."""
    try:
        lot = Lot.model_validate(raw)
    except ValidationError as error:
        raise InvalidLots(shape_problems(error, at)) from error
    problems = list(problems_of(lot, at))
    if problems:
        raise InvalidLots(problems)
    return lot


def read_lots(chunks: Iterable[str], *, checked_before: bool = False) -> Iterator[Lot]:
    """The lots of a lot file given as pieces of its text, one at a time, each checked when it comes up.

    Raises `InvalidLots` at the first lot that cannot be used: read to the end before storing anything. The second
    reading of the same file says `checked_before` and takes half the time: it looks at the shapes alone.
    """
    if checked_before:
        yield from (Lot.model_validate(raw) for raw in _raw_lots(chunks))
        return
    seen = SeenInFile()
    for index, raw in enumerate(_raw_lots(chunks)):
        at = f"/lots/{index}"
        lot = parse_lot(raw, at)
        clashes = list(seen.add(lot, at))
        if clashes:
            raise InvalidLots(clashes)
        yield lot


def lot_json(lot: Lot) -> str:
    """One lot as the lot file holds it: fields that have their default are left out, and so is the version."""
    return lot.model_dump_json(exclude={"version"}, exclude_defaults=True)


OPENING, BETWEEN, CLOSING = '{"lots": [\n', ",\n", "\n]}\n"
"""What stands around the lots of a file: each lot is one line."""


def write_lots(lots: Iterable[Lot]) -> Iterator[str]:
    """The text of the lot file with `lots`, in pieces. `read_lots` gives back equal lots."""
    yield OPENING
    for index, lot in enumerate(lots):
        yield (BETWEEN if index else "") + lot_json(lot)
    yield CLOSING
