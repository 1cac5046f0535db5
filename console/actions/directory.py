"""The directory of sites: what a file would change, and the change itself, which may be repeated."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from console.domain.directory import Site
from console.store.models import catalogue as c
from console.store.upsert import upsert

SOURCE = "DREES, SAE"
FACTS = (
    "finess_ej",
    "name",
    "siret",
    "siren",
    "category",
    "legal_status",
    "department",
    "town",
    "source",
    "vintage",
)


@dataclass(frozen=True, slots=True)
class Difference:
    """What an import would do: sites that are new, that change, or that stay."""

    new: Sequence[Site]
    changed: Sequence[Site]
    unchanged: int

    @property
    def to_store(self) -> Sequence[Site]:
        return (*self.new, *self.changed)


def compare_sites(session: Session, sites: Mapping[str, Site]) -> Difference:
    """Sites of a file, by key, against those of the directory; sites that the file leaves out stay."""
    known = {row.finess_et: _facts(row) for row in session.scalars(select(c.DirectorySite))}
    new = [site for key, site in sites.items() if key not in known]
    changed = [
        site
        for key, site in sites.items()
        if key in known and asdict(site) | {"source": SOURCE} != known[key]
    ]
    return Difference(new, changed, unchanged=len(sites) - len(new) - len(changed))


def store_sites(session: Session, sites: Iterable[Site]) -> None:
    """Add the sites, or bring those that are known up to date."""
    upsert(session, c.DirectorySite, [asdict(site) | {"source": SOURCE} for site in sites], update=FACTS)


def _facts(row: c.DirectorySite) -> dict[str, object]:
    return {"finess_et": row.finess_et} | {name: getattr(row, name) for name in FACTS}
