"""The languages that reports, mails and jobs write in: texts, numbers, dates and durations.

Messages are written in French with plain spaces; French typography (the no-break space before a colon, the
narrow one before a semicolon) is put in here. Other languages come from `translations/<code>/`, whose
catalogues are read as they are, without a compiled copy.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import cache
from pathlib import Path

from babel.dates import format_date, format_datetime
from babel.messages.pofile import read_po
from babel.numbers import format_decimal

TRANSLATIONS = Path(__file__).parent / "translations"
NO_BREAK = "\N{NO-BREAK SPACE}"
NARROW = "\N{NARROW NO-BREAK SPACE}"
_TYPOGRAPHY = (
    (re.compile(r" (?=[;!?])"), NARROW),
    (re.compile(r" (?=[:»])| (?=%(?!\())|(?<=«) "), NO_BREAK),
)


@dataclass(frozen=True, slots=True)
class Language:
    """One language: `code` names it in addresses and catalogues, `locale` in the Unicode data."""

    code: str
    locale: str

    def gettext(self, message: str, **values: object) -> str:
        """The text of a French message, its `%(name)s` replaced; a missing translation stays French."""
        text = _messages(self.code).get(message, message)
        return _typeset(text, self.code) % values if values else _typeset(text, self.code)

    def ngettext(self, one: str, many: str, count: int, **values: object) -> str:
        """The text for one or for many, where French says one for zero too; `%(count)s` is the number."""
        single = count < 2 if self.code == "fr" else count == 1
        return self.gettext(one if single else many, count=self.number(count), **values)

    def number(self, value: int | Fraction | Decimal, decimals: int = 0) -> str:
        """A number with exactly this many decimals, rounded half to even."""
        exact = value if isinstance(value, Decimal) else Fraction(value)
        quantum = Decimal(1).scaleb(-decimals)
        rounded = Decimal(round(Fraction(exact) * 10**decimals)) * quantum
        pattern = "#,##0" + ("." + "0" * decimals if decimals else "")
        return format_decimal(rounded, format=pattern, locale=self.locale)

    def percent(self, share: Fraction, decimals: int = 1) -> str:
        """A share in percent; part of a whole never reads 100 % and some of it never reads 0 %."""
        space = NARROW if self.code == "fr" else ""
        step = Fraction(1, 10**decimals)
        if 0 < share * 100 < step:
            return f"<{NO_BREAK}{self.number(step, decimals)}{space}%"
        percent = round(share * 100 / step) * step
        if share < 1 <= percent / 100:
            percent = 100 - step
        return f"{self.number(percent, 0 if percent in (0, 100) else decimals)}{space}%"

    def day(self, day: date) -> str:
        """A day, the month in letters."""
        if self.code == "fr" and day.day == 1:
            return "1er " + format_date(day, "MMMM y", locale=self.locale)
        return format_date(day, "d MMMM y", locale=self.locale)

    def short_day(self, day: date, *, year: bool = False) -> str:
        """A day for an axis or a list, with its year or without."""
        return format_date(day, "d MMM y" if year else "d MMM", locale=self.locale)

    def month(self, day: date) -> str:
        """The month that holds the day."""
        return format_date(day, "MMMM y", locale=self.locale)

    def instant(self, instant: datetime) -> str:
        """An aware instant on the wall clock of its own zone, with the offset that makes it unambiguous."""
        return f"{self.day(instant.date())}, {self.hour(instant)} ({_offset(instant)})"

    def short_instant(self, instant: datetime) -> str:
        """An aware instant on the wall clock of its own zone, for a table or an axis."""
        return f"{self.short_day(instant.date())} {self.hour(instant)}"

    def hour(self, instant: datetime) -> str:
        """Hour and minute on the wall clock of the instant's own zone."""
        return format_datetime(instant.replace(tzinfo=None), "HH:mm", locale=self.locale)

    def duration(self, duration: timedelta) -> str:
        """A duration to the minute, in its two largest units."""
        minutes = int(duration.total_seconds()) // 60
        days, hours, minutes = minutes // 1440, minutes // 60 % 24, minutes % 60
        day = "j" if self.code == "fr" else "d"
        if days:
            return f"{self.number(days)}{NO_BREAK}{day} {hours}{NO_BREAK}h"
        if hours:
            return f"{hours}{NO_BREAK}h {minutes:02}{NO_BREAK}min"
        return f"{minutes}{NO_BREAK}min"


FRENCH = Language("fr", "fr_FR")
ENGLISH = Language("en", "en_GB")
LANGUAGES: Mapping[str, Language] = {language.code: language for language in (FRENCH, ENGLISH)}


def language(code: str) -> Language:
    """The language of a code; raises `ValueError` naming those that exist."""
    try:
        return LANGUAGES[code]
    except KeyError:
        raise ValueError(f"language: {code!r} is not one of {', '.join(LANGUAGES)}") from None


@cache
def _messages(code: str) -> Mapping[str, str]:
    path = TRANSLATIONS / code / "LC_MESSAGES" / "messages.po"
    if not path.exists():
        return {}
    with path.open("rb") as file:
        catalogue = read_po(file, locale=code)
    return {str(message.id): str(message.string) for message in catalogue if message.id and message.string}


@cache
def _typeset(text: str, code: str) -> str:
    if code == "fr":
        for plain, space in _TYPOGRAPHY:
            text = plain.sub(space, text)
    return text


def _offset(instant: datetime) -> str:
    minutes = int((instant.utcoffset() or timedelta()).total_seconds()) // 60
    if not minutes:
        return "UTC"
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{'+' if minutes > 0 else '−'}{hours}" + (f":{rest:02}" if rest else "")
