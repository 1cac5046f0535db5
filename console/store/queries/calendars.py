"""Service calendars: the list, one with the plans that use it, and whether a subscription holds it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from console.domain.calendar import Calendar, Segment
from console.domain.errors import NotFound
from console.domain.revisions import fingerprint
from console.domain.service_hours import DAYS, DatedOpening, ServiceHours
from console.store.models import catalogue as c
from console.store.models import contract as k
from console.store.models import tenant as t
from console.store.queries.plans import PlanKey, calendar_of, closure_of, segment_of


@dataclass(frozen=True, slots=True)
class PlanName:
    """A version of a plan."""

    code: str
    version: int
    name: str


@dataclass(frozen=True, slots=True)
class ServiceCalendar:
    """A calendar as it is written, as the clocks read it, and the versions of plans that use it."""

    code: str
    name: str
    hours: ServiceHours
    calendar: Calendar
    plans: Sequence[PlanName]

    @property
    def version(self) -> str:
        """What a form is filled in from."""
        return version_of(self.name, self.hours)


def version_of(name: str, hours: ServiceHours) -> str:
    """The version of a calendar: another one for each other content."""
    return fingerprint(name, hours)


def service_calendars(session: Session) -> Sequence[ServiceCalendar]:
    """Every calendar, by name."""
    plans = _plans(session)
    rows = session.scalars(select(c.ServiceCalendar).order_by(c.ServiceCalendar.name, c.ServiceCalendar.code))
    return [_calendar(row, plans) for row in rows]


def service_calendar(session: Session, code: str) -> ServiceCalendar:
    """A calendar; raises `NotFound`."""
    row = session.get(c.ServiceCalendar, code)
    if row is None:
        raise NotFound("Calendrier introuvable.")
    return _calendar(row, _plans(session))


def hours_of(row: c.ServiceCalendar) -> ServiceHours:
    """A row as people write it."""
    week: list[list[Segment]] = [[] for _ in DAYS]
    for weekday, *hours in row.segments:
        week[weekday].append(segment_of(hours))
    return ServiceHours(
        zone=row.zone,
        always=row.kind is c.CalendarKind.ALWAYS,
        territory=row.holidays,
        week=tuple(map(tuple, week)),
        closures=tuple(closure_of(told) for told in row.closures),
        openings=tuple(
            DatedOpening(
                date.fromisoformat(told["on"]),
                tuple(segment_of(hours) for hours in told["segments"]),
                told["name"],
            )
            for told in row.openings
        ),
    )


def is_held(session: Session, code: str) -> bool:
    """Whether a subscription has had, has or will have a plan with this calendar; the scope is Operator."""
    keys = session.execute(
        select(c.SlaPlan.code, c.SlaPlan.version).where(c.SlaPlan.calendar_code == code)
    ).all()
    return any(_plan_is_held(session, (plan, version)) for plan, version in keys)


def _plan_is_held(session: Session, plan: PlanKey) -> bool:
    subscription, changes = t.Subscription, k.SubscriptionAmendment.changes
    now = exists().where(subscription.plan_code == plan[0], subscription.plan_version == plan[1])
    ever = exists().where(
        changes["plan_code"].as_string() == plan[0], changes["plan_version"].as_integer() == plan[1]
    )
    return bool(session.scalar(select(now)) or session.scalar(select(ever)))


def _plans(session: Session) -> Mapping[str, Sequence[PlanName]]:
    """Versions of plans by calendar."""
    found: dict[str, list[PlanName]] = {}
    plan = c.SlaPlan
    for calendar, code, version, name in session.execute(
        select(plan.calendar_code, plan.code, plan.version, plan.name).order_by(plan.name, plan.version)
    ):
        found.setdefault(calendar, []).append(PlanName(code, version, name))
    return found


def _calendar(row: c.ServiceCalendar, plans: Mapping[str, Sequence[PlanName]]) -> ServiceCalendar:
    return ServiceCalendar(row.code, row.name, hours_of(row), calendar_of(row), plans.get(row.code, ()))
