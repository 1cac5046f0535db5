"""The list of adherents, each with its subscriptions, open incidents, energy and carbon of the month."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import Session

from console.domain.claims import OPERATOR_TENANT
from console.domain.factors import Basis
from console.store.models import catalogue as c
from console.store.models import tenant as t

PAGE = 50  # adherents


@dataclass(frozen=True, slots=True)
class ListedAdherent:
    """A line of the list; energy and carbon are None until the month is reckoned."""

    tenant_id: int
    name: str
    kind: str
    finess_ej: str | None
    siren: str | None
    subscriptions: int
    incidents: int
    energy_mj: int | None
    carbon_ug: int | None


@dataclass(frozen=True, slots=True)
class Adherents:
    """One page of the list."""

    rows: Sequence[ListedAdherent]
    total: int
    page: int

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // PAGE))


def list_adherents(session: Session, month: date, words: str = "", page: int = 1) -> Adherents:
    """Adherents in scope whose name holds every word, or whose FINESS or SIREN is one of them; by name.

    Five statements, however many adherents there are. The operator, an adherent of its own, is left out.
    """
    wanted = _conditions(words)
    adherent = c.Adherent
    rows = session.scalars(
        select(adherent)
        .where(*wanted)
        .order_by(adherent.name, adherent.tenant_id)
        .limit(PAGE)
        .offset((page - 1) * PAGE)
    ).all()
    shown = [row.tenant_id for row in rows]
    subscriptions = _counts(
        session, t.Subscription, shown, t.Subscription.status != t.SubscriptionStatus.ENDED
    )
    incidents = _counts(session, t.Incident, shown, t.Incident.resolved_at.is_(None))
    months = {line.tenant_id: line for line in session.execute(_months(month, shown))}
    return Adherents(
        rows=[
            ListedAdherent(
                tenant_id=row.tenant_id,
                name=row.name,
                kind=row.kind.value,
                finess_ej=row.finess_ej,
                siren=row.siren,
                subscriptions=subscriptions.get(row.tenant_id, 0),
                incidents=incidents.get(row.tenant_id, 0),
                energy_mj=int(months[row.tenant_id].energy_mj) if row.tenant_id in months else None,
                carbon_ug=int(months[row.tenant_id].carbon_ug) if row.tenant_id in months else None,
            )
            for row in rows
        ],
        total=session.scalar(select(func.count()).select_from(adherent).where(*wanted)) or 0,
        page=page,
    )


def _conditions(words: str) -> list[ColumnElement[bool]]:
    adherent = c.Adherent
    return [
        adherent.tenant_id != OPERATOR_TENANT,
        *(
            or_(
                func.upper(adherent.name).contains(word, autoescape=True),
                adherent.finess_ej == word,
                adherent.siren == word,
            )
            for word in words.upper().split()
        ),
    ]


def _counts(
    session: Session, model: Any, tenants: Sequence[int], condition: ColumnElement[bool]
) -> dict[int, int]:
    counted = session.execute(
        select(model.tenant_id, func.count())
        .where(model.tenant_id.in_(tenants), condition)
        .group_by(model.tenant_id)
    )
    return {row[0]: row[1] for row in counted}


def _months(month: date, tenants: Sequence[int]) -> Select[int, int, int]:
    line = t.CarbonLine
    return (
        select(
            line.tenant_id,
            func.sum(line.energy_mj).label("energy_mj"),
            func.sum(line.carbon_ug).label("carbon_ug"),
        )
        .where(line.tenant_id.in_(tenants), line.month == month, line.basis == Basis.YEARLY_AVERAGE)
        .group_by(line.tenant_id)
    )
