"""What meters of a site tell of storage, backup and network, as pools of the services they are assigned to.

A month is cut into stretches where the contracts of the site change, each a line. What was embodied in the
equipment that a meter tells of goes with it. A month that a meter tells only in part is no pool: nothing is
scaled up, and its energy stays that of IT which nobody carries.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from console.actions.embodied import embodied_of_kind
from console.actions.pricing import price_lines, row_key
from console.actions.reckoning_due import Step, make_due
from console.actions.site_stretches import stretches_of
from console.actions.site_terms import direct_if_even, facility_of
from console.domain.claims import OPERATOR_TENANT
from console.domain.equipment import POOLED_KINDS
from console.domain.facility import NO_POINT, POOLED, Quantity
from console.domain.hours import month_bounds
from console.domain.month_lines import NO_HOST, OPEN_REVISION, LineKey, LineKind
from console.domain.site_indicators import amounts_by_month
from console.domain.site_measures import Measure, Quality
from console.domain.spans import Span
from console.domain.stretches import by_stretch
from console.store.bulk import Row, add_rows
from console.store.models import carbon as b
from console.store.models import site as s
from console.store.models.measurement import stable_id
from console.store.queries.sites import measure_of


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
    told = [
        one
        for site in session.scalars(select(s.Site).order_by(s.Site.code)).all()
        for quantity in POOLED
        if assigned(session, site.code, quantity, month) == service_code
        for one in _rows(session, site, quantity, service_code, month, now)
    ]
    rows = [row for row, _ in told]
    add_rows(session, b.MonthLine, rows)
    direct = {
        row_key(row): direct_if_even(session, row["site"], *stretch, row["energy_mj"])
        for row, stretch in told
    }
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


def _rows(
    session: Session, site: s.Site, quantity: Quantity, service_code: str, month: date, now: datetime
) -> list[tuple[Row, Span]]:
    """The lines of what a meter told of a month, one a stretch; none where it did not tell all of it."""
    zone = ZoneInfo(site.zone)
    start, end = month_bounds(month, zone)
    measures = _measures(session, site.code, quantity, start, end)
    if amounts_by_month(measures, (quantity, NO_POINT), [month], zone)[month] is None:
        return []
    stretches = stretches_of(session, site, start, end)
    energies_mj = by_stretch(measures, stretches)
    declared = by_stretch([one for one in measures if one.quality is Quality.DECLARED], stretches)
    held = embodied_of_kind(session, site.code, POOLED_KINDS[quantity], month, stretches, energies_mj)
    facility = facility_of(session, site.code, month, now=now)
    common = _common(site.code, quantity, service_code, month, now)
    terms = {"meter": quantity.value} | ({"facility": facility.to_terms()} if facility else {})
    return [
        (
            common
            | {
                "since": stretch[0],
                "energy_mj": energy_mj,
                "measured_mj": energy_mj - declared_mj,
                "declared_mj": declared_mj,
                "overhead_mj": facility.overhead_of(energy_mj) if facility else None,
                "water_ml": facility.water_of(energy_mj) if facility else None,
                **embodied.amounts(),
                "terms": terms | ({"embodied": embodied.terms} if embodied.terms else {}),
            },
            stretch,
        )
        for stretch, energy_mj, declared_mj, embodied in zip(
            stretches, energies_mj, declared, held, strict=True
        )
    ]


def _common(site: str, quantity: Quantity, service_code: str, month: date, now: datetime) -> Row:
    """What the lines of a meter have in common."""
    return {
        "tenant_id": OPERATOR_TENANT,
        "month": month,
        "host_id": NO_HOST,
        "workload_id": service_id(service_code),
        "claim_id": stable_id(f"{site}:{quantity.value}"),
        "revision": OPEN_REVISION,
        "kind": LineKind.POOL,
        "counts": False,
        "subscription": None,
        "service_code": service_code,
        "site": site,
        "hours": 0,
        "modelled_mj": 0,
        "low_mj": None,
        "high_mj": None,
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
