"""The month lines of adherents: the energy of their hours, what the facility takes and what was embodied.

hours of a month -> lines, one a stretch in which the terms of the site are the same (`month_hours`)
                 -> overhead and water by the site's month, embodied carbon by the host's
                 -> carbon by basis (`pricing`)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from console.actions.embodied import Embodied, embodied_of, workload_months
from console.actions.month_hours import Used, used_between
from console.actions.pricing import price_lines
from console.actions.reckoning_due import Step, make_due
from console.actions.sharing_due import own_energy_changed
from console.actions.site_terms import facility_of, technical_in
from console.domain.claims import UNCLAIMED
from console.domain.hours import month_bounds, month_of
from console.domain.month_lines import NO_HOST, OPEN_REVISION, Facility, LineKind
from console.store.bulk import Row, add_rows
from console.store.conditional import rows_touched
from console.store.models import carbon as b
from console.store.models import catalogue as c
from console.store.models import coordination as k
from console.store.models import equipment as q
from console.store.queries.generation import is_before_ledger

FROM_HOURS = (LineKind.OWN, LineKind.POOL, LineKind.UNCLAIMED)


@dataclass(frozen=True, slots=True)
class _SiteTerms:
    """Under what the lines of a month of a site are reckoned; None: unknown."""

    facility: Facility | None = None
    technical: Mapping[str, Any] | None = None


def months_due(session: Session, *, now: datetime, limit: int = 500) -> list[tuple[int, date]]:
    """Adherents and months whose energy changed, the longest waiting first."""
    due = (
        select(k.MonthDue.tenant_id, k.MonthDue.month)
        .where(k.MonthDue.due_at <= now)
        .order_by(k.MonthDue.due_at)
        .limit(limit)
    )
    return [(tenant_id, month) for tenant_id, month in session.execute(due)]


def postpone_month(session: Session, tenant_id: int, month: date, until: datetime) -> None:
    """Let the months behind one that fails go first."""
    of_month = (k.MonthDue.tenant_id == tenant_id, k.MonthDue.month == month)
    session.execute(update(k.MonthDue).where(*of_month).values(due_at=until))


def reckon_month(session: Session, tenant_id: int, month: date, *, now: datetime) -> bool:
    """Reckon an adherent's month from its hours; False where another process took the month first."""
    of_month = (k.MonthDue.tenant_id == tenant_id, k.MonthDue.month == month)
    if not rows_touched(session, delete(k.MonthDue).where(*of_month)):
        return False
    reckon(session, tenant_id, month, now=now)
    return True


def reckon(session: Session, tenant_id: int, month: date, *, now: datetime) -> None:
    """Reckon the month whether it is due or not; one that is before the ledger stays as it is."""
    zone = session.scalars(select(c.Adherent.zone).where(c.Adherent.tenant_id == tenant_id)).one()
    start, end = month_bounds(month, ZoneInfo(zone))
    if is_before_ledger(session, start):
        return
    used = used_between(session, tenant_id, start, end)
    rows = _lines(session, tenant_id, month, used, now)
    pooled = _replace(session, tenant_id, month, rows)
    direct = {one.key: one.known for one in used}
    price_lines(session, [tenant_id], month, now=now, direct=direct)
    make_due(session, Step.SERVICE, [(code, month) for code in pooled], now=now)
    make_due(session, Step.REST, [(one.place.code, _month(one)) for one in used if one.place.code], now=now)
    own_energy_changed(session, tenant_id, month, now=now)


def is_closed(session: Session, tenant_id: int, month: date) -> bool:
    """Whether what is shown of the month is a revision that was closed."""
    row = b.CarbonMonth
    found = session.scalar(
        select(func.count()).select_from(row).where(row.tenant_id == tenant_id, row.month == month)
    )
    return bool(found)


def _lines(session: Session, tenant_id: int, month: date, used: Sequence[Used], now: datetime) -> list[Row]:
    """The lines of an adherent's month; what they have in common is read once."""
    terms = {
        place: _terms_of(session, *place, now=now)
        for place in {(one.place.code, _month(one)) for one in used}
    }
    made = workload_months(
        session,
        {_month(one) for one in used},
        {one.host_id for one in used},
        {one.workload_id for one in used},
    )
    return [
        _line(
            tenant_id,
            month,
            one,
            terms[one.place.code, _month(one)],
            made.get((_month(one), one.host_id, one.workload_id)),
            now,
        )
        for one in used
    ]


def _terms_of(session: Session, site: str | None, month: date, *, now: datetime) -> _SiteTerms:
    if site is None:
        return _SiteTerms()
    return _SiteTerms(facility_of(session, site, month, now=now), technical_in(session, site, month))


def _month(used: Used) -> date:
    """The month of the site that a stretch is of."""
    return month_of(used.since, used.place.zone)


def _line(
    tenant_id: int, month: date, used: Used, terms: _SiteTerms, made: q.WorkloadMonth | None, now: datetime
) -> Row:
    facility = terms.facility
    held = embodied_of(made, terms.technical, used.hours, used.energy_mj)
    return {
        "tenant_id": tenant_id,
        "month": month,
        "since": used.since,
        "host_id": used.host_id,
        "workload_id": used.workload_id,
        "claim_id": used.claim_id,
        "revision": OPEN_REVISION,
        "kind": _kind(used.claim_id),
        "subscription": used.subscription,
        "service_code": used.service_code,
        "site": used.place.code,
        "hours": used.hours,
        "energy_mj": used.energy_mj,
        "measured_mj": used.measured_mj,
        "modelled_mj": used.modelled_mj,
        "declared_mj": used.declared_mj,
        "low_mj": used.low_mj,
        "high_mj": used.high_mj,
        "overhead_mj": facility.overhead_of(used.energy_mj) if facility else None,
        "water_ml": facility.water_of(used.energy_mj) if facility else None,
        "terms": _terms(facility, held),
        "reckoned_at": now,
        **held.amounts(),
    }


def _kind(claim_id: int) -> LineKind:
    if claim_id == UNCLAIMED:
        return LineKind.UNCLAIMED
    return LineKind.OWN if claim_id > 0 else LineKind.POOL


def _terms(facility: Facility | None, held: Embodied) -> dict[str, Any]:
    told = {"facility": facility.to_terms()} if facility else {}
    return told | ({"embodied": held.terms} if held.terms else {})


def _replace(session: Session, tenant_id: int, month: date, rows: Sequence[Row]) -> set[str]:
    """Put these lines in the place of those of hours; the services that were pooled before, and are now."""
    line = b.MonthLine
    shown = not is_closed(session, tenant_id, month)
    of_hours = (
        line.tenant_id == tenant_id,
        line.month == month,
        line.revision == OPEN_REVISION,
        line.kind.in_(FROM_HOURS),
        line.host_id != NO_HOST,  # meters tell those pools
    )
    pooled = set(session.scalars(select(line.service_code).where(*of_hours).distinct()))
    session.execute(delete(line).where(*of_hours))
    add_rows(session, line, [row | {"counts": shown and row["kind"] is not LineKind.POOL} for row in rows])
    pooled |= {row["service_code"] for row in rows}
    return {code for code in pooled if code is not None}
