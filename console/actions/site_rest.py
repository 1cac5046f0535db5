"""What of a data centre no other line carries, which is the operator's: so that all of it adds up.

IT energy as metered - hosts - shared services that are metered = IT energy not attributed
overhead as metered - what the lines carry                      = the rest, that rounding leaves
making of what stands there - what the lines carry              = the rest, of equipment that nobody carries

A month is cut into stretches where the contracts of the site change, each with its lines.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.orm import Session

from console.actions.embodied import Embodied
from console.actions.making import making_of_site
from console.actions.movers import carried_elsewhere
from console.actions.pricing import price_lines, row_key
from console.actions.reckoning import is_closed
from console.actions.reckoning_due import Step, make_due, take
from console.actions.site_stretches import stretches_of
from console.actions.site_terms import direct_if_even, hosts_energy, settle
from console.domain.claims import OPERATOR_TENANT, UNCLAIMED
from console.domain.facility import Quantity
from console.domain.hours import month_bounds
from console.domain.month_lines import EMBODIED, NO_HOST, OPEN_REVISION, Facility, LineKey, LineKind
from console.domain.site_measures import Measure
from console.domain.site_months import METERED
from console.domain.spans import Span
from console.domain.stretches import by_stretch, rests, spread
from console.store.bulk import Row, add_rows
from console.store.models import carbon as b
from console.store.models import site as s
from console.store.models.measurement import stable_id
from console.store.queries.generation import is_before_ledger
from console.store.queries.sites import measure_of

REST = (LineKind.IT_REST, LineKind.SITE_REST)
OF_OTHERS = (LineKind.OWN, LineKind.UNCLAIMED, LineKind.POOL)  # a pool stands for its shares


def rest_id(site: str, kind: LineKind) -> int:
    """The number of a line of a site, which has no workload."""
    return stable_id(f"site:{site}:{kind.value}")


def settle_rest(session: Session, site: str, month: date, *, now: datetime) -> bool:
    """Write the operator's lines of a month of a site; False where another process took it first."""
    if not take(session, Step.REST, site, month):
        return False
    place = session.get_one(s.Site, site)
    start, end = month_bounds(month, ZoneInfo(place.zone))
    if is_before_ledger(session, start):
        return True
    row = session.get(b.SiteMonth, (site, month))
    if row is None:
        settle(session, site, month, now=now)
        row = session.get_one(b.SiteMonth, (site, month))
    hosts_mj = hosts_energy(session, site, start, end)
    exceeds = row.it_mj is not None and hosts_mj + _pools_energy(session, site, start, end) > row.it_mj
    if exceeds or ("refused" in row.terms and hosts_mj != row.hosts_mj):
        make_due(session, Step.SITE, [(site, month)], now=now)  # it refuses, with the values, or no more
    row.hosts_mj = hosts_mj
    told = _rows(session, row, stretches_of(session, place, start, end), now)
    direct = {
        row_key(one): direct_if_even(session, site, *stretch, one["energy_mj"])
        for one, stretch in told
        if one["energy_mj"]
    }
    rows = [one for one, _ in told]
    keys = _replace(session, site, month, rows) | {row_key(one) for one in rows}
    price_lines(session, [OPERATOR_TENANT], month, now=now, direct=direct, only=keys)
    return True


def _rows(
    session: Session, row: b.SiteMonth, stretches: Sequence[Span], now: datetime
) -> list[tuple[Row, Span]]:
    """The lines of a month of a site, with the stretch that each is of."""
    facility = Facility.of_terms(row.terms)
    of_it = [
        (_it_line(row, stretch, energy_mj, facility, now), stretch)
        for stretch, energy_mj in zip(stretches, _it_rests(session, row, stretches), strict=True)
        if energy_mj
    ]
    rest_mj = 0
    if facility and facility.origin == METERED:
        carried_mj = _carried_overhead(session, row.site, *_span(stretches))
        rest_mj = max(0, facility.overhead_mj - carried_mj - sum(one["overhead_mj"] for one, _ in of_it))
    held = _embodied_rest(session, row, *_span(stretches)).over(stretches)
    of_site = [
        (_site_line(row, stretch, overhead_mj if facility else None, embodied, now), stretch)
        for stretch, overhead_mj, embodied in zip(stretches, spread(rest_mj, stretches), held, strict=True)
        if overhead_mj or embodied.terms
    ]
    return of_it + of_site


def _span(stretches: Sequence[Span]) -> Span:
    """The month that they are cut from."""
    return stretches[0][0], stretches[-1][1]


def _it_rests(session: Session, row: b.SiteMonth, stretches: Sequence[Span]) -> list[int]:
    """The IT energy of each stretch that no host told of, nor a meter of a shared service."""
    if row.it_mj is None:
        return [0] * len(stretches)
    rest_mj = max(0, row.it_mj - row.hosts_mj - _pools_energy(session, row.site, *_span(stretches)))
    if len(stretches) == 1:
        return [rest_mj]
    carried = [
        hosts_energy(session, row.site, *one) + _pools_energy(session, row.site, *one) for one in stretches
    ]
    return rests(
        rest_mj, by_stretch(_it_measures(session, row, *_span(stretches)), stretches), carried, stretches
    )


