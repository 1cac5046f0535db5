"""Plans in the terms of the domain: the calendar of a version and its targets by priority."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import holidays
from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from console.domain.calendar import Calendar, Closure, Segment
from console.domain.clock import Target, Unit
from console.domain.credits import CreditStep
from console.domain.errors import Invalid
from console.domain.escalation import Escalation, Promise
from console.domain.offer import Life
from console.store.models import catalogue as c
from console.store.models import offer as o

PlanKey = tuple[str, int]  # the code of a plan and its version


@dataclass(frozen=True, slots=True)
class Targets:
    """How fast an incident is to be owned and restored."""

    tto: Target
    ttr: Target


@dataclass(frozen=True, slots=True)
class Plan:
    """A version of a plan; `targets` has an entry for each priority it covers.

    `availability_ppm` None promises nothing; `degraded_percent` of a degraded time counts as an outage;
    `breach_notice_hours` None says nothing of how fast the adherent is told of a security incident.
    """

    code: str
    version: int
    name: str
    calendar_name: str
    calendar: Calendar
    targets: Mapping[str, Targets]
    escalations: Sequence[Escalation] = ()
    availability_ppm: int | None = None
    notice_hours: int = 0
    degraded_percent: int = 0
    credit_steps: Sequence[CreditStep] = ()
    breach_notice_hours: int | None = None


@dataclass(frozen=True, slots=True)
class Offer:
    """A service that can be subscribed to, with the versions that the catalogue knows."""

    code: str
    trade: str
    name_fr: str
    name_en: str
    unit_fr: str
    unit_en: str
    versions: Sequence[str]


def plan_of(session: Session, code: str | None, version: int | None) -> Plan:
    """The version of a plan that a subscription holds; raises `Invalid` where it holds none."""
    if code is None or version is None:
        raise Invalid("subscription", "Cette souscription n'a pas encore de plan : choisissez-le d'abord.")
    return plans_of(session, {(code, version)})[code, version]


def plans_of(session: Session, plans: Collection[PlanKey]) -> dict[PlanKey, Plan]:
    """Several versions of plans in one statement; each calendar is made once."""
    rows = session.execute(
        select(c.SlaPlan, c.ServiceCalendar)
        .join(c.ServiceCalendar, c.ServiceCalendar.code == c.SlaPlan.calendar_code)
        .where(tuple_(c.SlaPlan.code, c.SlaPlan.version).in_(sorted(plans)))
    ).all()
    calendars = {opening.code: calendar_of(opening) for opening in {opening for _, opening in rows}}
    return {
        (row.code, row.version): _plan(row, opening.name, calendars[opening.code]) for row, opening in rows
    }


def _plan(row: c.SlaPlan, calendar_name: str, calendar: Calendar) -> Plan:
    return Plan(
        code=row.code,
        version=row.version,
        name=row.name,
        calendar_name=calendar_name,
        calendar=calendar,
        targets={
            priority: Targets(tto=target_of(promised["tto"]), ttr=target_of(promised["ttr"]))
            for priority, promised in row.targets.items()
        },
        escalations=[escalation_of(rule) for rule in row.escalations],
        availability_ppm=row.availability_ppm,
        notice_hours=row.notice_hours,
        degraded_percent=row.degraded_percent,
        credit_steps=[CreditStep(below_ppm, percent) for below_ppm, percent in row.credit_steps],
        breach_notice_hours=row.breach_notice_hours,
    )


def calendars_of(session: Session, plans: Collection[PlanKey]) -> dict[PlanKey, Calendar]:
    """The calendars of several plan versions in one statement; each calendar is made once."""
    plan, opening = c.SlaPlan, c.ServiceCalendar
    rows = session.execute(
        select(plan.code, plan.version, opening)
        .join(opening, opening.code == plan.calendar_code)
        .where(tuple_(plan.code, plan.version).in_(sorted(plans)))
    ).all()
    made = {row.code: calendar_of(row) for row in {row for _, _, row in rows}}
    return {(code, version): made[row.code] for code, version, row in rows}


def offers(session: Session, on: date | None = None) -> list[Offer]:
    """Every service, trade by trade; of those that are sold on a day where one is given."""
    rows = session.scalars(select(c.Service).order_by(c.Service.trade, c.Service.name_fr))
    versions = _versions(session)
    return [
        Offer(
            code=row.code,
            trade=row.trade.value,
            name_fr=row.name_fr,
            name_en=row.name_en,
            unit_fr=row.unit_fr,
            unit_en=row.unit_en,
            versions=versions.get(row.code, ()),
        )
        for row in rows
        if on is None or Life(row.sales_end_on, row.support_ends_on, row.retired_on).sold_on(on)
    ]


def _versions(session: Session) -> Mapping[str, Sequence[str]]:
    """Of each service, the latest first."""
    row = o.ServiceVersion
    found: dict[str, list[str]] = {}
    for code, version in session.execute(
        select(row.service_code, row.version).order_by(row.released_on.desc(), row.version)
    ):
        found.setdefault(code, []).append(version)
    return found


def calendar_of(row: c.ServiceCalendar) -> Calendar:
    """A calendar of the catalogue in the terms of the domain."""
    zone = ZoneInfo(row.zone)
    if row.kind is c.CalendarKind.ALWAYS:
        return Calendar.around_the_clock(zone)
    week: dict[int, list[Segment]] = {}
    for weekday, *hours in row.segments:
        week.setdefault(weekday, []).append(segment_of(hours))
    return Calendar(
        zone,
        week=week,
        holidays=_holidays(row.holidays) if row.holidays else {},
        closures=tuple(closure_of(told) for told in row.closures),
        openings={
            date.fromisoformat(told["on"]): [segment_of(hours) for hours in told["segments"]]
            for told in row.openings
        },
        opening_names={date.fromisoformat(told["on"]): told["name"] for told in row.openings},
    )


def segment_of(hours: Sequence[str]) -> Segment:
    """A segment from its two wall times, "HH:MM"."""
    opens, closes = hours
    return Segment.parse(f"{opens}-{closes}")


def closure_of(told: Mapping[str, Any]) -> Closure:
    """A closure as a calendar stores it."""
    first, last = date.fromisoformat(told["first"]), date.fromisoformat(told["last"])
    return Closure(first, last, yearly=told["yearly"], name=told["name"])


@cache
def _holidays(territory: str) -> Mapping[date, str]:
    """Public holidays of "FR", or of a part of it such as "FR-57"; a year is reckoned when asked for."""
    country, _, part = territory.partition("-")
    return holidays.country_holidays(country, subdiv=part or None, language="fr")


def escalation_of(rule: Mapping[str, Any]) -> Escalation:
    """A rule of escalation as a plan stores it."""
    return Escalation(Promise(rule["clock"]), rule["amount"], Unit(rule["unit"]), rule["level"])


def target_of(promised: list[Any]) -> Target:
    """A target as a plan stores it."""
    amount, unit, *end_of_day = promised
    return Target(amount, Unit(unit), end_of_day=bool(end_of_day))
