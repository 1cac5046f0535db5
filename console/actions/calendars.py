"""Service calendars: made, copied and changed; what hangs on one that changed is reckoned again."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from console.actions.incident_clocks import reckon_open
from console.actions.services import hold_catalogue
from console.domain.calendar import Calendar, Segment
from console.domain.errors import Conflict, NotFound
from console.domain.free_text import one_line, optional_line
from console.domain.offer import check_code
from console.domain.revisions import check_version
from console.domain.service_hours import ServiceHours, check_change, check_hours
from console.store.conditional import rows_touched
from console.store.models import catalogue as c
from console.store.models import coordination as k
from console.store.models import tenant as t
from console.store.queries.calendars import hours_of, is_held, version_of
from console.store.queries.plans import calendar_of
from console.store.upsert import upsert


def add_calendar(session: Session, code: str, name: str, hours: ServiceHours, *, now: datetime) -> None:
    """Add a calendar; raises `Conflict` where its code is taken, `Invalid` where it never opens."""
    hold_catalogue(session)
    check_code(code)
    if session.get(c.ServiceCalendar, code) is not None:
        raise Conflict("Le calendrier %(code)s existe déjà.", code=code)
    session.add(c.ServiceCalendar(code=code, **columns_of(name, hours, now=now)))
    session.flush()


def edit_calendar(
    session: Session,
    code: str,
    name: str,
    hours: ServiceHours,
    *,
    seen_version: str | None,
    today: date,
    now: datetime,
) -> int:
    """Change a calendar; how many subscriptions have unresolved incidents whose clocks are now due.

    Raises `Stale` where the form was filled in from another content than the present one. Where a
    subscription holds it only what lies ahead changes: see `domain.service_hours.check_change`.
    """
    hold_catalogue(session)
    row = session.get(c.ServiceCalendar, code, populate_existing=True)
    if row is None:
        raise NotFound("Calendrier introuvable.")
    check_version(seen_version, version_of(row.name, hours_of(row)))
    before, was = hours_of(row), calendar_of(row)
    columns = columns_of(name, hours, now=now)
    if is_held(session, code):
        check_change(before, hours, was, calendar_of(c.ServiceCalendar(code=code, **columns)), today)
    for column, value in columns.items():
        setattr(row, column, value)
    session.flush()
    return 0 if before == hours else _clocks_fall_due(session, code, now)


def read_calendar(name: str, hours: ServiceHours, *, now: datetime) -> Calendar:
    """What a form makes, before it is kept; raises `Invalid` as keeping it would."""
    return calendar_of(c.ServiceCalendar(code="", **columns_of(name, hours, now=now)))


def columns_of(name: str, hours: ServiceHours, *, now: datetime) -> dict[str, Any]:
    """The columns of a calendar; raises `Invalid` for what cannot be one, or never opens from `now` on."""
    check_hours(hours)
    columns: dict[str, Any] = {
        "name": one_line(name, "name"),
        "kind": c.CalendarKind.ALWAYS if hours.always else c.CalendarKind.WEEKLY,
        "zone": hours.zone,
        "holidays": hours.territory,
        "segments": [
            [weekday, *_walls(segment)] for weekday, day in enumerate(hours.week) for segment in day
        ],
        "closures": [
            {
                "first": closure.first.isoformat(),
                "last": closure.last.isoformat(),
                "yearly": closure.yearly,
                "name": optional_line(closure.name, "closures") or "",
            }
            for closure in hours.closures
        ],
        "openings": [
            {
                "on": opening.on.isoformat(),
                "segments": [_walls(segment) for segment in opening.segments],
                "name": optional_line(opening.name, "openings") or "",
            }
            for opening in hours.openings
        ],
    }
    calendar_of(c.ServiceCalendar(code="", **columns)).next_opening(now)
    return columns


def clocks_due(session: Session, *, now: datetime, limit: int = 500) -> list[tuple[int, int]]:
    """Adherents and subscriptions whose clocks are to be read again, the longest waiting first."""
    due = k.ClockDue
    rows = session.execute(
        select(due.tenant_id, due.subscription).where(due.due_at <= now).order_by(due.due_at).limit(limit)
    )
    return [(tenant_id, subscription) for tenant_id, subscription in rows]


def read_clocks(session: Session, tenant_id: int, subscription: int, *, now: datetime) -> bool:
    """Read the clocks of a subscription's unresolved incidents; False where another process took it."""
    due = k.ClockDue
    of_one = (due.tenant_id == tenant_id, due.subscription == subscription)
    if not rows_touched(session, delete(due).where(*of_one)):
        return False
    reckon_open(session, tenant_id, subscription, now=now)
    return True


def postpone_clocks(session: Session, tenant_id: int, subscription: int, *, until: datetime) -> None:
    """Let the subscriptions behind one that fails go first."""
    due = k.ClockDue
    of_one = (due.tenant_id == tenant_id, due.subscription == subscription)
    session.execute(update(due).where(*of_one).values(due_at=until))


def _clocks_fall_due(session: Session, code: str, now: datetime) -> int:
    subscription, plan, incident = t.Subscription, c.SlaPlan, t.Incident
    rows = session.execute(
        select(subscription.tenant_id, subscription.number)
        .join(plan, (plan.code == subscription.plan_code) & (plan.version == subscription.plan_version))
        .join(
            incident,
            (incident.tenant_id == subscription.tenant_id) & (incident.subscription == subscription.number),
        )
        .where(plan.calendar_code == code, incident.resolved_at.is_(None))
        .distinct()
    ).all()
    due = [{"tenant_id": tenant_id, "subscription": number, "due_at": now} for tenant_id, number in rows]
    upsert(session, k.ClockDue, due, update=["due_at"])
    return len(due)


def _walls(segment: Segment) -> list[str]:
    opens, _dash, closes = str(segment).partition("-")
    return [opens, closes]
