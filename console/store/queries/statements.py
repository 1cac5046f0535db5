"""The statements that were issued."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from console.domain.errors import Conflict, NotFound
from console.store.models import catalogue as c
from console.store.models import tenant as t
from console.store.queries.carbon_months import month_seen
from reports import canonical, figures


@dataclass(frozen=True, slots=True)
class Issued:
    """A statement in a list."""

    tenant_id: int
    adherent: str
    number: int
    month: date
    status: str
    sha256: str
    issued_at: datetime
    issued_by: str


def issued(session: Session, tenant_id: int | None = None) -> list[Issued]:
    """Statements of one adherent, or of every adherent in scope; the newest first."""
    owner = () if tenant_id is None else (t.Statement.tenant_id == tenant_id,)
    rows = session.execute(
        select(t.Statement, c.Adherent.name)
        .join(c.Adherent, c.Adherent.tenant_id == t.Statement.tenant_id)
        .where(*owner)
        .order_by(t.Statement.issued_at.desc(), t.Statement.number.desc())
        .limit(200)
    )
    return [
        Issued(
            tenant_id=row.tenant_id,
            adherent=adherent,
            number=row.number,
            month=row.month,
            status=row.status,
            sha256=row.sha256,
            issued_at=row.issued_at,
            issued_by=row.issued_by,
        )
        for row, adherent in rows
    ]


def archived_figures(session: Session, tenant_id: int, number: int) -> figures.InrStatement:
    """The frozen figures of a statement; refuses any that lost the hash they were issued with."""
    row = session.get(t.Statement, (tenant_id, number))
    if row is None:
        raise NotFound("Relevé introuvable.")
    if canonical.sha256(row.figures) != row.sha256:
        raise Conflict("Les chiffres archivés de ce relevé n'ont plus leur empreinte d'origine.")
    return figures.InrStatement.from_json(row.figures)


def has_moved(session: Session, tenant_id: int, issued: figures.InrStatement, now: datetime) -> bool:
    """Whether its month has other totals now, which its pages and its trace show, than those issued."""
    seen = month_seen(session, tenant_id, issued.period.first_day, now).figures
    totals = [
        (issued.energy_mj or 0, seen.energy_mj),
        (issued.overhead_mj, seen.overhead_mj),
        (issued.embodied_ug, seen.embodied_ug),
        *((issued.carbon_on(figures.Basis(basis)), held.carbon_ug) for basis, held in seen.bases),
    ]
    return any(then != today for then, today in totals)
