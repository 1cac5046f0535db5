"""What somebody has to do for an adherent: an account of the operator or a contact is in charge."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from console.actions.committees import committee_of
from console.actions.contacts import contact_of
from console.actions.numbering import next_number
from console.actions.tenancy import hold_adherent
from console.domain.committees import TaskState
from console.domain.errors import Conflict, NotFound
from console.domain.free_text import one_line
from console.domain.revisions import check_version
from console.store.models import follow_up as f
from console.store.queries.managers import Colleague


@dataclass(frozen=True, slots=True)
class TaskFacts:
    """What a person says of a task: `in_charge` is a colleague, the number of a contact, or nobody yet."""

    title: str
    due_on: date | None
    in_charge: Colleague | int | None
    committee: int | None


def add_task(session: Session, tenant_id: int, facts: TaskFacts, *, now: datetime, by: str) -> int:
    """Add something to do; the number. Raises `Conflict` where the same one is open: a form sent twice."""
    hold_adherent(session, tenant_id)
    task = f.Task(
        tenant_id=tenant_id,
        number=next_number(session, f.Task.number, tenant_id),
        state=TaskState.OPEN,
        created_by=by,
        created_at=now,
    )
    _tell(session, task, facts)
    if _is_open(session, task):
        raise Conflict("Cette tâche est déjà à faire.")
    session.add(task)
    session.flush()
    return task.number


def change_task(
    session: Session, tenant_id: int, number: int, facts: TaskFacts, *, seen_version: int | None
) -> None:
    """Change what is said of an open task; raises `Stale` where somebody changed it since it was read."""
    task = _task_of(session, tenant_id, number)
    check_version(seen_version, task.version)
    if task.state is not TaskState.OPEN:
        raise Conflict("Cette tâche n'est plus à faire : rouvrez-la d'abord.")
    _tell(session, task, facts)


def settle_task(
    session: Session, tenant_id: int, number: int, end: TaskState, *, now: datetime, by: str
) -> None:
    """An open task is done or dropped, or a settled one is open again."""
    task = _task_of(session, tenant_id, number)
    if (task.state is TaskState.OPEN) is (end is TaskState.OPEN):
        raise Conflict("L'état de cette tâche a changé entre-temps.")
    task.state = end
    task.settled_at, task.settled_by = (None, None) if end is TaskState.OPEN else (now, by)


def _task_of(session: Session, tenant_id: int, number: int) -> f.Task:
    hold_adherent(session, tenant_id)
    task = session.get(f.Task, (tenant_id, number))
    if task is None:
        raise NotFound("Tâche introuvable.")
    return task


def _is_open(session: Session, task: f.Task) -> bool:
    """Whether one that says the same is to be done already."""
    row = f.Task
    same = (row.title == task.title, row.due_on == task.due_on, row.committee == task.committee)
    in_charge = (row.account_id == task.account_id, row.contact == task.contact)
    found = select(row.number).where(
        row.tenant_id == task.tenant_id, row.state == TaskState.OPEN, *same, *in_charge
    )
    return session.scalars(found).first() is not None


def _tell(session: Session, task: f.Task, facts: TaskFacts) -> None:
    """Change a task once all that it names was found: a query in between would write it half changed."""
    title, (account_id, contact, name) = one_line(facts.title, "title"), _in_charge(session, task, facts)
    if facts.committee is not None:
        committee_of(session, task.tenant_id, facts.committee)
    task.title, task.due_on, task.committee = title, facts.due_on, facts.committee
    task.account_id, task.contact, task.in_charge = account_id, contact, name


def _in_charge(session: Session, task: f.Task, facts: TaskFacts) -> tuple[int | None, int | None, str | None]:
    """An account or a contact, and the name of whichever it is."""
    if isinstance(facts.in_charge, Colleague):
        return facts.in_charge.account_id, None, facts.in_charge.name
    if facts.in_charge is None:
        return None, None, None
    return None, facts.in_charge, contact_of(session, task.tenant_id, facts.in_charge).name
