"""What a new installation has behind it, from the first collector to the first statement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from console.domain.claims import OPERATOR_TENANT
from console.store.models import catalogue as c
from console.store.models import directory as d
from console.store.models import measurement as m
from console.store.models import tenant as t


@dataclass(frozen=True, slots=True)
class Steps:
    """What a new installation has behind it; `adherent` is the number of the first one."""

    collector: bool
    directory: bool
    adherent: int | None
    subscription: bool
    claim: bool
    incident: bool
    statement: bool

    @property
    def done(self) -> int:
        return sum(bool(getattr(self, name)) for name in self.__slots__)

    @property
    def all(self) -> int:
        return len(self.__slots__)


def steps(session: Session) -> Steps:
    """What there is at least one of."""
    return Steps(
        collector=_any(session, select(m.Host.host_id)),
        directory=_any(session, select(d.DirectorySite.finess_et)),
        adherent=session.scalar(
            select(func.min(c.Adherent.tenant_id)).where(c.Adherent.tenant_id != OPERATOR_TENANT)
        ),
        subscription=_any(session, select(t.Subscription.number)),
        claim=_any(session, select(c.WorkloadClaim.claim_id)),
        incident=_any(session, select(t.Incident.number)),
        statement=_any(session, select(t.Statement.number)),
    )


def _any(session: Session, statement: Select[Any]) -> bool:
    return session.scalar(statement.limit(1)) is not None
