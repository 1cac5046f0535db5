"""Committees as lists and pages show them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, and_, case, func, or_, select
from sqlalchemy.orm import Session

from console.domain.committees import CommitteeKind, ends_at
from console.domain.errors import NotFound
from console.store.models import catalogue as c
from console.store.models import follow_up as f
from console.store.queries.paging import PAGE, PageOf
from console.store.queries.tasks import Task, tasks_of_committee


class Which(StrEnum):
    """Which committees of a list: those to come, past without approved minutes, or approved or cancelled."""

    COMING = ""
    TO_APPROVE = "to_approve"
    PAST = "past"


class Standing(StrEnum):
    """Where a committee is."""

    PLANNED = "planned"
    HELD = "held"  # its minutes are to be written, or to be approved
    APPROVED = "approved"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Listed:
    """A line of a list."""

    tenant_id: int
    adherent: str
    zone: str
    number: int
    kind: CommitteeKind
    starts_at: datetime
    place: str | None
    link: str | None
    standing: Standing


@dataclass(frozen=True, slots=True)
class Committees(PageOf[Listed]):
    """One page of a list; `counts` tells how many there are of each `Which`."""

    counts: dict[Which, int]


@dataclass(frozen=True, slots=True)
class Member:
    """A contact who is asked to a committee."""

    number: int
    name: str
    role: str
    mail: str | None


@dataclass(frozen=True, slots=True)
class Correction:
    """An addendum to approved minutes."""

    position: int
    text: str
    written_by: str
    written_at: datetime


@dataclass(frozen=True, slots=True)
class CommitteePage:
    """A committee with all that was said of it."""

    tenant_id: int
    adherent: str
    zone: str
    number: int
    kind: CommitteeKind
    starts_at: datetime
    ends_at: datetime
    duration_min: int
    place: str | None
    link: str | None
    members: Sequence[Member]
    guests: str
    agenda: str
    minutes: str
    decisions: str
    standing: Standing
    approved_at: datetime | None
    approved_by: str | None
    cancelled_at: datetime | None
    version: int
    addenda: Sequence[Correction]
    tasks: Sequence[Task]


def list_committees(
    session: Session,
    *,
    now: datetime,
    which: Which = Which.COMING,
    tenant_id: int | None = None,
    page: int = 1,
) -> Committees:
    """Committees of one adherent or of all in scope: the next first, of past ones the latest."""
    wanted = [] if tenant_id is None else [f.Committee.tenant_id == tenant_id]
    counts = _counts(session, wanted, now)
    by_time = f.Committee.starts_at.asc() if which is Which.COMING else f.Committee.starts_at.desc()
    rows = session.execute(
        select(f.Committee, c.Adherent.name, c.Adherent.zone)
        .join(c.Adherent, c.Adherent.tenant_id == f.Committee.tenant_id)
        .where(*wanted, _is(which, now))
        .order_by(by_time, f.Committee.tenant_id, f.Committee.number)
        .limit(PAGE)
        .offset((page - 1) * PAGE)
    )
    return Committees([_listed(*row, now) for row in rows], counts[which], page, counts)


def committee_page(
    session: Session, tenant_id: int, number: int, *, now: datetime, today: date
) -> CommitteePage:
    """One committee; raises `NotFound`, also for one out of scope."""
    found = session.execute(
        select(f.Committee, c.Adherent.name, c.Adherent.zone)
        .join(c.Adherent, c.Adherent.tenant_id == f.Committee.tenant_id)
        .where(f.Committee.tenant_id == tenant_id, f.Committee.number == number)
    ).one_or_none()
    if found is None:
        raise NotFound("Comité introuvable.")
    row, adherent, zone = found
    return CommitteePage(
        tenant_id=tenant_id,
        adherent=adherent,
        zone=zone,
        number=number,
        kind=row.kind,
        starts_at=row.starts_at,
        ends_at=ends_at(row.starts_at, row.duration_min),
        duration_min=row.duration_min,
        place=row.place,
        link=row.link,
        members=_members(session, tenant_id, number),
        guests=row.guests,
        agenda=row.agenda,
        minutes=row.minutes,
        decisions=row.decisions,
        standing=standing(row, now),
        approved_at=row.approved_at,
        approved_by=row.approved_by,
        cancelled_at=row.cancelled_at,
        version=row.version,
        addenda=_addenda(session, tenant_id, number),
        tasks=tasks_of_committee(session, tenant_id, number, today),
    )


def standing(row: f.Committee, now: datetime) -> Standing:
    """Where a committee is at an instant."""
    if row.cancelled_at is not None:
        return Standing.CANCELLED
    if row.approved_at is not None:
        return Standing.APPROVED
    return Standing.HELD if row.starts_at <= now else Standing.PLANNED


def is_coming(now: datetime) -> ColumnElement[bool]:
    """Whether a committee of a statement is still to be held."""
    return and_(f.Committee.cancelled_at.is_(None), f.Committee.starts_at > now)


def _is(which: Which, now: datetime) -> ColumnElement[bool]:
    over = or_(f.Committee.cancelled_at.is_not(None), f.Committee.approved_at.is_not(None))
    match which:
        case Which.TO_APPROVE:
            return and_(~over, f.Committee.starts_at <= now)
        case Which.PAST:
            return over
    return is_coming(now)


def _counts(session: Session, wanted: list[ColumnElement[bool]], now: datetime) -> dict[Which, int]:
    counted = session.execute(
        select(*(func.sum(case((_is(which, now), 1), else_=0)) for which in Which))
        .select_from(f.Committee)
        .where(*wanted)
    ).one()
    return {which: int(number or 0) for which, number in zip(Which, counted, strict=True)}


def _listed(row: f.Committee, adherent: str, zone: str, now: datetime) -> Listed:
    return Listed(
        tenant_id=row.tenant_id,
        adherent=adherent,
        zone=zone,
        number=row.number,
        kind=row.kind,
        starts_at=row.starts_at,
        place=row.place,
        link=row.link,
        standing=standing(row, now),
    )


def _members(session: Session, tenant_id: int, number: int) -> list[Member]:
    member, contact = f.CommitteeMember, f.Contact
    rows = session.execute(
        select(contact.number, contact.name, contact.role, contact.mail)
        .join(member, and_(member.tenant_id == contact.tenant_id, member.contact == contact.number))
        .where(member.tenant_id == tenant_id, member.committee == number)
        .order_by(contact.name)
    )
    return [Member(number, name, role.value, mail) for number, name, role, mail in rows]


def _addenda(session: Session, tenant_id: int, number: int) -> list[Correction]:
    rows = session.scalars(
        select(f.Addendum)
        .where(f.Addendum.tenant_id == tenant_id, f.Addendum.committee == number)
        .order_by(f.Addendum.position)
    )
    return [Correction(row.position, row.text, row.written_by, row.written_at) for row in rows]
