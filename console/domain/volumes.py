"""Monthly volumes as files and programs tell them: what is read of a row, and what is refused of it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from console.domain.errors import Invalid
from console.domain.renewal import ONE_DAY, add_months
from console.domain.tables import normal, read_csv

LARGEST_VOLUME = 10**12
MOST_ROWS = 20_000  # of one file, and of one request
LARGEST_LIST = 256 * MOST_ROWS  # bytes of either: as JSON a volume takes about a hundred
HEADINGS: Mapping[str, Sequence[str]] = {
    "adherent": ("adhérent", "adherent", "finess ej", "finess", "finess_ej"),
    "subscription": ("service ou souscription", "souscription", "subscription", "service"),
    "month": ("mois", "month"),
    "volume": ("volume", "quantité"),
}
ISO_MONTH = re.compile(r"(?P<year>20\d\d|21\d\d)-(?P<month>0[1-9]|1[0-2])(?:-01)?")
FRENCH_MONTH = re.compile(r"(?:01/)?(?P<month>0?[1-9]|1[0-2])/(?P<year>20\d\d|21\d\d)")
BLANKS = re.compile("[ \N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}]")


@dataclass(frozen=True, slots=True)
class Told:
    """A volume as it was told, not judged yet; `line` is its place in the file or in the request."""

    line: int
    adherent: str  # its FINESS number, or its number here
    subscription: str  # its number, or the code of its service
    month: str
    volume: str


def read_volumes(content: bytes) -> list[Told]:
    """The rows of a CSV file; raises `Invalid` where it has not the four columns."""
    table = read_csv(content)
    places = _places([normal(heading) for heading in table.headings])
    told = [
        Told(line, **{name: cells[place] if place < len(cells) else "" for name, place in places.items()})
        for line, cells in table.rows
    ]
    if len(told) > MOST_ROWS:
        raise Invalid(
            "file", "Ce fichier a %(count)s lignes ; %(most)s au plus.", count=len(told), most=MOST_ROWS
        )
    return told


def read_month(text: str, field: str = "month") -> date:
    """The first day of a month written 2026-10, 10/2026 or as that day."""
    found = ISO_MONTH.fullmatch(text.strip()) or FRENCH_MONTH.fullmatch(text.strip())
    if not text.strip():
        raise Invalid(field, "Le mois manque ; par exemple 2026-10.")
    if found is None:
        raise Invalid(field, "%(value)s n'est pas un mois ; par exemple 2026-10.", value=text[:40])
    return date(int(found["year"]), int(found["month"]), 1)


def read_volume(text: str, field: str = "volume") -> int:
    """A whole number from 0; an unknown volume is no volume of zero, so an empty one is refused."""
    digits = BLANKS.sub("", text)
    if not digits:
        raise Invalid(field, "Le volume manque ; un mois inconnu se laisse de côté, il ne vaut pas zéro.")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 13) or int(digits) > LARGEST_VOLUME:
        raise Invalid(field, "%(value)s n'est pas un nombre entier positif.", value=text[:40])
    return int(digits)


def check_month(month: date, *, starts_on: date, ends_on: date | None, today: date) -> None:
    """Refuse a month that has not begun, or in which the subscription did not run."""
    if month > today:
        raise Invalid("month", "Ce mois n'a pas commencé.")
    if add_months(month, 1) - ONE_DAY < starts_on or (ends_on is not None and month > ends_on):
        raise Invalid("month", "La souscription ne courait pas ce mois-là.")


def _places(headings: Sequence[str]) -> dict[str, int]:
    places = {}
    for name, known in HEADINGS.items():
        place = next((headings.index(heading) for heading in known if heading in headings), None)
        if place is None:
            raise Invalid(
                "file",
                "Il manque la colonne « %(missing)s », parmi adhérent, souscription, mois et volume.",
                missing=known[0],
            )
        places[name] = place
    return places
