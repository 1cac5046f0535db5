"""What is to be done for adherents, by when and by whom."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, and_, case, func, select
from sqlalchemy.orm import Session

from console.domain.committees import TaskState, is_overdue
from console.domain.errors import NotFound
from console.store.models import catalogue as c
from console.store.models import follow_up as f
from console.store.queries.paging import PAGE, PageOf


class Which(StrEnum):
    """Which tasks of a list."""

    OPEN = ""
    OVERDUE = "overdue"
    SETTLED = "settled"


@dataclass(frozen=True, slots=True)
class Task:
    """A task; `overdue` where it is open after its day."""

    tenant_id: int
    adherent: str
    number: int
    title: str
    committee: int | None
    account_id: int | None
    contact: int | None
    in_charge: str | None
    due_on: date | None
    overdue: bool
    state: TaskState
    created_by: str
    created_at: datetime
    settled_at: datetime | None
    settled_by: str | None
    version: int


@dataclass(frozen=True, slots=True)
class Tasks(PageOf[Task]):
    """One page of a list; `counts` tells how many there are of each `Which`."""

    counts: dict[Which, int]


def list_tasks(
    session: Session,
    *,
    today: date,
    which: Which = Which.OPEN,
    tenant_id: int | None = None,
    account_id: int | None = None,
    page: int = 1,
) -> Tasks:
    """Tasks of one adherent or of all in scope, of one account or of all: the first due comes first."""
    wanted: list[ColumnElement[bool]] = []
    if tenant_id is not None:
        wanted.append(f.Task.tenant_id == tenant_id)
    if account_id is not None:
        wanted.append(f.Task.account_id == account_id)
    counts = _counts(session, wanted, today)
    rows = session.execute(
        select(f.Task, c.Adherent.name)
        .join(c.Adherent, c.Adherent.tenant_id == f.Task.tenant_id)
        .where(*wanted, _is(which, today))
        .order_by(
            f.Task.settled_at.desc(),
            f.Task.due_on.is_(None),
            f.Task.due_on,
            f.Task.tenant_id,
            f.Task.number,
        )
        .limit(PAGE)
        .offset((page - 1) * PAGE)
    )
    return Tasks([_task(row, adherent, today) for row, adherent in rows], counts[which], page, counts)


def tasks_of_committee(session: Session, tenant_id: int, committee: int, today: date) -> list[Task]:
    """The tasks that come from a committee, in their order."""
    rows = session.execute(
        select(f.Task, c.Adherent.name)
        .join(c.Adherent, c.Adherent.tenant_id == f.Task.tenant_id)
        .where(f.Task.tenant_id == tenant_id, f.Task.committee == committee)
        .order_by(f.Task.number)
    )
    return [_task(row, adherent, today) for row, adherent in rows]


def task(session: Session, tenant_id: int, number: int, today: date) -> Task:
    """One task; raises `NotFound`."""
    row = session.execute(
        select(f.Task, c.Adherent.name)
        .join(c.Adherent, c.Adherent.tenant_id == f.Task.tenant_id)
        .where(f.Task.tenant_id == tenant_id, f.Task.number == number)
    ).one_or_none()
    if row is None:
        raise NotFound("Tâche introuvable.")
    return _task(row[0], row[1], today)


def overdue(today: date) -> ColumnElement[bool]:
    """Whether a task of a statement is overdue."""
    return and_(f.Task.state == TaskState.OPEN, f.Task.due_on.is_not(None), f.Task.due_on < today)


def _is(which: Which, today: date) -> ColumnElement[bool]:
    match which:
        case Which.OVERDUE:
            return overdue(today)
        case Which.SETTLED:
            return f.Task.state != TaskState.OPEN
    return f.Task.state == TaskState.OPEN


def _counts(session: Session, wanted: list[ColumnElement[bool]], today: date) -> dict[Which, int]:
    counted = session.execute(
        select(*(func.sum(case((_is(which, today), 1), else_=0)) for which in Which))
        .select_from(f.Task)
        .where(*wanted)
    ).one()
    return {which: int(number or 0) for which, number in zip(Which, counted, strict=True)}


def _task(row: f.Task, adherent: str, today: date) -> Task:
    own = {name: getattr(row, name) for name in Task.__slots__ if name not in ("adherent", "overdue")}
    return Task(**own, adherent=adherent, overdue=is_overdue(row.state, row.due_on, today))
