"""What of a data centre no other line carries, which is the operator's: so that all of it adds up.

IT energy as metered - hosts - shared services that are metered = IT energy not attributed
overhead as metered - what the lines carry                      = the rest, that rounding leaves
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, delete, func, insert, select
from sqlalchemy.orm import Session

from console.actions.making import AMOUNTS, making_of_site
from console.actions.movers import carried_elsewhere
from console.actions.pricing import LineKey, price_lines
from console.actions.reckoning import is_closed
from console.actions.reckoning_due import Step, make_due, take
from console.actions.site_terms import direct_if_even, hosts_energy, settle
from console.domain.claims import OPERATOR_TENANT, UNCLAIMED
from console.domain.hours import month_bounds
from console.domain.month_lines import NO_HOST, OPEN_REVISION, Facility, LineKind
from console.domain.site_months import METERED
from console.store.models import carbon as b
from console.store.models import site as s
from console.store.models.measurement import stable_id
from console.store.queries.generation import is_before_ledger

REST = (LineKind.IT_REST, LineKind.SITE_REST)
OF_OTHERS = (LineKind.OWN, LineKind.UNCLAIMED, LineKind.POOL)  # a pool stands for its shares


def rest_id(site: str, kind: LineKind) -> int:
    """The number of a line of a site, which has no workload."""
    return stable_id(f"site:{site}:{kind.value}")


def settle_rest(session: Session, site: str, month: date, *, now: datetime) -> bool:
    """Write the operator's lines of a month of a site; False where another process took it first."""
    if not take(session, Step.REST, site, month):
        return False
    start, end = month_bounds(month, ZoneInfo(session.get_one(s.Site, site).zone))
    if is_before_ledger(session, start):
        return True
    row = session.get(b.SiteMonth, (site, month))
    if row is None:
        settle(session, site, month, now=now)
        row = session.get_one(b.SiteMonth, (site, month))
    hosts_mj = hosts_energy(session, site, start, end)
    pools_mj, _ = _carried(session, site, start, end)
    if row.it_mj is not None and hosts_mj + pools_mj > row.it_mj:
        make_due(session, Step.SITE, [(site, month)], now=now)  # it refuses, with the values
    row.hosts_mj = hosts_mj
    rows = _rows(session, row, start, end, now)
    _replace(session, site, month, rows)
    direct = {
        _key(one): direct_if_even(session, site, start, end, one["energy_mj"])
        for one in rows
        if one["energy_mj"]
    }
    price_lines(session, [OPERATOR_TENANT], month, now=now, direct=direct, only=_keys(site, start))
    return True


def _rows(
    session: Session, row: b.SiteMonth, start: datetime, end: datetime, now: datetime
) -> list[dict[str, Any]]:
    facility = Facility.of_terms(row.terms)
    pools_mj, carried_mj = _carried(session, row.site, start, end)
    rows: list[dict[str, Any]] = []
    it_mj = None if row.it_mj is None else max(0, row.it_mj - row.hosts_mj - pools_mj)
    overhead_mj = facility.overhead_of(it_mj) if facility and it_mj else None
    if it_mj:
        water_ml = facility.water_of(it_mj) if facility else None
        rows.append(_row(row, LineKind.IT_REST, start, now, it_mj, overhead_mj, water_ml))
    rest_mj = 0
    if facility and facility.origin == METERED:
        rest_mj = max(0, facility.overhead_mj - carried_mj - (overhead_mj or 0))
    embodied = _embodied_rest(session, row, start, end)
    if rest_mj > 0 or embodied:
        rest = _row(row, LineKind.SITE_REST, start, now, 0, rest_mj if facility else None, None)
        rows.append(rest | embodied | {"terms": rest["terms"] | embodied.get("terms", {})})
    return rows


def _embodied_rest(session: Session, row: b.SiteMonth, start: datetime, end: datetime) -> dict[str, Any]:
    """Of the making of all that stands there, what no line carries.

    That is what rounding leaves, hosts that told nothing, and equipment that is no host.
    """
    made = making_of_site(session, row.site, row.month, technical=False)
    if made is None:
        return {}
    line = b.MonthLine
    carried = session.execute(
        select(*(func.coalesce(func.sum(getattr(line, name)), 0) for name in AMOUNTS)).where(
            *_of_others(row.site, start, end)
        )
    ).one()
    elsewhere = carried_elsewhere(session, row.site, start, end)
    rest = {
        name: None if whole is None else max(0, whole - int(held) - elsewhere[name])
        for (name, whole), held in zip(made.amounts.items(), carried, strict=True)
    }
    terms = {"embodied": {"things": made.things, "unknown": made.unknown, "of_ug": made.embodied_ug}}
    return {**rest, "terms": terms} if any(rest.values()) or made.unknown else {}


def _carried(session: Session, site: str, start: datetime, end: datetime) -> tuple[int, int]:
    """The energy of shared services that meters told, and the overhead that all lines carry."""
    line, of_site = b.MonthLine, _of_others(site, start, end)
    pools = session.scalar(select(func.sum(line.energy_mj)).where(*of_site, line.host_id == NO_HOST))
    carried = session.scalar(select(func.sum(line.overhead_mj)).where(*of_site))
    return int(pools or 0), int(carried or 0)


def _of_others(site: str, start: datetime, end: datetime) -> tuple[ColumnElement[bool], ...]:
    line = b.MonthLine
    return (
        line.site == site,
        line.since >= start,
        line.since < end,
        line.revision == OPEN_REVISION,
        line.kind.in_(OF_OTHERS),
    )


def _row(
    site_month: b.SiteMonth,
    kind: LineKind,
    start: datetime,
    now: datetime,
    energy_mj: int,
    overhead_mj: int | None,
    water_ml: int | None,
) -> dict[str, Any]:
    facility = site_month.terms.get("facility")
    return {
        "tenant_id": OPERATOR_TENANT,
        "month": site_month.month,
        "since": start,
        "host_id": NO_HOST,
        "workload_id": rest_id(site_month.site, kind),
        "claim_id": UNCLAIMED,
        "revision": OPEN_REVISION,
        "kind": kind,
        "subscription": None,
        "service_code": None,
        "site": site_month.site,
        "hours": 0,
        "energy_mj": energy_mj,
        "measured_mj": energy_mj,
        "modelled_mj": 0,
        "declared_mj": 0,
        "low_mj": None,
        "high_mj": None,
        "overhead_mj": overhead_mj,
        "water_ml": water_ml,
        "embodied_ug": None,
        "embodied_low_ug": None,
        "embodied_high_ug": None,
        "adpe_ug": None,
        "primary_mj": None,
        "terms": {"facility": facility} if facility else {},
        "reckoned_at": now,
    }


def _replace(session: Session, site: str, month: date, rows: list[dict[str, Any]]) -> None:
    line = b.MonthLine
    session.execute(
        delete(line).where(
            line.tenant_id == OPERATOR_TENANT,
            line.month == month,
            line.revision == OPEN_REVISION,
            line.site == site,
            line.kind.in_(REST),
        )
    )
    if rows:
        shown = not is_closed(session, OPERATOR_TENANT, month)
        session.execute(insert(line), [row | {"counts": shown} for row in rows])


def _key(row: dict[str, Any]) -> LineKey:
    return row["since"], row["host_id"], row["workload_id"], row["claim_id"]


def _keys(site: str, start: datetime) -> list[LineKey]:
    return [(start, NO_HOST, rest_id(site, kind), UNCLAIMED) for kind in REST]