def _it_measures(session: Session, row: b.SiteMonth, start: datetime, end: datetime) -> list[Measure]:
    told = s.SiteMeasure
    rows = session.scalars(
        select(told).where(
            told.site == row.site,
            told.quantity == Quantity.IT,
            told.category == row.category,
            told.started_at >= start,
            told.ended_at <= end,
        )
    )
    return [measure_of(one) for one in rows]


def _embodied_rest(session: Session, row: b.SiteMonth, start: datetime, end: datetime) -> Embodied:
    """Of the making of all that stands there, what no line carries.

    That is what rounding leaves, hosts that told nothing, and equipment that is no host. What goes with a
    service that a meter tells of is not named again.
    """
    made = making_of_site(session, row.site, row.month, technical=False)
    if made is None:
        return Embodied()
    line = b.MonthLine
    carried = session.execute(
        select(*(func.coalesce(func.sum(getattr(line, name)), 0) for name in EMBODIED)).where(
            *_of_others(row.site, start, end)
        )
    ).one()
    elsewhere = carried_elsewhere(session, row.site, row.month)
    rest = {
        name: None if whole is None else max(0, whole - int(held) - elsewhere[name])
        for (name, whole), held in zip(made.amounts.items(), carried, strict=True)
    }
    pooled = _pooled(session, row.site, start, end)
    things = [one for one in made.things if one["name"] not in pooled]
    unknown = [name for name in made.unknown if name not in pooled]
    if not any(rest.values()) and not unknown:
        return Embodied()
    of_ug = sum(one["month_ug"] for one in things)
    return Embodied(**rest, terms={"things": things, "unknown": unknown, "of_ug": of_ug})


def _pooled(session: Session, site: str, start: datetime, end: datetime) -> set[str]:
    """The equipment that goes with what meters told of shared services."""
    line = b.MonthLine
    rows = session.scalars(select(line.terms).where(*_of_others(site, start, end), line.host_id == NO_HOST))
    told = [terms["embodied"] for terms in rows if "embodied" in terms]
    return {name for one in told for name in (*one["unknown"], *(thing["name"] for thing in one["things"]))}


def _pools_energy(session: Session, site: str, start: datetime, end: datetime) -> int:
    """What meters told of shared services."""
    line = b.MonthLine
    pools = session.scalar(
        select(func.sum(line.energy_mj)).where(*_of_others(site, start, end), line.host_id == NO_HOST)
    )
    return int(pools or 0)


def _carried_overhead(session: Session, site: str, start: datetime, end: datetime) -> int:
    """The overhead that the lines of others carry."""
    carried = session.scalar(select(func.sum(b.MonthLine.overhead_mj)).where(*_of_others(site, start, end)))
    return int(carried or 0)


def _of_others(site: str, start: datetime, end: datetime) -> tuple[ColumnElement[bool], ...]:
    line = b.MonthLine
    return (
        line.site == site,
        line.since >= start,
        line.since < end,
        line.revision == OPEN_REVISION,
        line.kind.in_(OF_OTHERS),
    )


def _it_line(
    row: b.SiteMonth, stretch: Span, energy_mj: int, facility: Facility | None, now: datetime
) -> Row:
    return _line(row, LineKind.IT_REST, stretch, now) | {
        "energy_mj": energy_mj,
        "measured_mj": energy_mj,
        "overhead_mj": facility.overhead_of(energy_mj) if facility else None,
        "water_ml": facility.water_of(energy_mj) if facility else None,
    }


def _site_line(
    row: b.SiteMonth, stretch: Span, overhead_mj: int | None, embodied: Embodied, now: datetime
) -> Row:
    line = _line(row, LineKind.SITE_REST, stretch, now)
    terms = line["terms"] | ({"embodied": embodied.terms} if embodied.terms else {})
    return line | embodied.amounts() | {"overhead_mj": overhead_mj, "terms": terms}


def _line(row: b.SiteMonth, kind: LineKind, stretch: Span, now: datetime) -> Row:
    """A line of the site without any amount."""
    return {
        "tenant_id": OPERATOR_TENANT,
        "month": row.month,
        "since": stretch[0],
        "host_id": NO_HOST,
        "workload_id": rest_id(row.site, kind),
        "claim_id": UNCLAIMED,
        "revision": OPEN_REVISION,
        "kind": kind,
        "subscription": None,
        "service_code": None,
        "site": row.site,
        "hours": 0,
        "energy_mj": 0,
        "measured_mj": 0,
        "modelled_mj": 0,
        "declared_mj": 0,
        "low_mj": None,
        "high_mj": None,
        "overhead_mj": None,
        "water_ml": None,
        **dict.fromkeys(EMBODIED),
        "terms": {"facility": row.terms["facility"]} if "facility" in row.terms else {},
        "reckoned_at": now,
    }


def _replace(session: Session, site: str, month: date, rows: Sequence[Row]) -> set[LineKey]:
    """Put these lines in the place of those there were; the keys of the latter."""
    line = b.MonthLine
    of_site = (
        line.tenant_id == OPERATOR_TENANT,
        line.month == month,
        line.revision == OPEN_REVISION,
        line.site == site,
        line.kind.in_(REST),
    )
    before = session.execute(
        select(line.since, line.host_id, line.workload_id, line.claim_id).where(*of_site)
    ).all()
    session.execute(delete(line).where(*of_site))
    shown = not is_closed(session, OPERATOR_TENANT, month)
    add_rows(session, line, [row | {"counts": shown} for row in rows])
    return {(since, host_id, workload_id, claim_id) for since, host_id, workload_id, claim_id in before}
