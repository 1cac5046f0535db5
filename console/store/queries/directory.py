"""Sites of the national directory, found by name, town, department or FINESS."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from console.store.models import catalogue as c
from console.store.models import directory as d

PAGE = 25  # sites


@dataclass(frozen=True, slots=True)
class ListedSite:
    """A site; `tenant_id` where its legal entity is an adherent in scope."""

    finess_et: str
    finess_ej: str
    name: str
    town: str
    department: str
    category: str
    siren: str | None
    siret: str | None
    tenant_id: int | None


@dataclass(frozen=True, slots=True)
class Sites:
    """One page of what was found; `known` is how many sites the whole directory has."""

    rows: Sequence[ListedSite]
    total: int
    known: int
    page: int

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // PAGE))


def search_sites(session: Session, words: str = "", department: str = "", page: int = 1) -> Sites:
    """Sites whose name or town holds every word, or whose FINESS is one of them; by name."""
    wanted = list(_conditions(words, department))
    site = d.DirectorySite
    total = session.scalar(select(func.count()).select_from(site).where(*wanted)) or 0
    rows = session.execute(
        select(site, c.Adherent.tenant_id)
        .outerjoin(c.Adherent, c.Adherent.finess_ej == site.finess_ej)
        .where(*wanted)
        .order_by(site.name, site.finess_et)
        .limit(PAGE)
        .offset((page - 1) * PAGE)
    )
    return Sites(
        rows=[
            ListedSite(
                finess_et=row.finess_et,
                finess_ej=row.finess_ej,
                name=row.name,
                town=row.town,
                department=row.department,
                category=row.category,
                siren=row.siren,
                siret=row.siret,
                tenant_id=tenant_id,
            )
            for row, tenant_id in rows
        ],
        total=total,
        known=session.scalar(select(func.count()).select_from(site)) or 0,
        page=page,
    )


def departments(session: Session) -> list[str]:
    """The departments that the directory has sites in."""
    return list(
        session.scalars(select(d.DirectorySite.department).distinct().order_by(d.DirectorySite.department))
    )


def _conditions(words: str, department: str) -> Iterator[ColumnElement[bool]]:
    site = d.DirectorySite
    if department:
        yield site.department == department.upper()
    for word in words.upper().split():
        yield or_(
            func.upper(site.name).contains(word, autoescape=True),
            func.upper(site.town).contains(word, autoescape=True),
            site.finess_et == word,
            site.finess_ej == word,
        )
