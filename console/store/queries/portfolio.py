"""What needs the one who follows some adherents: for each, what comes next and what is missing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select
from sqlalchemy.orm import Session

from console.domain.claims import OPERATOR_TENANT
from console.domain.committees import TaskState
from console.domain.contacts import ContactRole
from console.domain.factors import Basis
from console.store.models import carbon as b
from console.store.models import catalogue as c
from console.store.models import follow_up as f
from console.store.models import people as p
from console.store.models import tenant as t
from console.store.queries.committees import is_coming
from console.store.queries.contracts import comes_to_term
from console.store.queries.tasks import overdue

NEEDED = (ContactRole.CIO, ContactRole.NIGHT)  # contacts that an adherent cannot do without


@dataclass(frozen=True, slots=True)
class Next:
    """The committee that comes next."""

    number: int
    starts_at: datetime


@dataclass(frozen=True, slots=True)
class Incidents:
    """What is open; those at risk are not breached yet."""

    open: int = 0
    at_risk: int = 0
    breached: int = 0


@dataclass(frozen=True, slots=True)
class Followed:
    """An adherent and what needs somebody; energy and carbon are None until the month is reckoned."""

    tenant_id: int
    name: str
    zone: str
    next: Next | None
    tasks: int
    overdue: int
    renewals: int
    incidents: Incidents
    energy_mj: int | None
    carbon_ug: int | None
    missing: Sequence[str]  # roles of contacts, or "convention"


@dataclass(frozen=True, slots=True)
class Portfolio:
    """The adherents that somebody follows, by name."""

    adherents: Sequence[Followed]

    @property
    def overdue(self) -> int:
        return sum(line.overdue for line in self.adherents)

    @property
    def tasks(self) -> int:
        return sum(line.tasks for line in self.adherents)

    @property
    def renewals(self) -> int:
        return sum(line.renewals for line in self.adherents)

    @property
    def breached(self) -> int:
        return sum(line.incidents.breached for line in self.adherents)

    @property
    def at_risk(self) -> int:
        return sum(line.incidents.at_risk for line in self.adherents)

    @property
    def incomplete(self) -> int:
        return sum(bool(line.missing) for line in self.adherents)


def portfolio(
    session: Session, *, now: datetime, today: date, months: int, account_id: int | None = None
) -> Portfolio:
    """The adherents in scope that have not left, or those entrusted to an account; seven statements.

    `months` are those within which renewals are told.
    """
    rows = session.scalars(_adherents(account_id, today)).all()
    shown = [row.tenant_id for row in rows]
    committees = _committees(session, shown, now)
    tasks = _tasks(session, shown, today)
    renewals = _renewals(session, shown, today, months)
    incidents = _incidents(session, shown, now)
    figures = _figures(session, shown, today.replace(day=1))
    contacts = _contacts(session, shown, today)
    return Portfolio(
        [
            Followed(
                tenant_id=row.tenant_id,
                name=row.name,
                zone=row.zone,
                next=committees.get(row.tenant_id),
                tasks=tasks.get(row.tenant_id, (0, 0))[0],
                overdue=tasks.get(row.tenant_id, (0, 0))[1],
                renewals=renewals.get(row.tenant_id, 0),
                incidents=incidents.get(row.tenant_id, Incidents()),
                energy_mj=figures.get(row.tenant_id, (None, None))[0],
                carbon_ug=figures.get(row.tenant_id, (None, None))[1],
                missing=_missing(row, contacts.get(row.tenant_id, set())),
            )
            for row in rows
        ]
    )


def _adherents(account_id: int | None, today: date) -> Select[c.Adherent]:
    adherent = c.Adherent
    wanted = select(adherent).where(
        adherent.tenant_id != OPERATOR_TENANT, or_(adherent.until.is_(None), adherent.until >= today)
    )
    if account_id is not None:
        entrusted = and_(p.Portfolio.tenant_id == adherent.tenant_id, p.Portfolio.account_id == account_id)
        wanted = wanted.join(p.Portfolio, entrusted)
    return wanted.order_by(adherent.folded_name, adherent.tenant_id)


def _committees(session: Session, shown: Sequence[int], now: datetime) -> dict[int, Next]:
    rows = session.execute(
        select(f.Committee.tenant_id, f.Committee.number, f.Committee.starts_at)
        .where(f.Committee.tenant_id.in_(shown), is_coming(now))
        .order_by(f.Committee.starts_at.desc(), f.Committee.number.desc())
    )
    return {tenant_id: Next(number, starts_at) for tenant_id, number, starts_at in rows}


def _tasks(session: Session, shown: Sequence[int], today: date) -> dict[int, tuple[int, int]]:
    task = f.Task
    rows = session.execute(
        select(task.tenant_id, func.count(), _number_of(overdue(today)))
        .where(task.tenant_id.in_(shown), task.state == TaskState.OPEN)
        .group_by(task.tenant_id)
    )
    return {tenant_id: (to_do, int(late)) for tenant_id, to_do, late in rows}


def _renewals(session: Session, shown: Sequence[int], today: date, months: int) -> dict[int, int]:
    """How many subscriptions come to term within months, as the lists of contracts count them."""
    subscription = t.Subscription
    rows = session.execute(
        select(subscription.tenant_id, func.count())
        .where(subscription.tenant_id.in_(shown), comes_to_term(today, months))
        .group_by(subscription.tenant_id)
    )
    return {row[0]: row[1] for row in rows}


def _incidents(session: Session, shown: Sequence[int], now: datetime) -> dict[int, Incidents]:
    incident = t.Incident
    breached = and_(incident.due_at.is_not(None), incident.due_at < now)
    at_risk = and_(incident.phase != "waiting", incident.at_risk_at <= now)
    rows = session.execute(
        select(incident.tenant_id, func.count(), _number_of(and_(~breached, at_risk)), _number_of(breached))
        .where(incident.tenant_id.in_(shown), incident.resolved_at.is_(None))
        .group_by(incident.tenant_id)
    )
    return {tenant_id: Incidents(number, int(risk), int(late)) for tenant_id, number, risk, late in rows}


def _figures(session: Session, shown: Sequence[int], month: date) -> dict[int, tuple[int, int | None]]:
    line = b.CarbonLine
    rows = session.execute(
        select(line.tenant_id, func.sum(line.energy_mj), func.sum(line.carbon_ug))
        .where(
            line.tenant_id.in_(shown), line.month == month, line.basis == Basis.YEARLY_AVERAGE, line.counts
        )
        .group_by(line.tenant_id)
    )
    return {
        tenant_id: (int(energy_mj), None if carbon_ug is None else int(carbon_ug))
        for tenant_id, energy_mj, carbon_ug in rows
    }


def _contacts(session: Session, shown: Sequence[int], today: date) -> Mapping[int, set[ContactRole]]:
    contact = f.Contact
    rows = session.execute(
        select(contact.tenant_id, contact.role).where(
            contact.tenant_id.in_(shown),
            contact.role.in_(NEEDED),
            contact.starts_on <= today,
            or_(contact.ends_on.is_(None), contact.ends_on >= today),
        )
    )
    found: dict[int, set[ContactRole]] = {}
    for tenant_id, role in rows:
        found.setdefault(tenant_id, set()).add(role)
    return found


def _missing(row: c.Adherent, contacts: Iterable[ContactRole]) -> list[str]:
    missing = [role.value for role in NEEDED if role not in contacts]
    return missing if row.convention else [*missing, "convention"]


def _number_of(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.sum(case((condition, 1), else_=0))
