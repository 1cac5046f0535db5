"""How adherents and factors are called on pages."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from console.domain.errors import NotFound
from console.store.models import carbon as b
from console.store.models import catalogue as c


@dataclass(frozen=True, slots=True)
class Named:
    """An adherent as the head of a page shows it."""

    tenant_id: int
    name: str
    zone: str


def adherent(session: Session, tenant_id: int) -> Named:
    """The adherent of a number; raises `NotFound` where it is not in the scope of the session."""
    found = adherents(session, [tenant_id]).get(tenant_id)
    if found is None:
        raise NotFound("Il n'y a pas d'adhérent numéro %(number)s.", number=tenant_id)
    return found


def adherents(session: Session, tenant_ids: Iterable[int]) -> dict[int, Named]:
    """The adherents of these numbers that are in the scope of the session."""
    rows = session.scalars(select(c.Adherent).where(c.Adherent.tenant_id.in_(set(tenant_ids))))
    return {row.tenant_id: Named(row.tenant_id, row.name, row.zone) for row in rows}


def factor(session: Session, factor_id: str | None) -> str | None:
    """A factor by its publisher and vintage."""
    found = None if factor_id is None else session.get(b.EmissionFactor, factor_id)
    return None if found is None else f"{found.publisher} {found.vintage}"
