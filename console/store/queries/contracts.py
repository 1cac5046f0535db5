"""Contracts that ask for something: renewals, no plan, offers that end, workloads that nobody claims."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select
from sqlalchemy.orm import Session, aliased

from console.domain.contract import RUNNING, Status
from console.domain.price import Indexation
from console.domain.renewal import Deadline, add_months, next_deadline
from console.store.models import catalogue as c
from console.store.models import measurement as m
from console.store.models import tenant as t
from console.store.queries.claims import unclaimed
from console.store.queries.paging import PAGE, PageOf

Row = TypeVar("Row")
Statement = Select[*tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Contract:
    """A subscription as the lists name it."""

    tenant_id: int
    adherent: str
    number: int
    service_fr: str
    service_en: str
    contract: str | None
    status: str
    starts_on: date
    ends_on: date | None
    price_cents: int | None
    price_per: str | None


@dataclass(frozen=True, slots=True)
class Renewal:
    """A contract whose term or notice comes, with what is to be done by when."""

    contract: Contract
    term_ends_on: date
    notice_by: date | None
    deadline: Deadline


@dataclass(frozen=True, slots=True)
class PriceRevision:
    """A contract whose price is to be revised on a day, past or to come; None is an unknown indexation."""

    contract: Contract
    revise_on: date
    indexation: Indexation | None
    indexation_rate: int | None


@dataclass(frozen=True, slots=True)
class OnEndingService:
    """A contract on a service that ends, with the service that follows it, if one does."""

    contract: Contract
    support_ends_on: date | None
    successor_fr: str | None
    successor_en: str | None


@dataclass(frozen=True, slots=True)
class UnclaimedWorkload:
    """A workload that nobody claims now; its host was last heard at `last_seen_at`."""

    host: str
    workload: str
    kind: str
    last_seen_at: datetime


@dataclass(frozen=True, slots=True)
class Counts:
    """How many contracts of the scope are in each list."""

    renewals: int
    revisions: int
    without_plan: int
    ending_services: int


def comes_to_term(today: date, months: int) -> ColumnElement[bool]:
    """A subscription runs, and its term or notice comes within months, or its term passed without renewal."""
    row, horizon = t.Subscription, add_months(today, months)
    return and_(
        row.status.in_(RUNNING),
        or_(
            row.term_ends_on.between(today, horizon),
            row.notice_by.between(today, horizon),
            and_(row.term_ends_on < today, row.tacit.is_not(True)),
        ),
    )


def counts(session: Session, today: date, months: int) -> Counts:
    """The lengths of the lists of contracts."""
    return Counts(
        renewals=_count(session, _renewals(today, months)),
        revisions=_count(session, _revisions(today, months)),
        without_plan=_count(session, _without_plan()),
        ending_services=_count(session, _ending_services()),
    )


def renewals(session: Session, today: date, months: int, page: int | None = None) -> PageOf[Renewal]:
    """Terms and notices of the next months, and terms that passed without a renewal; the first due first."""
    row = t.Subscription
    due = case((row.notice_by >= today, row.notice_by), else_=row.term_ends_on)
    statement = _renewals(today, months).order_by(due, row.tenant_id, row.number)
    return _page(session, statement, page, lambda found: _renewal(found, today))


def revisions(session: Session, today: date, months: int, page: int | None = None) -> PageOf[PriceRevision]:
    """Prices to be revised in the next months, and those that were to be before; the first due first."""
    row = t.Subscription
    statement = _revisions(today, months).order_by(row.revise_on, row.tenant_id, row.number)
    return _page(session, statement, page, _revision)


def without_plan(session: Session, page: int | None = None) -> PageOf[Contract]:
    """Contracts that promise nothing yet: no plan was agreed."""
    statement = _without_plan().order_by(
        c.Adherent.folded_name, t.Subscription.tenant_id, t.Subscription.number
    )
    return _page(session, statement, page, _contract)


def ending_services(session: Session, page: int | None = None) -> PageOf[OnEndingService]:
    """Contracts on a service with an end of support or a successor, the first end first."""
    statement = _ending_services().order_by(
        c.Service.support_ends_on.is_(None),
        c.Service.support_ends_on,
        c.Adherent.name,
        t.Subscription.tenant_id,
        t.Subscription.number,
    )
    return _page(
        session,
        statement,
        page,
        lambda found: OnEndingService(
            _contract(found), found.Service.support_ends_on, found.successor_fr, found.successor_en
        ),
    )


def unclaimed_workloads(
    session: Session, *, now: datetime, page: int | None = None
) -> PageOf[UnclaimedWorkload]:
    """Workloads that no claim of either kind holds; needs the scope of the operator."""
    statement = (
        select(
            m.Host.name.label("host"), m.Workload.name.label("workload"), m.Workload.kind, m.Host.last_seen_at
        )
        .join(m.Host, m.Host.host_id == m.Workload.host_id)
        .where(*unclaimed(now))
        .order_by(m.Host.name, m.Workload.name)
    )
    return _page(
        session,
        statement,
        page,
        lambda row: UnclaimedWorkload(row.host, row.workload, row.kind, row.last_seen_at),
    )


def _contracts() -> Statement:
    row = t.Subscription
    return (
        select(row, c.Adherent, c.Service)
        .join(c.Adherent, c.Adherent.tenant_id == row.tenant_id)
        .join(c.Service, c.Service.code == row.service_code)
    )


def _renewals(today: date, months: int) -> Statement:
    return _contracts().where(comes_to_term(today, months))


def _revisions(today: date, months: int) -> Statement:
    row = t.Subscription
    return _contracts().where(row.status.in_(RUNNING), row.revise_on <= add_months(today, months))


def _without_plan() -> Statement:
    return _contracts().where(t.Subscription.status != Status.ENDED, t.Subscription.plan_code.is_(None))


def _ending_services() -> Statement:
    successor = aliased(c.Service)
    return (
        _contracts()
        .outerjoin(successor, successor.code == c.Service.successor_code)
        .add_columns(successor.name_fr.label("successor_fr"), successor.name_en.label("successor_en"))
        .where(
            t.Subscription.status != Status.ENDED,
            or_(c.Service.support_ends_on.is_not(None), c.Service.successor_code.is_not(None)),
        )
    )


def _page(session: Session, statement: Statement, page: int | None, read: Any) -> PageOf[Any]:
    """The rows of a page, or every row where none is asked for."""
    total = _count(session, statement)
    if page is not None:
        statement = statement.limit(PAGE).offset((page - 1) * PAGE)
    return PageOf([read(row) for row in session.execute(statement)], total, page or 1)


def _count(session: Session, statement: Statement) -> int:
    counted = statement.with_only_columns(func.count(), maintain_column_froms=True).order_by(None)
    return session.scalar(counted) or 0


def _contract(found: Any) -> Contract:
    row, adherent, service = found.Subscription, found.Adherent, found.Service
    return Contract(
        tenant_id=row.tenant_id,
        adherent=adherent.name,
        number=row.number,
        service_fr=service.name_fr,
        service_en=service.name_en,
        contract=row.contract,
        status=row.status.value,
        starts_on=row.starts_on,
        ends_on=row.ends_on,
        price_cents=row.price_cents,
        price_per=row.price_per and row.price_per.value,
    )


def _renewal(found: Any, today: date) -> Renewal:
    row = found.Subscription
    return Renewal(
        contract=_contract(found),
        term_ends_on=row.term_ends_on,
        notice_by=row.notice_by,
        deadline=next_deadline(row.term_ends_on, row.tacit, row.notice_by, today),
    )


def _revision(found: Any) -> PriceRevision:
    row = found.Subscription
    return PriceRevision(_contract(found), row.revise_on, row.indexation, row.indexation_rate)
