"""What is said of an adherent: its sector, the agency that serves it, the zone it lives by."""

from __future__ import annotations

import re
from datetime import date
from enum import StrEnum

from console.domain.errors import Invalid

AGENCIES = ("Toulouse", "Amiens", "Bordeaux", "Reims", "Paris")
# Every zone in which French law is the local one, by its name in the IANA database.
ZONES = (
    "Europe/Paris",
    "America/Guadeloupe",
    "America/Martinique",
    "America/Cayenne",
    "Indian/Reunion",
    "Indian/Mayotte",
    "America/Miquelon",
    "America/St_Barthelemy",
    "America/Marigot",
    "Pacific/Noumea",
    "Pacific/Tahiti",
    "Pacific/Marquesas",
    "Pacific/Gambier",
    "Pacific/Wallis",
    "Indian/Kerguelen",
)

# As the directory writes them (9A to 9J overseas), and as the post does (971 to 988).
DEPARTMENT = re.compile(r"0[1-9]|1\d|2[1-9AB]|[3-8]\d|9[0-5A-J]|97[1-8]|98[4-8]")


class Sector(StrEnum):
    """Who a body belongs to; where nobody knows, there is none."""

    PUBLIC = "public"
    PRIVATE = "private"
    NON_PROFIT = "non_profit"


def agency(text: str) -> str | None:
    """One of the operator's agencies, None for an empty text."""
    if text and text not in AGENCIES:
        raise Invalid("agency", "Une agence de la liste est attendue : %(known)s.", known=", ".join(AGENCIES))
    return text or None


def zone(text: str) -> str:
    """One of the French zones."""
    if text not in ZONES:
        raise Invalid("zone", "Un fuseau horaire de la liste est attendu.")
    return text


def department(text: str) -> str | None:
    """The code of a French department, None for an empty text."""
    code = text.strip().upper()
    if code and not DEPARTMENT.fullmatch(code):
        raise Invalid(
            "department",
            "« %(value)s » n'a pas la forme attendue (exemple : %(example)s).",
            value=code,
            example="31, 2A, 974",
        )
    return code or None


def check_stay(since: date, until: date | None) -> None:
    """Refuse a last day as an adherent that comes before the first."""
    if until is not None and until < since:
        raise Invalid("until", "Un adhérent part après être arrivé, le %(day)s.", day=f"{since:%Y-%m-%d}")


def check_still_there(day: date, until: date | None, field: str) -> None:
    """Refuse what is agreed for a day after the last one of an adherent that leaves."""
    if until is not None and day > until:
        raise Invalid(field, "L'adhérent part : son dernier jour est le %(day)s.", day=f"{until:%Y-%m-%d}")


def has_left(until: date | None, today: date) -> bool:
    """Whether the last day as an adherent has passed."""
    return until is not None and until < today
