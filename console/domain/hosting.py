"""Where a service and its data are, who works on them, and under which activities of the HDS framework."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import IntEnum, StrEnum

from console.domain.errors import Invalid

COUNTRY = re.compile(r"[A-Z]{2}")
LONGEST_NAME = 200
LONGEST_REVERSIBILITY_DAYS = 3650
# The European Union, Iceland, Liechtenstein and Norway, by ISO 3166-1.
EEA = frozenset(
    COUNTRY.findall(
        "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK IS LI NO"
    )
)


class Activity(IntEnum):
    """What a certified host of health data does: article R. 1111-9 of the French public health code."""

    SITES = 1
    HARDWARE = 2
    VIRTUAL_INFRASTRUCTURE = 3
    APPLICATION_PLATFORM = 4
    ADMINISTRATION = 5
    BACKUP = 6


class DataCentre(StrEnum):
    """The data centres of the operator."""

    TOULOUSE = "toulouse"
    AMIENS = "amiens"


class Transfers(StrEnum):
    """Whether data leaves the European Economic Area."""

    NONE = "none"
    SOME = "some"


@dataclass(frozen=True, slots=True)
class Subcontractor:
    """Who works on a service for the operator; `country` is ISO 3166-1, of two letters."""

    name: str
    country: str
    role: str


@dataclass(frozen=True, slots=True)
class HostingFacts:
    """What is stated of a service from a day on; None: nobody has said, which an empty list has."""

    since: date
    data_centres: Sequence[DataCentre] | None = None
    country: str | None = None
    activities: Sequence[Activity] | None = None
    subcontractors: Sequence[Subcontractor] | None = None
    transfers: Transfers | None = None
    transfer_details: str | None = None
    legal_basis: str | None = None
    reversibility: str | None = None
    reversibility_days: int | None = None


def check_facts(facts: HostingFacts) -> None:
    """Refuse facts that say nothing or that contradict themselves."""
    if facts == HostingFacts(facts.since):
        raise Invalid("country", "Renseignez au moins un fait ; les autres restent non renseignés.")
    if facts.country is not None and not COUNTRY.fullmatch(facts.country):
        raise Invalid("country", "Un pays s'écrit en deux lettres ; par exemple FR.")
    if facts.transfers is Transfers.SOME and not (facts.transfer_details and facts.legal_basis):
        raise Invalid("transfer_details", "Un transfert hors EEE se décrit, avec sa base légale.")
    if facts.transfers is not Transfers.SOME and (facts.transfer_details or facts.legal_basis):
        raise Invalid("transfers", "Un transfert est décrit : dites qu'il y en a.")
    if facts.reversibility_days is not None and facts.reversibility_days > LONGEST_REVERSIBILITY_DAYS:
        raise Invalid("reversibility_days", "Un délai de réversibilité est d'au plus dix ans, en jours.")


def read_subcontractors(text: str) -> list[Subcontractor]:
    """Subcontractors written one a line: name; country; role."""
    lines = enumerate(text.splitlines(), start=1)
    return [_subcontractor(number, line) for number, line in lines if line.strip()]


def write_subcontractors(subcontractors: Iterable[Subcontractor]) -> str:
    """The lines that `read_subcontractors` reads."""
    return "\n".join(f"{who.name} ; {who.country} ; {who.role}" for who in subcontractors)


def outside_eea(facts: HostingFacts) -> list[Subcontractor]:
    """Subcontractors from outside the area of whom no transfer tells: to be looked at by a person."""
    if facts.transfers is Transfers.SOME:
        return []
    return [who for who in facts.subcontractors or () if who.country not in EEA]


def facts_on(statements: Iterable[HostingFacts], day: date) -> HostingFacts | None:
    """What was stated last, of the statements that hold on a day."""
    held = [facts for facts in statements if facts.since <= day]
    return max(held, key=lambda facts: facts.since, default=None)


def _subcontractor(number: int, line: str) -> Subcontractor:
    name, country, role = ([part.strip() for part in line.split(";", 2)] + ["", ""])[:3]
    if not name or not role or not COUNTRY.fullmatch(country) or len(name) > LONGEST_NAME:
        raise Invalid(
            "subcontractors",
            "Ligne %(number)s : un sous-traitant s'écrit nom ; pays en deux lettres ; rôle.",
            number=number,
        )
    return Subcontractor(name, country, role)
