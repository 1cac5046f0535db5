"""What meters of a site tell of storage, backup and network, as pools of the services they are assigned to.

A month that a meter tells only in part is no pool: nothing is scaled up, and its energy stays that of IT
which nobody carries.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from console.actions.pricing import price_lines
from console.actions.reckoning_due import Step, make_due
from console.actions.site_terms import direct_if_even, facility_of
from console.domain.claims import OPERATOR_TENANT
from console.domain.facility import NO_POINT, POOLED, Quantity
from console.domain.hours import month_bounds
from console.domain.month_lines import NO_HOST, OPEN_REVISION, LineKind
from console.domain.sharing import EMBODIED
from console.domain.site_indicators import amounts_by_month
from console.domain.site_measures import Measure, Quality
from console.store.models import carbon as b
from console.store.models import site as s
from console.store.models.measurement import stable_id
from console.store.queries.sites import measure_of

LineKey = tuple[datetime, int, int, int]


def service_id(service_code: str) -> int:
    """The number of a service in its lines, which have no workload."""
    return stable_id(f"service:{service_code}")


def assigned(session: Session, site: str, quantity: Quantity, month: date) -> str | None:
    """The service to which a meter of a site is assigned in a month; None: to none."""
    row = s.SitePool
    return session.scalars(
        select(row.service_code)
        .where(row.site == site, row.quantity == quantity, row.valid_from <= month)
        .order_by(row.valid_from.desc())
        .limit(1)
    ).one_or_none()


def write_metered(session: Session, service_code: str, month: date, *, now: datetime) -> None:
    """Write the pools that meters tell of a service's month anew, each site's by its own calendar."""
    before = _withdraw(session, service_code, month)
    rows, direct = [], {}
    for site in session.scalars(select(s.Site).order_by(s.Site.code)):
        for quantity in POOLED:
            if assigned(session, site.code, quantity, month) == service_code:
                row = _row(session, site, quantity, service_code, month, now)
                if row is not None:
                    rows.append(row)
                    direct[_key(row)] = direct_if_even(
                        session, site.code, *month_bounds(month, ZoneInfo(site.zone)), row["energy_mj"]
                    )
    if rows:
        session.execute(insert(b.MonthLine), rows)
    keys = before.keys() | direct.keys()
    if keys:
        price_lines(session, [OPERATOR_TENANT], month, now=now, direct=direct, only=keys)
    sites = {*before.values(), *(row["site"] for row in rows)}
    make_due(session, Step.REST, [(site, month) for site in sites if site], now=now)


def _withdraw(session: Session, service_code: str, month: date) -> dict[LineKey, str | None]:
    """Delete the lines there are; their keys with their sites."""
    line = b.MonthLine
    of_service = (
        line.tenant_id == OPERATOR_TENANT,
        line.month == month,
        line.revision == OPEN_REVISION,
        line.kind == LineKind.POOL,
        line.host_id == NO_HOST,
        line.service_code == service_code,
    )
    keys = select(line.since, line.workload_id, line.claim_id, line.site).where(*of_service)
    found = {
        (since, NO_HOST, workload, claim): site for since, workload, claim, site in session.execute(keys)
    }
    session.execute(delete(line).where(*of_service))
    return found


def _row(
    session: Session, site: s.Site, quantity: Quantity, service_code: str, month: date, now: datetime
) -> dict[str, Any] | None:
    zone = ZoneInfo(site.zone)
    start, end = month_bounds(month, zone)
    measures = _measures(session, site.code, quantity, start, end)
    energy_mj = amounts_by_month(measures, (quantity, NO_POINT), [month], zone)[month]
    if energy_mj is None:
        return None
    within = [one for one in measures if one.started_at >= start and one.ended_at <= end]
    declared_mj = sum(one.amount for one in within if one.quality is Quality.DECLARED)
    facility = facility_of(session, site.code, month, now=now)
    return {
        "tenant_id": OPERATOR_TENANT,
        "month": month,
        "since": start,
        "host_id": NO_HOST,
        "workload_id": service_id(service_code),
        "claim_id": stable_id(f"{site.code}:{quantity.value}"),
        "revision": OPEN_REVISION,
        "kind": LineKind.POOL,
        "counts": False,
        "subscription": None,
        "service_code": service_code,
        "site": site.code,
        "hours": 0,
        "energy_mj": energy_mj,
        "measured_mj": energy_mj - declared_mj,
        "modelled_mj": 0,
        "declared_mj": declared_mj,
        "low_mj": None,
        "high_mj": None,
        "overhead_mj": facility.overhead_of(energy_mj) if facility else None,
        "water_ml": facility.water_of(energy_mj) if facility else None,
        **dict.fromkeys(EMBODIED),
        "terms": {"meter": quantity.value} | ({"facility": facility.to_terms()} if facility else {}),
        "reckoned_at": now,
    }


def _measures(
    session: Session, site: str, quantity: Quantity, start: datetime, end: datetime
) -> Sequence[Measure]:
    row = s.SiteMeasure
    rows = session.scalars(
        select(row).where(
            row.site == site, row.quantity == quantity, row.ended_at > start, row.started_at < end
        )
    )
    return [measure_of(one) for one in rows]


def _key(row: dict[str, Any]) -> LineKey:
    return row["since"], row["host_id"], row["workload_id"], row["claim_id"]
