"""The tables of the SAE survey of hospitals (DREES): sites ("ID") and hospital groups ("GHT").

`;` between the cells, a line of headings, Windows-1252. A year's tables say how things stood on its last day.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

SOURCE: Final = "DREES, SAE"
YEAR: Final = "an"
SITES: Mapping[str, tuple[str, ...]] = {
    "finess_et": ("fi",),
    "finess_ej": ("fi_ej",),
    "name": ("rs",),
    "department": ("dep",),
    "town": ("libcom",),
    "siret": ("sir",),
    "category": ("cat",),
    "legal_status": ("stj",),
    "address": ("numvoi", "typvoi", "nomvoi", "bp", "cpo", "libcom"),
}
GROUPS: Mapping[str, tuple[str, ...]] = {
    "code": ("code_ght",),
    "name": ("nom_complet_ght",),
    "short_name": ("nom_court_ght",),
}
MARKS_OF_SITES = ("an", "fi", "rs", "fi_ej", "stj", "cat", "sir", "dep", "libcom")
MARKS_OF_GROUPS = ("code_ght", "nom_court_ght", "nom_complet_ght")
