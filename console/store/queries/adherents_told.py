"""What programs are told of the adherents in scope."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from console.domain.claims import OPERATOR_TENANT
from console.store.models import catalogue as c

TOLD_AT_ONCE = 500
LARGEST_NUMBER = 2**63 - 1


@dataclass(frozen=True, slots=True)
class ToldAdherent:
    """An adherent as a program reads it; `until` in ISO 8601 is the last day of one that leaves."""

    number: int
    name: str
    kind: str
    finess_ej: str | None
    siren: str | None
    agency: str | None
    until: str | None


def tell_adherents(session: Session, *, after: int = 0) -> list[ToldAdherent]:
    """The adherents in scope by number, those after one, `TOLD_AT_ONCE` at most; never the operator's own."""
    rows = session.scalars(
        select(c.Adherent)
        .where(c.Adherent.tenant_id > after, c.Adherent.tenant_id != OPERATOR_TENANT)
        .order_by(c.Adherent.tenant_id)
        .limit(TOLD_AT_ONCE)
    )
    return [
        ToldAdherent(
            number=row.tenant_id,
            name=row.name,
            kind=row.kind.value,
            finess_ej=row.finess_ej,
            siren=row.siren,
            agency=row.agency,
            until=_iso(row.until),
        )
        for row in rows
    ]


def _iso(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
