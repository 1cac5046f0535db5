"""What is said of an adherent: its sector, the agency that serves it, the zone it lives by."""

from __future__ import annotations

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


def check_stay(since: date, until: date | None) -> None:
    """Refuse a last day as an adherent that comes before the first."""
    if until is not None and until < since:
        raise Invalid("until", "Un adhérent part après être arrivé, le %(day)s.", day=f"{since:%Y-%m-%d}")


def has_left(until: date | None, today: date) -> bool:
    """Whether the last day as an adherent has passed."""
    return until is not None and until < today
