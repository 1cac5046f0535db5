"""Closing months of service: what they are reckoned from is frozen and hashed, and corrected by revisions."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from console.actions.tenancy import hold_adherent, subscription_of
from console.domain.availability import Months, period_bounds, period_days
from console.domain.errors import Conflict, Invalid
from console.domain.free_text import one_line
from console.domain.service_months import MonthInputs, nothing_counted, reckon_month
from console.store.models.service_months import ServiceMonth
from console.store.queries.service_months import (
    ClosedMonth,
    all_closed,
    closed_months,
    inputs_of,
    revisions_of,
)
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
    inputs = inputs_of(session, tenant_id, [month])
    fresh = sorted({subscription for subscription, _ in inputs} - closed)
    for subscription in fresh:
        session.add(_frozen(tenant_id, subscription, inputs[subscription, month], None, None, now, by))
    session.flush()
    return fresh


def correct_month(
    session: Session, tenant_id: int, subscription: int, month: date, *, reason: str, now: datetime, by: str
) -> int:
    """Close a month anew from what is known now; the number of the revision.

    Where the subscription turns out not to have been active, nothing of it is counted. Raises `Conflict`
    where it is not closed, or nothing of its inputs changed.
    """
    hold_adherent(session, tenant_id)
    subscription_of(session, tenant_id, subscription)
    reason = one_line(reason, "reason")
    past = revisions_of(session, tenant_id, subscription, month)
    if not past:
        raise Conflict("Ce mois n'est pas clos : il n'y a rien à corriger.")
    last = past[-1]
    known = inputs_of(session, tenant_id, [month])
    inputs = known.get((subscription, month)) or nothing_counted(last.inputs)
    if inputs == last.inputs:
        raise Conflict("Rien n'a changé de ce dont ce mois a été calculé.")
    session.add(_frozen(tenant_id, subscription, inputs, last, reason, now, by))
    session.flush()
    return last.revision + 1


def unsound_months(session: Session, tenant_id: int) -> list[tuple[int, date, int]]:
    """Closed months whose inputs no longer have their hash, do not make their figures or lack a revision.

    Each as subscription, month and revision.
    """
    rows = all_closed(session, tenant_id)
    return [
        (row.subscription, row.month, row.revision)
        for before, row in zip([None, *rows], rows, strict=False)
        if not _is_sound(row, before)
    ]


def _frozen(
    tenant_id: int,
    subscription: int,
    inputs: MonthInputs,
    before: ClosedMonth | None,
    reason: str | None,
    now: datetime,
    by: str,
) -> ServiceMonth:
    text = canonical.encode(inputs)
    return ServiceMonth(
        tenant_id=tenant_id,
        subscription=subscription,
        month=inputs.month,
        revision=before.revision + 1 if before else 1,
        inputs=text,
        sha256=_chained(text, before.sha256 if before else ""),
        closed_at=now,
        closed_by=by,
        reason=reason,
        **_figures(inputs),
    )


def _figures(inputs: MonthInputs) -> dict[str, int | None]:
    """The columns that the inputs make."""
    figures = reckon_month(inputs)
    measured = figures.measured
    return {
        "availability_ppm": measured.availability_ppm,
        "target_ppm": figures.target_ppm,
        "counted_s": measured.counted_s,
        "outage_s": measured.outage_s,
        "degraded_s": measured.degraded_s,
        "excused_s": measured.excused_s,
        "lost": measured.lost,
        "credit_percent": figures.credit_percent,
        "credit_cents": figures.credit_cents if figures.credits else None,
    }


def _chained(text: str, before: str) -> str:
    """The hash of a revision, which covers that of the one before."""
    return canonical.sha256(before + text)


def _is_sound(row: ServiceMonth, before: ServiceMonth | None) -> bool:
    """`before` is the row that comes before it, if only by chance of the same month."""
    if before and (before.subscription, before.month) != (row.subscription, row.month):
        before = None
    if row.revision != (before.revision + 1 if before else 1):
        return False
    if _chained(row.inputs, before.sha256 if before else "") != row.sha256:
        return False
    figures = _figures(canonical.decode(MonthInputs, row.inputs))
    return all(getattr(row, name) == value for name, value in figures.items())
