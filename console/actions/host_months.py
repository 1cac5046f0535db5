"""What each workload held of its host over a month where it stood, and so what falls to it of its making.

hours of a host in a month -> what each workload held -> shares by component -> a row for each workload

The rows of a host and month add up to what is booked of it, whatever it is; the operator has what is left. A
host of which nothing is known has no rows. Months whose rows changed have their adherents reckoned again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, delete, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from console.actions.making import Making, making_of_host
from console.actions.reckoning_due import Step, make_due, make_months_due, take
from console.domain.claims import OPERATOR_TENANT, OPERATOR_ZONE
from console.domain.embodied_shares import Capacity, Held, component_of, share_parts, weigh
from console.domain.hours import HOUR, month_bounds, month_of
from console.domain.month_lines import EMBODIED
from console.domain.proportion import apportion
from console.domain.spans import Span
from console.store.bulk import add_rows
from console.store.models import catalogue as c
from console.store.models import equipment as q
from console.store.models import measurement as m
from console.store.models import site as s
from console.store.queries.claims import claims_on
from console.store.queries.generation import is_before_ledger
from console.store.queries.stays import inventory_sites, stays_in

REST = m.IDLE_KEPT


def settle_host(session: Session, host: str, month: date, *, now: datetime) -> bool:
    """Share a month of a host that is due; False where another process took it first."""
    if not take(session, Step.HOST, host, month):
        return False
    row = session.get(m.Host, int(host))
    if row is None:
        return True
    stays = stays_in(session, month, [row.host_id])[row.host_id]
    spans = [(one.since, one.until) for one in stays] or [month_bounds(month, OPERATOR_ZONE)]
    if is_before_ledger(session, spans[0][0]):
        return True
    before = _stored(session, row.host_id, month)
    after = _rows(session, row, month, spans)
    if before != after:
        _replace(session, row.host_id, month, after)
        make_months_due(session, _adherents_on(session, row.host_id, spans[0][0], spans[-1][1]), now=now)
        stood = {one.site for one in stays} or inventory_sites(session, [row.host_id]).values()
        known = session.scalars(select(s.Site.code).where(s.Site.code.in_(stood)))
        make_due(session, Step.REST, [(site, month) for site in known], now=now)
    return True


def _rows(session: Session, host: m.Host, month: date, spans: Sequence[Span]) -> dict[int, dict[str, Any]]:
    made = making_of_host(session, host.name, month)
    if made is None:
        return {}
    hours, held = _held(session, host.host_id, spans)
    if not held:
        return {}  # it told nothing: all of it is the site's rest
    capacity = _capacity(session, host, spans)
    shares = share_parts(made.parts, held, capacity, REST)
    weighed = {
        name: weigh(name, held, capacity, REST) for name in {component_of(part) for part in made.parts}
    }
    by_amount = {name: _apportioned(amount, shares) for name, amount in made.amounts.items()}
    return {
        workload_id: {
            "month": month,
            "host_id": host.host_id,
            "workload_id": workload_id,
            "hours": hours.get(workload_id, 0),
            **{name: getattr(held.get(workload_id, Held()), name) for name in Held.__slots__},
            **{name: by_amount[name].get(workload_id) for name in EMBODIED},
            "terms": _terms(made, shares[workload_id])
            | {"weights": {name: one.told(workload_id) for name, one in sorted(weighed.items())}},
        }
        for workload_id in sorted(shares)
    }


def _apportioned(amount: int | None, shares: Mapping[int, Mapping[str, int]]) -> dict[int, int]:
    """An amount as the GWP is shared; where that is nothing, it is the operator's. Unknown: no shares."""
    if amount is None:
        return {}
    weights = {key: sum(parts.values()) for key, parts in shares.items()}
    return apportion(amount, weights if any(weights.values()) else {**weights, REST: 1})


def _terms(made: Making, share: Mapping[str, int]) -> dict[str, Any]:
    return {"things": made.things, "unknown": made.unknown, "parts": made.parts, "share": dict(share)}


def _held(session: Session, host_id: int, spans: Sequence[Span]) -> tuple[dict[int, int], dict[int, Held]]:
    """By workload the hours in which it has any line, and what it held; an hour of two instruments is one."""
    hour = m.WorkloadHour
    each = (
        select(
            hour.workload_id,
            func.sum(hour.energy_mj).label("energy_mj"),
            func.sum(hour.idle_mj).label("idle_mj"),
            func.max(hour.reserved_mcpu).label("mcpu"),
            func.max(hour.reserved_mb).label("mb"),
        )
        .where(hour.host_id == host_id, _within(hour.hour, spans))
        .group_by(hour.workload_id, hour.hour)
        .subquery()
    )
    whole = select(
        each.c.workload_id,
        func.count(),
        func.sum(each.c.energy_mj),
        func.sum(each.c.idle_mj),
        func.sum(each.c.mcpu),
        func.sum(each.c.mb),
    ).group_by(each.c.workload_id)
    hours, held = {}, {}
    for workload_id, count, *sums in session.execute(whole):
        hours[workload_id] = count
        held[workload_id] = Held(*(int(one or 0) for one in sums))
    return hours, held


def _capacity(session: Session, host: m.Host, spans: Sequence[Span]) -> Capacity:
    row = m.HostHour
    hours = session.scalar(select(func.count()).where(row.host_id == host.host_id, _within(row.hour, spans)))
    return Capacity((hours or 0) * host.vcpu * 1000, (hours or 0) * (host.ram_mb or 0))


def _within(hour: InstrumentedAttribute[datetime], spans: Sequence[Span]) -> ColumnElement[bool]:
    return or_(*((hour >= start) & (hour < end) for start, end in spans))


def _stored(session: Session, host_id: int, month: date) -> dict[int, dict[str, Any]]:
    row = q.WorkloadMonth
    found = session.scalars(select(row).where(row.host_id == host_id, row.month == month))
    names = [column.key for column in row.__mapper__.column_attrs]
    return {one.workload_id: {name: getattr(one, name) for name in names} for one in found}


def _replace(session: Session, host_id: int, month: date, rows: Mapping[int, dict[str, Any]]) -> None:
    row = q.WorkloadMonth
    session.execute(delete(row).where(row.host_id == host_id, row.month == month))
    add_rows(session, row, list(rows.values()))
    session.expire_all()


def _adherents_on(session: Session, host_id: int, start: datetime, end: datetime) -> set[tuple[int, date]]:
    """The operator and who has a claim on the host, with the months of their own that these hours touch."""
    held = {
        claim.tenant_id for claims in claims_on(session, host_id, start, end).values() for claim in claims
    }
    adherent = c.Adherent
    zones = session.execute(
        select(adherent.tenant_id, adherent.zone).where(adherent.tenant_id.in_(held | {OPERATOR_TENANT}))
    )
    return {
        (tenant_id, month_of(hour, ZoneInfo(zone)))
        for tenant_id, zone in zones
        for hour in (start, end - HOUR)
    }
