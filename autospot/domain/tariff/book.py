"""All versions of one lot's tariff, and which of them a stay is under."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from autospot.domain.errors import InvalidInput, NotFound
from autospot.domain.tariff.model import Tariff
from autospot.domain.tariff.pricelist import calendar_of
from autospot.domain.tariff.timeline import whole_second


class TariffBook:
    """The versions of one tariff, immutable.

    1. A stay is under the version that is valid at the moment of entry, from its first second to its last: keep that
       version's `version_id` with the session and settle with `version(number)`, whatever has become valid since.
    2. A version is valid from the midnight that begins its `valid_from`, in its own time zone, until the next one is.
    3. Of two versions valid from the same instant the higher number holds: a correction replaces what it corrects.
    4. Versions of another tariff, and two different versions with one number, are refused with `InvalidInput`.
    """

    def __init__(self, versions: Iterable[Tariff]) -> None:
        self._versions: dict[int, Tariff] = {}
        for tariff in versions:
            if any(tariff.id != other.id for other in self._versions.values()):
                raise InvalidInput(f"tariff {tariff.id} does not belong in this book", at="/id")
            if self._versions.setdefault(tariff.version, tariff) != tariff:
                raise InvalidInput(f"version {tariff.version} of tariff {tariff.id} is there already", at="/version")
        self._by_start = sorted((valid_from(tariff), tariff.version) for tariff in self._versions.values())

    def valid_at(self, instant: datetime) -> Tariff:
        """The version that a stay with entry at `instant` (aware) is under; `NotFound` before the first one."""
        second = whole_second(instant)
        begun = [version for start, version in self._by_start if start <= second]
        if not begun:
            raise NotFound("no tariff is valid at this time yet", code="no_tariff")
        return self._versions[begun[-1]]

    def version(self, number: int) -> Tariff:
        """The version with this number, valid or not; `NotFound` if there is none."""
        if number not in self._versions:
            raise NotFound(f"there is no version {number} of this tariff", code="no_tariff")
        return self._versions[number]

    def versions(self) -> list[Tariff]:
        """All versions by the instant from which they are valid."""
        return [self._versions[number] for _, number in self._by_start]


def valid_from(tariff: Tariff) -> int:
    """The second since 1970 (UTC) from which the version is valid."""
    return calendar_of(tariff).first_instant(tariff.valid_from)
