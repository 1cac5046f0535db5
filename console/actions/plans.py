"""Plans: a version is never edited, so each subscription keeps what it was sold; a change is a new one."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from console.actions.services import hold_catalogue
from console.domain.clock import Target
from console.domain.errors import Conflict, Invalid, NotFound
from console.domain.escalation import Escalation
from console.domain.free_text import one_line
from console.domain.offer import check_code
from console.domain.plan_terms import PRIORITIES, PlanTerms, check_terms, differences
from console.store.models import catalogue as c
from console.store.queries.plan_versions import terms_of


def add_plan(session: Session, code: str, terms: PlanTerms, *, now: datetime, by: str) -> None:
    """Add a plan in its first version; raises `Conflict` where its code is taken."""
    hold_catalogue(session)
    check_code(code)
    if _latest(session, code) is not None:
        raise Conflict("Le plan %(code)s existe déjà.", code=code)
    _add(session, code, 1, terms, now, by)


def add_plan_version(
    session: Session, code: str, terms: PlanTerms, *, after: int, now: datetime, by: str
) -> int:
    """Add the version that follows `after`, which the person saw; its number.

    Raises `Conflict` where another came in between, `Invalid` where it says what the one before says.
    """
    hold_catalogue(session)
    latest = _latest(session, code)
    if latest is None:
        raise NotFound("Plan introuvable.")
    if latest.version != after:
        raise Conflict("Ce plan a une version plus récente : rechargez la page.")
    if not differences(terms_of(latest), replace(terms, name=one_line(terms.name, "name"))):
        raise Invalid("name", "Cette version dit la même chose que la précédente.")
    _add(session, code, after + 1, terms, now, by)
    return after + 1


def _latest(session: Session, code: str) -> c.SlaPlan | None:
    return session.scalars(
        select(c.SlaPlan).where(c.SlaPlan.code == code).order_by(c.SlaPlan.version.desc()).limit(1)
    ).one_or_none()


def _add(session: Session, code: str, version: int, terms: PlanTerms, now: datetime, by: str) -> None:
    check_terms(terms)
    if session.get(c.ServiceCalendar, terms.calendar_code) is None:
        raise Invalid("calendar", "Un calendrier de la liste est attendu.")
    session.add(
        c.SlaPlan(
            code=code,
            version=version,
            name=one_line(terms.name, "name"),
            calendar_code=terms.calendar_code,
            targets={
                priority: {
                    promise.value: _target(target) for promise, target in terms.targets[priority].items()
                }
                for priority in PRIORITIES
            },
            availability_ppm=terms.availability_ppm,
            notice_hours=terms.notice_hours,
            degraded_percent=terms.degraded_percent,
            credit_steps=[[step.below_ppm, step.percent] for step in terms.credit_steps],
            escalations=[_escalation(rule) for rule in terms.escalations],
            breach_notice_hours=terms.breach_notice_hours,
            made_by=by,
            made_at=now,
        )
    )
    session.flush()


def _target(target: Target) -> list[Any]:
    return [target.amount, target.unit.value, *(["end_of_day"] if target.end_of_day else [])]


def _escalation(rule: Escalation) -> dict[str, Any]:
    return {
        "clock": rule.promise.value,
        "amount": rule.amount,
        "unit": rule.unit.value,
        "level": rule.level,
    }
