"""What a data centre measures and buys, in the terms of ISO/IEC 30134 and EN 50600-4."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from fractions import Fraction

from console.domain.errors import Conflict, Invalid

MILLION = 1_000_000
HIGHEST_PUE_PPM = 10 * MILLION
MOST_MG_PER_KWH = 5_000_000
NO_POINT = 0  # the category of what is measured at no point of the PUE
CATEGORIES = (1, 2, 3)
WHOLE_SITE = "site"  # the meter of what names none


class Quantity(StrEnum):
    """What a meter of a site counts; energies in millijoules, water in millilitres."""

    TOTAL = "e_dc"  # all energy of the data centre
    IT = "e_it"  # of its IT equipment, at the point of the PUE category
    STORAGE = "e_storage"  # of it, storage arrays
    BACKUP = "e_backup"  # of it, backup
    NETWORK = "e_network"  # of it, the network
    RENEWABLE = "e_ren"
    REUSED = "e_reuse"  # heat that serves elsewhere
    GENERATORS = "e_gen"  # from generators
    WATER = "water"  # drawn
    WATER_POTABLE = "water_potable"  # of it, drinking water
    ZONE = "e_zone"  # all energy of a zone of the site, its cooling and losses within
    ZONE_IT = "e_it_zone"  # of the IT equipment in a zone

    @property
    def is_water(self) -> bool:
        return self in (Quantity.WATER, Quantity.WATER_POTABLE)

    @property
    def is_of_zone(self) -> bool:
        """Whether its meter is a zone, within the site: never in a sum of the site."""
        return self in (Quantity.ZONE, Quantity.ZONE_IT)

    @property
    def is_of_it(self) -> bool:
        """Whether it is measured at the point of a category of the PUE."""
        return self in (Quantity.IT, Quantity.ZONE_IT)


POOLED = (Quantity.STORAGE, Quantity.BACKUP, Quantity.NETWORK)  # IT that no host tells, of a shared service


class ContractKind(StrEnum):
    """How electricity is bought, by what proves its origin."""

    STANDARD = "standard"  # the supplier's mix
    GUARANTEE = "guarantee_of_origin"
    PPA = "ppa"  # a power purchase agreement
    ON_SITE = "on_site"


class Basis(StrEnum):
    """What an intensity of a grid holds; figures on two bases are never added up."""

    DIRECT_PRODUCTION = "direct_production"  # what is burnt to produce, as eCO2mix
    DIRECT_CONSUMPTION = "direct_consumption"
    LIFE_CYCLE_PRODUCTION = "life_cycle_production"
    LIFE_CYCLE_CONSUMPTION = "life_cycle_consumption"


@dataclass(frozen=True, slots=True)
class DeclaredPue:
    """A PUE that somebody states from a day on: its category, and the window over which it was found.

    It is provisional while the window is shorter than the year of ISO/IEC 30134-2, or where it is said so.
    """

    valid_from: date
    pue_ppm: int
    category: int
    window_from: date
    window_to: date  # included
    is_provisional: bool
    note: str

    @property
    def provisional(self) -> bool:
        return self.is_provisional or (self.window_to - self.window_from).days < 364


@dataclass(frozen=True, slots=True)
class Contract:
    """A part of what a site draws, bought from a day (included) to another (excluded)."""

    kind: ContractKind
    supplier: str
    valid_from: date
    valid_to: date
    share_ppm: int
    intensity_mg_per_kwh: int | None
    renewable_ppm: int | None
    evidence: str


def check_category(quantity: Quantity, category: int) -> None:
    """Refuse IT energy of a site without the point it is measured at, and a point for anything but the IT."""
    if quantity is Quantity.IT and category not in CATEGORIES:
        raise Invalid("category", "L'énergie IT se mesure au point d'une catégorie de PUE : 1, 2 ou 3.")
    if quantity is Quantity.ZONE_IT and category not in (NO_POINT, *CATEGORIES):
        raise Invalid("category", "La catégorie de PUE de l'énergie IT d'une zone est 1, 2, 3 ou aucune.")
    if not quantity.is_of_it and category != NO_POINT:
        raise Invalid("category", "Seule l'énergie IT a une catégorie de PUE.")


def check_zone(quantity: Quantity, meter: str) -> None:
    """Refuse the energy of a zone that nothing names."""
    if quantity.is_of_zone and meter == WHOLE_SITE:
        raise Invalid("meter", "Le compteur d'une zone porte le nom de la zone ; par exemple Salle A.")


def check_pue(declared: DeclaredPue) -> None:
    """Raise `Invalid` for a PUE that no data centre has, or a window that is none."""
    if not MILLION <= declared.pue_ppm <= HIGHEST_PUE_PPM:
        raise Invalid(
            "pue",
            "Un PUE va de 1 à 10, car l'énergie totale contient celle de l'IT ; %(value)s ne convient pas.",
            value=float(Fraction(declared.pue_ppm, MILLION)),
        )
    if declared.category not in CATEGORIES:
        raise Invalid("category", "La catégorie d'un PUE est 1, 2 ou 3.")
    if declared.window_to < declared.window_from:
        raise Invalid("window_to", "La fenêtre de mesure finit après son début.")


def check_contract(contract: Contract, others: Iterable[Contract]) -> None:
    """Refuse a contract that is unsound, or that with the others buys more than the site draws on a day."""
    if contract.valid_to <= contract.valid_from:
        raise Invalid("last_day", "Un contrat finit après son début.")
    if not 0 < contract.share_ppm <= MILLION:
        raise Invalid("share", "La part d'un contrat est au-dessus de 0 et jusqu'à 100 %.")
    if contract.renewable_ppm is not None and contract.renewable_ppm > MILLION:
        raise Invalid("renewable", "La part renouvelable est de 0 à 100 %.")
    if contract.intensity_mg_per_kwh is not None and contract.intensity_mg_per_kwh > MOST_MG_PER_KWH:
        raise Invalid("intensity", "Une intensité va de 0 à 5 000 g/kWh.")
    if contract.kind is not ContractKind.STANDARD and not contract.evidence.strip():
        raise Invalid("evidence", "Ce qui prouve l'origine est attendu : garantie, contrat, compteur.")
    day, share_ppm = _fullest_day(contract, [one for one in others if _meet(contract, one)])
    if share_ppm > MILLION:
        raise Conflict(
            "Le %(day)s, les contrats de ce site feraient %(share)s %% de ce qu'il tire : 100 %% au plus.",
            day=day.isoformat(),
            share=float(Fraction(share_ppm, MILLION // 100)),
        )


def share_on(contracts: Iterable[Contract], day: date) -> int:
    """What the contracts of a day buy together, in millionths; the rest is bought in no known way."""
    return sum(one.share_ppm for one in contracts if one.valid_from <= day < one.valid_to)


def _meet(one: Contract, other: Contract) -> bool:
    return one.valid_from < other.valid_to and other.valid_from < one.valid_to


def _fullest_day(contract: Contract, others: Iterable[Contract]) -> tuple[date, int]:
    """The day of a contract on which the most is bought; shares only rise where a contract begins."""
    all_of_them = [contract, *others]
    days = {max(one.valid_from, contract.valid_from) for one in all_of_them}
    shares = ((day, share_on(all_of_them, day)) for day in sorted(days))
    return max(shares, key=lambda found: found[1])
