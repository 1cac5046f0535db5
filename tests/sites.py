"""Data centres with meters, for tests that look at them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from sqlalchemy.orm import Session

from console.actions import facility
from console.domain.facility import Contract, ContractKind, DeclaredPue
from console.domain.facility_files import Defaults
from console.domain.site_indicators import last_months
from console.web.languages import today

HEAD = "mois;énergie totale (MWh);énergie IT (MWh);eau (m3);énergie renouvelable (MWh)"


def a_year_of_meters(*extra: str, but_last: int = 0) -> bytes:
    """The twelve last whole months of a site whose PUE is 1.5 and whose WUE is 1.8, as a file tells them."""
    months = last_months(today())[: 12 - but_last]
    return "\n".join([HEAD, *(f"{month:%Y-%m};150;100;180;75" for month in months), *extra]).encode()


ZONES_HEAD = "mois;compteur;énergie zone (MWh);énergie IT zone (MWh);énergie IT (MWh);catégorie"


def a_year_of_zones(*extra: str, months: int = 12) -> bytes:
    """The last whole months of two rooms: one whose IT is told as its own, one whose IT the site meters."""
    rows = [
        row
        for month in last_months(today())[12 - months :]
        for row in (f"{month:%Y-%m};Salle A;78;60;;", f"{month:%Y-%m};Salle 2;50;;40;2")
    ]
    return "\n".join([ZONES_HEAD, *rows, *extra]).encode()


def a_metered_year(session: Session, code: str) -> None:
    """Eleven months of meters, three of a zone, a declared PUE and a contract of a site."""
    now = datetime.now(UTC)
    site = facility.site_called(session, code)
    facility.store_file(session, site, a_year_of_meters(but_last=1), Defaults(2), now=now, by="test")
    zone = [f"{month:%Y-%m};Salle A;78;60;;2" for month in last_months(today())[-3:]]
    content = "\n".join([ZONES_HEAD, *zone]).encode()
    facility.store_file(session, site, content, Defaults(), now=now, by="test")
    window = (date(2025, 1, 1), date(2025, 6, 30))
    declared = DeclaredPue(date(2026, 1, 1), 1_420_000, 1, *window, is_provisional=True, note="Audit")
    facility.declare_pue(session, code, declared, now=now, by="test")
    contract = Contract(
        kind=ContractKind.GUARANTEE,
        supplier="Fournisseur",
        valid_from=date(2026, 1, 1),
        valid_to=today() + timedelta(days=365),
        share_ppm=600_000,
        intensity_mg_per_kwh=12_500,
        renewable_ppm=1_000_000,
        evidence="GO 118",
    )
    facility.add_contract(session, code, contract, now=now, by="test")
