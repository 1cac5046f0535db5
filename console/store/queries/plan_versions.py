"""Plans as their pages show them: the list, and one with all its versions and what each changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from console.domain.credits import CreditStep
from console.domain.errors import NotFound
from console.domain.escalation import Promise
from console.domain.plan_terms import Difference, PlanTerms, differences
from console.store.models import catalogue as c
from console.store.queries.plans import escalation_of, target_of
from console.store.queries.service_names import ServiceName, name_of


@dataclass(frozen=True, slots=True)
class PlanVersion:
    """A version of a plan with what it changed from the one before.

    `made_by` and `made_at` are None for what came with the catalogue.
    """

    code: str
    version: int
    terms: PlanTerms
    changes: Sequence[Difference]
    made_by: str | None
    made_at: datetime | None


@dataclass(frozen=True, slots=True)
class PlanHistory:
    """A plan: its versions, the latest first; the names of calendars by code; the services sold with it."""

    code: str
    versions: Sequence[PlanVersion]
    calendars: dict[str, str]
    services: Sequence[ServiceName]

    @property
    def latest(self) -> PlanVersion:
        return self.versions[0]


def latest_plans(session: Session) -> Sequence[PlanVersion]:
    """The latest version of every plan, by name."""
    latest: dict[str, PlanVersion] = {}
    for row in session.scalars(select(c.SlaPlan).order_by(c.SlaPlan.code, c.SlaPlan.version)):
        latest[row.code] = _version(row, latest.get(row.code))
    return sorted(latest.values(), key=lambda plan: (plan.terms.name, plan.code))


def plan_history(session: Session, code: str) -> PlanHistory:
    """A plan with its versions; raises `NotFound`."""
    versions: list[PlanVersion] = []
    for row in session.scalars(select(c.SlaPlan).where(c.SlaPlan.code == code).order_by(c.SlaPlan.version)):
        versions.append(_version(row, versions[-1] if versions else None))
    if not versions:
        raise NotFound("Plan introuvable.")
    sold = select(c.Service).where(c.Service.plan_code == code).order_by(c.Service.name_fr)
    return PlanHistory(
        code, versions[::-1], calendar_names(session), [name_of(row) for row in session.scalars(sold)]
    )


def calendar_names(session: Session) -> dict[str, str]:
    """The names of calendars by code, by name."""
    calendar = c.ServiceCalendar
    rows = session.execute(select(calendar.code, calendar.name).order_by(calendar.name))
    return {row.code: row.name for row in rows}


def terms_of(row: c.SlaPlan) -> PlanTerms:
    """What a version of a plan promises."""
    return PlanTerms(
        name=row.name,
        calendar_code=row.calendar_code,
        targets={
            priority: {promise: target_of(promised[promise.value]) for promise in Promise}
            for priority, promised in row.targets.items()
        },
        availability_ppm=row.availability_ppm,
        notice_hours=row.notice_hours,
        degraded_percent=row.degraded_percent,
        credit_steps=[CreditStep(below_ppm, percent) for below_ppm, percent in row.credit_steps],
        escalations=[escalation_of(rule) for rule in row.escalations],
        breach_notice_hours=row.breach_notice_hours,
    )


def _version(row: c.SlaPlan, before: PlanVersion | None) -> PlanVersion:
    terms = terms_of(row)
    changes = differences(before.terms, terms) if before else []
    return PlanVersion(row.code, row.version, terms, changes, row.made_by, row.made_at)
