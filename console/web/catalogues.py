"""The texts of the console in each language, read from the source, without a compiled copy."""

from __future__ import annotations

import io
from functools import cache
from gettext import NullTranslations
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import Translations

from console.domain.errors import DomainError
from reports.language import ENGLISH, FRENCH

CATALOGUES = Path(__file__).with_name("translations")


class French(Translations):
    """Messages are written in French: they only get its typography."""

    def gettext(self, message: str) -> str:
        return FRENCH.gettext(message)

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return FRENCH.gettext(msgid1 if n < 2 else msgid2)

    ugettext, ungettext = gettext, ngettext


@cache
def catalogue(code: str) -> NullTranslations:
    """The texts of a language, read once."""
    path = CATALOGUES / code / "LC_MESSAGES" / "messages.po"
    if not path.exists():
        return French()
    compiled = io.BytesIO()
    with path.open("rb") as file:
        write_mo(compiled, read_po(file, locale=code))
    compiled.seek(0)
    return Translations(compiled)


def english(error: DomainError) -> str:
    """The message of a domain error for those who read no page: commands answer in English."""
    text = catalogue(ENGLISH.code).gettext(error.message)
    return text % error.values if error.values else text
