"""Issuing statements: the month is reckoned, its figures frozen and hashed, and never changed after."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from console.actions.carbon_months import steps_of, waits
from console.actions.host_months import settle_host
from console.actions.metering import meter_waiting
from console.actions.reckoning import reckon, reckon_month
from console.actions.reckoning_due import Step
from console.actions.site_terms import settle_month
from console.actions.tenancy import hold_adherent
from console.domain.errors import Invalid, NotFound
from console.domain.hours import month_bounds
from console.store.models import catalogue as c
from console.store.models import tenant as t
from console.store.queries.month_figures import month_figures


def issue_statement(session: Session, tenant_id: int, month: date, *, now: datetime, by: str) -> int:
    """Issue the INR statement of an adherent's local month; its number.

    Hours of the month that wait to be metered are metered first. A running month gives a draft. Needs a
    session of the operator's scope.
    """
    adherent = session.get(c.Adherent, tenant_id)
    if adherent is None:
        raise NotFound("Adhérent introuvable.")
    if month.day != 1 or month_bounds(month, ZoneInfo(adherent.zone))[0] > now:
        raise Invalid("month", "Un relevé porte sur un mois commencé.")
    start, end = month_bounds(month, ZoneInfo(adherent.zone))
    meter_waiting(session, tenant_id, start, end, now=now)  # holds hosts, which come before adherents
    hold_adherent(session, tenant_id)
    _reckon_waiting(session, tenant_id, month, now)
    frozen = replace(
        month_figures(session, tenant_id, month, now=now, by=by), waits=waits(session, tenant_id, month)
    ).judged()
    last = session.scalar(select(func.max(t.Statement.number)).where(t.Statement.tenant_id == tenant_id))
    statement = t.Statement(
        tenant_id=tenant_id,
        number=(last or 0) + 1,
        month=month,
        status="draft" if frozen.is_draft else frozen.status,
        figures=frozen.to_json(),
        sha256=frozen.sha256(),
        issued_at=now,
        issued_by=by,
    )
    session.add(statement)
    return statement.number


def _reckon_waiting(session: Session, tenant_id: int, month: date, now: datetime) -> None:
    """Do what the jobs have not come to yet; what still waits then makes the statement a draft."""
    hangs_on = steps_of(session, tenant_id, month)
    before: dict[Step, Callable[..., bool]] = {Step.SITE: settle_month, Step.HOST: settle_host}
    for step, work in before.items():
        for subject in sorted(hangs_on[step]):
            work(session, subject, month, now=now)
    if not reckon_month(session, tenant_id, month, now=now):
        reckon(session, tenant_id, month, now=now)
    session.flush()
