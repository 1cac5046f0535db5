"""What is said of an adherent, as the form that changes it holds it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from console.domain.errors import NotFound
from console.store.models import catalogue as c

FIELDS = (
    *("name", "kind", "sector", "finess_ej", "siren", "agency", "zone", "convention"),
    *("since", "until"),
)


@dataclass(frozen=True, slots=True)
class KnownFacts:
    """What is stored, with the version that a form sends back."""

    tenant_id: int
    name: str
    kind: str
    sector: str | None
    finess_ej: str | None
    siren: str | None
    agency: str | None
    zone: str
    convention: str | None
    since: date
    until: date | None
    version: int

    def as_typed(self) -> dict[str, str]:
        """The fields of the form as a browser would send them back untouched."""
        return {field: str(getattr(self, field) or "") for field in FIELDS}


def known_facts(session: Session, tenant_id: int) -> KnownFacts:
    """What is said of an adherent; raises `NotFound`, also for one out of scope."""
    row = session.scalars(select(c.Adherent).where(c.Adherent.tenant_id == tenant_id)).one_or_none()
    if row is None:
        raise NotFound("Adhérent introuvable.")
    return KnownFacts(**{name: getattr(row, name) for name in KnownFacts.__slots__})
