"""What must be reckoned again, month by month: marked where something changes, taken by who does the work.

hours posted          -> the adherent's month (MonthDue), its host's and its site's
site                  -> what a data centre takes besides its IT: its meters, its PUE
host                  -> how the making of a host is shared among its workloads
service               -> how a shared service is split among its subscribers
prices                -> the carbon of an adherent's lines, whose energy stays as it is
rest                  -> what of a data centre no other line carries
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from enum import StrEnum

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from console.store.conditional import rows_touched
from console.store.models import carbon as b
from console.store.models import coordination as k
from console.store.upsert import upsert

AT_ONCE = timedelta()


class Step(StrEnum):
    """What is reckoned, in the order in which one needs the other; adherents come after hosts."""

    SITE = "site"
    HOST = "host"
    SERVICE = "service"
    PRICES = "prices"
    REST = "rest"


def make_due(
    session: Session,
    step: Step,
    whose: Iterable[tuple[str, date]],
    *,
    now: datetime,
    later: timedelta = AT_ONCE,
) -> None:
    """Mark months of subjects, such as `("tls", 2026-03-01)`, to be reckoned at once or some time later."""
    rows = [
        {"step": step.value, "subject": subject, "month": month, "due_at": now + later}
        for subject, month in sorted(set(whose))
    ]
    upsert(session, b.ReckoningDue, rows)


def make_months_due(
    session: Session, whose: Iterable[tuple[int, date]], *, now: datetime, later: timedelta = AT_ONCE
) -> None:
    """Mark months of adherents to be reckoned from their hours, at once or some time later.

    What is to be done later puts nothing off that is due already.
    """
    rows = [
        {"tenant_id": tenant_id, "month": month, "due_at": now + later}
        for tenant_id, month in sorted(set(whose))
    ]
    upsert(session, k.MonthDue, rows, update=() if later else ("due_at",))


def steps_due(session: Session, step: Step, *, now: datetime, limit: int = 500) -> list[tuple[str, date]]:
    """Subjects and months of a step, the longest waiting first."""
    row = b.ReckoningDue
    due = (
        select(row.subject, row.month)
        .where(row.step == step.value, row.due_at <= now)
        .order_by(row.due_at, row.subject, row.month)
        .limit(limit)
    )
    return [(subject, month) for subject, month in session.execute(due)]


def take(session: Session, step: Step, subject: str, month: date) -> bool:
    """Take the work of a month; False where another process took it first."""
    row = b.ReckoningDue
    of_month = (row.step == step.value, row.subject == subject, row.month == month)
    return rows_touched(session, delete(row).where(*of_month)) > 0


def postpone_step(session: Session, step: Step, subject: str, month: date, until: datetime) -> None:
    """Let what is behind a month that fails go first."""
    row = b.ReckoningDue
    of_month = (row.step == step.value, row.subject == subject, row.month == month)
    session.execute(update(row).where(*of_month).values(due_at=until))
