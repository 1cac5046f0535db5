"""The French texts of the code and their English catalogues; `python -m tests.messages` updates these.

Texts that are new get an empty translation to fill in, those that are gone are dropped, and nothing is
guessed.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from console.domain.clock import REFUSALS

ROOT = Path(__file__).parent.parent
METHODS = [
    ("**.py", "python"),
    ("**.html", "jinja2.ext:babel_extract"),
    ("**.jinja", "jinja2.ext:babel_extract"),
]
KEYWORDS: dict[str, tuple[int, ...] | None] = {
    "_": None,
    "gettext": None,
    "lazy_gettext": None,
    "ngettext": (1, 2),
    "Invalid": (2,),
    "Conflict": (1,),
    "Stale": (1,),
    "NotFound": (1,),
    "Forbidden": (1,),
    "NotProven": (1,),
    "Unauthenticated": (1,),
    "Unreachable": (1,),
}


@dataclass(frozen=True)
class House:
    """Code whose texts share a catalogue."""

    code: Path
    catalogue: Path
    tabled: Mapping[str, Iterable[str]] = field(default_factory=dict)  # by file: texts that no call holds
    plurals: bool = True  # False: the two forms are two texts, and the code chooses

    def texts(self) -> Catalog:
        """What the code says, with the files that say it."""
        found = Catalog()
        options = {pattern: {"silent": "false"} for pattern, _method in METHODS[1:]}
        for file, _line, message, comments, context in extract_from_dir(
            self.code, METHODS, options, KEYWORDS
        ):
            for text in [message] if self.plurals or isinstance(message, str) else message:
                found.add(
                    text, locations=[(Path(file).as_posix(), 1)], auto_comments=comments, context=context
                )
        for file, tabled in self.tabled.items():
            for message in tabled:
                found.add(message, locations=[(file, 1)])
        return found

    def translations(self) -> Catalog:
        """The English catalogue as it stands."""
        with self.catalogue.open("rb") as file:
            return read_po(file, locale="en")

    def update(self) -> int:
        """Bring the catalogue up to date below its header; how many texts wait for their translation."""
        header, _entries = self.catalogue.read_text(encoding="utf-8").split("\n\n", 1)
        catalogue = self.translations()
        catalogue.update(self.texts(), no_fuzzy_matching=True)
        body = io.BytesIO()
        write_po(
            body,
            catalogue,
            width=100,
            omit_header=True,
            sort_by_file=True,
            ignore_obsolete=True,
            include_lineno=False,
        )
        self.catalogue.write_text(f"{header}\n\n{body.getvalue().decode().strip()}\n", encoding="utf-8")
        return len(untranslated(catalogue))


CONSOLE = House(
    ROOT / "console",
    ROOT / "console/web/translations/en/LC_MESSAGES/messages.po",
    {"domain/clock.py": REFUSALS.values()},
)
REPORTS = House(ROOT / "reports", ROOT / "reports/translations/en/LC_MESSAGES/messages.po", plurals=False)


def untranslated(catalogue: Catalog) -> list[str]:
    """The texts without a sure translation of each of their forms."""
    return [
        str(message.id)
        for message in catalogue
        if message.id and (message.fuzzy or not all(_forms(message.string)))
    ]


def _forms(text: str | tuple[str, ...] | list[str] | None) -> tuple[str, ...]:
    return tuple(text) if isinstance(text, tuple | list) else (text or "",)


if __name__ == "__main__":
    for house in (CONSOLE, REPORTS):
        print(f"{house.catalogue.relative_to(ROOT)}: {house.update()} to translate")
