"""Number plates: one plate written in many ways is one plate.

Normalising drops what people and cameras add or leave out (case, spaces, dots, hyphens) and turns Greek and Cyrillic
letters into the Latin ones they are printed as, the way the Vienna Convention on Road Traffic (annex 2) has them read
abroad. In Germany that makes `B-AB 123` and `BA-B 123` one text: cameras cannot tell them apart either.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from autospot.domain.errors import InvalidInput

COUNTRY_PATTERN = r"^[A-Z]{2}$"
"""ISO 3166-1 alpha-2."""
PLATE_LENGTH = 16
"""As typed, separators included."""

_SEPARATORS = re.compile(r"[\s.\-_·•/]+")
_LOOKALIKES = str.maketrans("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧАВЕІКМНОРСТУХ", "ABEZHIKMNOPTYXABEIKMHOPCTYX")

_ANYWHERE = r"[A-Z0-9]{2,9}"
_FORMS = {
    "AT": r"[A-Z]{1,2}[A-Z0-9]{3,6}",
    "BE": r"[A-Z0-9]{1,8}",
    "CH": r"[A-Z]{2}[0-9]{1,6}",
    "CZ": r"[A-Z0-9]{5,8}",
    "DE": r"[A-ZÄÖÜ]{1,5}[0-9]{1,6}[EH]?",
    "DK": r"[A-ZÆØÅ0-9]{2,7}",
    "ES": r"[0-9]{4}[B-DF-HJ-NPR-TV-Z]{3}|[A-Z]{1,3}[0-9]{4}[A-Z]{0,2}",
    "FI": r"[A-ZÅÄÖ]{1,3}[0-9]{1,4}",
    "FR": r"[A-HJ-NP-TV-Z]{2}[0-9]{3}[A-HJ-NP-TV-Z]{2}|[0-9]{1,4}[A-Z]{1,3}(?:[0-9]{2,3}|2[AB])",
    "GB": r"[A-Z0-9]{2,7}",
    "GR": r"[ABEZHIKMNOPTYX]{2,3}[0-9]{1,4}",
    "IE": r"[0-9]{2,3}[A-Z]{1,2}[0-9]{1,6}|[A-Z]{2,3}[0-9]{1,4}",
    "IT": r"[A-Z]{2}[0-9]{3}[A-Z]{2}|[A-Z0-9]{6,8}",
    "LU": r"[A-Z]{2}[0-9]{4}|[0-9]{4,6}",
    "NL": r"(?=.*[A-Z])(?=.*[0-9])[A-Z0-9]{6}",
    "NO": r"[A-ZÆØÅ]{2}[0-9]{4,5}|[A-ZÆØÅ0-9]{2,7}",
    "PL": r"[A-Z]{1,3}[A-Z0-9]{3,5}",
    "PT": r"(?=.*[A-Z])(?=.*[0-9])[A-Z0-9]{6}",
    "SE": r"[A-Z]{3}[0-9]{2}[A-Z0-9]|[A-ZÅÄÖ0-9]{2,7}",
    "UA": r"[ABCEHIKMOPTX]{2}[0-9]{4}[ABCEHIKMOPTX]{2}|[A-Z0-9]{3,8}",
    "US": r"[A-Z0-9]{1,8}",
}
"""What a country issues, loosely: old series, diplomats and wishes included. Meant to catch slips, not forgers."""


@dataclass(frozen=True, slots=True, repr=False)
class Plate:
    """A plate. `text` is its normalised form, `shown` as its owner writes it. Its repr does not show it: reprs end up
    in logs."""

    country: str
    text: str
    shown: str

    @property
    def matched_as(self) -> str:
        """What two equal plates have in common, whoever typed them."""
        return f"{self.country}:{self.text}"

    def __repr__(self) -> str:
        return "Plate(…)"


def normalised_plate(country: str, typed: str, *, at: str = "/plate") -> Plate:
    """The plate meant by `typed`; `InvalidInput` (code `bad_plate`) where the country has none of that form."""
    shown = " ".join(unicodedata.normalize("NFKC", typed).upper().split())
    text = _SEPARATORS.sub("", shown).translate(_LOOKALIKES)
    if len(shown) > PLATE_LENGTH or not re.fullmatch(_FORMS.get(country, _ANYWHERE), text):
        raise InvalidInput(f"this is no plate of {country}", at=at, code="bad_plate")
    return Plate(country, text, shown)
