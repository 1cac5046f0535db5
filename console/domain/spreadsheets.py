"""What a spreadsheet does to a table: each damage told by its name, and undone only where a key proves it."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date

from console.domain.errors import Invalid

FLOATING = re.compile(r"\d(?:[.,]\d+)?E\+?\d+", re.IGNORECASE)  # 2,601E+13
DECIMAL = re.compile(r"(\d+)[.,]0+")  # 355,0
FRENCH_DAY = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})(?: 00:00(?::00)?)?")
MIDNIGHT = re.compile(r"[T ]00:00(?::00(?:\.0+)?)?$")
MOST_LOST_ZEROS = 3  # no known identifier begins with more


def is_floating(text: str) -> bool:
    """Whether a number was rounded to a power of ten: its last digits are lost for good."""
    return FLOATING.fullmatch(text.strip()) is not None


def whole_identifier(text: str, lengths: tuple[int, ...], reads: Callable[[str], bool]) -> str | None:
    """The identifier that a spreadsheet took for a number, where there is one and only one.

    `reads` says whether a text of one of the `lengths` is an identifier whose key holds. None where the text
    is not damaged, or nothing proves what it was.
    """
    text = text.strip()
    match = DECIMAL.fullmatch(text)
    digits = match.group(1) if match else text
    if not (digits.isascii() and digits.isdigit()) or (digits == text and reads(text)):
        return None
    candidates = {digits.zfill(length) for length in lengths if 0 <= length - len(digits) <= MOST_LOST_ZEROS}
    proven = [candidate for candidate in candidates if reads(candidate)]
    return proven[0] if len(proven) == 1 else None


def day_of(text: str, field: str) -> date | None:
    """A date, also as a French spreadsheet writes it; None where there is none."""
    text = text.strip()
    if not text:
        return None
    try:
        if match := FRENCH_DAY.fullmatch(text):
            day, month, year = map(int, match.groups())
            return date(year, month, day)
        return date.fromisoformat(MIDNIGHT.sub("", text))
    except ValueError:
        raise Invalid(
            field, "« %(value)s » n'est pas une date ; par exemple 2026-11-25 ou 25/11/2026.", value=text
        ) from None


def refuse_decimal(text: str, field: str) -> None:
    """Raise `Invalid` for a code that a spreadsheet wrote as a number with decimals."""
    if match := DECIMAL.fullmatch(text):
        raise Invalid(
            field,
            "%(value)s est un code écrit comme un nombre à virgule par un tableur : %(whole)s attendu.",
            value=text,
            whole=match.group(1),
        )
