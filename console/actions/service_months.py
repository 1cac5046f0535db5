"""Closing months of service: what they are reckoned from is frozen and hashed, and corrected by revisions."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from console.actions.tenancy import hold_adherent, subscription_of
from console.domain.availability import Months, period_bounds, period_days
from console.domain.errors import Conflict, Invalid
from console.domain.free_text import one_line
from console.domain.service_months import MonthInputs, reckon_month
from console.store.models.service_months import ServiceMonth
from console.store.queries.service_months import all_closed, closed_months, inputs_of, revisions_of
from reports import canonical


def close_month(session: Session, tenant_id: int, month: date, *, now: datetime, by: str) -> list[int]:
    """Close a local month of each subscription that was active in it; the numbers of those closed now.

    What is closed already stays as it is. Raises `Invalid` while the month runs.
    """
    adherent = hold_adherent(session, tenant_id)
    if month.day != 1:
        raise Invalid("month", "Un mois est attendu.")
    if period_bounds(*period_days(month, Months.MONTH), ZoneInfo(adherent.zone))[1] > now:
        raise Invalid("month", "Ce mois n'est pas fini : il ne se clôt qu'ensuite.")
    closed = {one.subscription for one in closed_months(session, tenant_id, [month])}
    inputs = inputs_of(session, tenant_id, [month], now)
    fresh = sorted({subscription for subscription, _ in inputs} - closed)
    for subscription in fresh:
        session.add(_frozen(tenant_id, subscription, inputs[subscription, month], 1, None, now, by))
    session.flush()
    return fresh


def correct_month(
    session: Session, tenant_id: int, subscription: int, month: date, *, reason: str, now: datetime, by: str
) -> int:
    """Close a month anew from what is known now; the number of the revision.

    Raises `Conflict` where it is not closed, or nothing of its inputs changed.
    """
    hold_adherent(session, tenant_id)
    subscription_of(session, tenant_id, subscription)
    reason = one_line(reason, "reason")
    past = revisions_of(session, tenant_id, subscription, month)
    if not past:
        raise Conflict("Ce mois n'est pas clos : il n'y a rien à corriger.")
    inputs = inputs_of(session, tenant_id, [month], now).get((subscription, month))
    if inputs is None:
        raise Conflict("La souscription n'est plus active en ce mois : il n'y a plus rien à calculer.")
    if inputs == past[-1].inputs:
        raise Conflict("Rien n'a changé de ce dont ce mois a été calculé.")
    revision = past[-1].revision + 1
    session.add(_frozen(tenant_id, subscription, inputs, revision, reason, now, by))
    session.flush()
    return revision


def unsound_months(session: Session, tenant_id: int) -> list[tuple[int, date, int]]:
    """Closed months whose inputs no longer have their hash, or do not make their figures.

    Each as subscription, month and revision.
    """
    return [
        (row.subscription, row.month, row.revision)
        for row in all_closed(session, tenant_id)
        if not _is_sound(row)
    ]


def _frozen(
    tenant_id: int,
    subscription: int,
    inputs: MonthInputs,
    revision: int,
    reason: str | None,
    now: datetime,
    by: str,
) -> ServiceMonth:
    text = canonical.encode(inputs)
    return ServiceMonth(
        tenant_id=tenant_id,
        subscription=subscription,
        month=inputs.month,
        revision=revision,
        inputs=text,
        sha256=canonical.sha256(text),
        closed_at=now,
        closed_by=by,
        reason=reason,
        **_figures(inputs),
    )


def _figures(inputs: MonthInputs) -> dict[str, int | None]:
    """The columns that the inputs make."""
    figures = reckon_month(inputs)
    measured, credit = figures.measured, figures.credit
    return {
        "availability_ppm": measured.availability_ppm,
        "target_ppm": figures.target_ppm,
        "counted_s": measured.counted_s,
        "outage_s": measured.outage_s,
        "degraded_s": measured.degraded_s,
        "excused_s": measured.excused_s,
        "lost": measured.lost,
        "credit_percent": credit.step.percent if credit else None,
        "credit_cents": credit.cents if credit else None,
    }


def _is_sound(row: ServiceMonth) -> bool:
    if canonical.sha256(row.inputs) != row.sha256:
        return False
    figures = _figures(canonical.decode(MonthInputs, row.inputs))
    return all(getattr(row, name) == value for name, value in figures.items())
