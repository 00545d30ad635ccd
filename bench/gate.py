"""The correctness gate: what screens and stores show must be what the sensors said last, bay by bay."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from bench.schedule import SILENT, Said

Lots = Mapping[str, Mapping[str, Said]]
"""Lot code -> bay code -> its newest word."""

EXAMPLES_MAX: Final = 10
"""Differences that a verdict names one by one; the others are counted."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A bay that is shown or stored otherwise than its sensor said last."""

    where: str
    lot: str
    bay: str
    said: Said
    seen: Said

    def __str__(self) -> str:
        """One line for the report."""
        return f"{self.where}: {self.lot}/{self.bay} said {_words(self.said)}, seen {_words(self.seen)}"


def _words(word: Said) -> str:
    return "nothing" if word.occupied is None else f"{'occupied' if word.occupied else 'free'} at {word.at_ms}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the gate found in one place. `passed` only when every bay was compared and none differed."""

    where: str
    compared: int
    wrong: int
    examples: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Nothing compared is no proof of anything."""
        return self.wrong == 0 and self.compared > 0

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {**asdict(self), "examples": list(self.examples), "passed": self.passed}

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Verdict:
        """The inverse of `as_json`."""
        return cls(fields["where"], fields["compared"], fields["wrong"], tuple(fields["examples"]))


def differences(where: str, lot: str, said: Mapping[str, Said], seen: Mapping[str, Said]) -> Iterable[Difference]:
    """Every bay of `lot`, by code, whose newest word is not what is seen. A bay that never spoke must show nothing."""
    for bay in sorted(said.keys() | seen.keys()):
        word, shown = said.get(bay, SILENT), seen.get(bay, SILENT)
        same = shown.occupied is None if word.occupied is None else word == shown
        if not same:
            yield Difference(where, lot, bay, word, shown)


def judge(where: str, said: Lots, seen: Lots, *, partial: bool = False) -> Verdict:
    """Compare lot by lot. A lot that is missing from `seen` counts every bay of it that spoke as wrong.

    `partial`: bays may have spoken before `said` begins, so only those named in it are compared.
    """
    found: list[Difference] = []
    compared = 0
    for lot in sorted(said.keys() if partial else said.keys() | seen.keys()):
        words, shown = said.get(lot, {}), seen.get(lot, {})
        if partial:
            shown = {bay: shown[bay] for bay in words.keys() & shown.keys()}
        compared += len(words.keys() | shown.keys())
        found.extend(differences(where, lot, words, shown))
    return Verdict(where, compared, len(found), tuple(str(one) for one in found[:EXAMPLES_MAX]))
