"""Shared services: the operator's pool of a month, split among the subscribers by the key that holds.

lines of the pool, of workloads and of meters -> one pool a site and stretch -> shares by weight
weight that nobody told                       -> its share stays with the operator, unallocated
shares                                        -> carbon by basis, as any line

The shares and what is unallocated add up to the pool, to the unit, for each amount; so do the hours whose
intensity is known, and their products with it. Carbon is rounded once in each line, as everywhere. A pool
counts by its shares, never itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from console.actions.metered_pools import service_id, write_metered
from console.actions.pricing import Prices, carbon_row
from console.actions.reckoning_due import Step, take
from console.actions.site_stretches import stretches_of
from console.actions.subscribers import key_of, weights_of
from console.domain.carbon import NO_HOURS, KnownHours
from console.domain.claims import OPERATOR_TENANT, OPERATOR_ZONE
from console.domain.factors import Basis
from console.domain.hours import month_bounds
from console.domain.month_lines import EMBODIED, NO_HOST, OPEN_REVISION, LineKey, LineKind, ShareTerms
from console.domain.sharing import (
    QUALITIES,
    WHOLE,
    Key,
    Subscriber,
    Weight,
    pool_of,
    shares,
    split_hours,
)
from console.store.bulk import Row, add_rows
from console.store.models import carbon as b
from console.store.models import catalogue as c
from console.store.models import site as s
from console.store.models.measurement import stable_id
from console.store.queries.generation import is_before_ledger

SHARED = (LineKind.SHARE, LineKind.UNALLOCATED)
AMOUNTS = ("energy_mj", *QUALITIES, *WHOLE, *EMBODIED)
NO_SUBSCRIBER = "no_subscriber"
NO_VOLUME = "no_volume"  # all of them told 0


@dataclass(slots=True)
class _Pool:
    """The lines of a service at one site, over one stretch of a month, in which the terms are the same."""

    site: str | None
    since: datetime
    lines: list[b.MonthLine] = field(default_factory=list)
    known: KnownHours = NO_HOURS

    @property
    def terms(self) -> dict[str, Any]:
        """What its shares have in common; of how much of the energy it is known what was embodied, and of
        which equipment it is not."""
        facility = self.lines[0].terms.get("facility")
        embodied = [line for line in self.lines if line.embodied_ug is not None]
        told = {"facility": facility} if facility else {}
        if not embodied:
            return told
        known = {"pool_lines": len(embodied), "known_mj": sum(line.energy_mj for line in embodied)}
        unknown = {name for line in embodied for name in line.terms["embodied"].get("unknown", ())}
        return told | {"embodied": known | ({"unknown": sorted(unknown)} if unknown else {})}


def split(session: Session, service_code: str, month: date, *, now: datetime) -> bool:
    """Split a service's month that is due; False where another process took it first."""
    if not take(session, Step.SERVICE, service_code, month):
        return False
    zone = session.scalars(select(c.Adherent.zone).where(c.Adherent.tenant_id == OPERATOR_TENANT)).one()
    if is_before_ledger(session, month_bounds(month, ZoneInfo(zone))[0]):
        return True
    write_metered(session, service_code, month, now=now)
    pools = _pools(session, service_code, month)
    rows: list[tuple[Row, KnownHours]] = []
    if pools:
        key = key_of(session, service_code, month)
        weights = weights_of(session, service_code, month, key.kind)
        rows = [row for pool in pools for row in _rows(service_code, month, pool, key, weights, now)]
    _replace(session, service_code, month, rows, now)
    return True


def _pools(session: Session, service_code: str, month: date) -> list[_Pool]:
    line = b.MonthLine
    rows = session.scalars(
        select(line)
        .where(
            line.tenant_id == OPERATOR_TENANT,
            line.month == month,
            line.revision == OPEN_REVISION,
            line.kind == LineKind.POOL,
            line.service_code == service_code,
        )
        .execution_options(populate_existing=True)
    ).all()
    known, starts = _known_hours(session, service_code, month), _starts(session, month)
    found: dict[tuple[str, datetime], _Pool] = {}
    for row in sorted(rows, key=lambda one: (one.since, one.site or "", one.host_id, one.workload_id)):
        begun = (one for one in starts.get(row.site, ()) if one <= row.since)
        since = max(begun, default=row.since)  # a host may have come within the stretch
        pool = found.setdefault((row.site or "", since), _Pool(row.site, since))
        pool.lines.append(row)
        pool.known += known.get(row.key, NO_HOURS)
    return list(found.values())


def _starts(session: Session, month: date) -> Mapping[str | None, Sequence[datetime]]:
    """Where the stretches of a month begin at each site."""
    bounds = month_bounds(month, OPERATOR_ZONE)
    return {
        site.code: [since for since, _ in stretches_of(session, site, *bounds)]
        for site in session.scalars(select(s.Site))
    }


def _known_hours(session: Session, service_code: str, month: date) -> Mapping[LineKey, KnownHours]:
    """By line of the pool its hours whose intensity is known."""
    row = b.CarbonLine
    rows = session.scalars(
        select(row)
        .where(
            row.tenant_id == OPERATOR_TENANT,
            row.month == month,
            row.revision == OPEN_REVISION,
            row.kind == LineKind.POOL,
            row.basis == Basis.HOURLY_DIRECT,
            row.service_code == service_code,
        )
        .execution_options(populate_existing=True)
    )
    return {one.key: KnownHours.of_terms(one.terms) for one in rows}


def _rows(
    service_code: str,
    month: date,
    pool: _Pool,
    key: Key,
    weights: Mapping[Subscriber, Weight],
    now: datetime,
) -> Iterable[tuple[Row, KnownHours]]:
    """The lines that a pool is split into, each with its known hours."""
    amounts = pool_of([{name: getattr(line, name) for name in AMOUNTS} for line in pool.lines])
    common = _common(service_code, month, pool, now)
    total = sum(weight.value for weight in weights.values())
    if not total:
        why = {"missing": {"reason": NO_VOLUME if weights else NO_SUBSCRIBER}}
        whole = common | amounts | _unallocated(pool, None) | {"terms": pool.terms | why}
        yield whole, pool.known
        return
    missing = sum(weight.estimated for weight in weights.values())
    hours = split_hours(pool.known, weights)
    for who, share in shares(amounts, weights).items():
        weight = weights[who]
        terms = ShareTerms(
            service_code, key.kind, key.valid_from, key.version, weight.value, total,
            weight.estimated, weight.origin.value, amounts["energy_mj"], missing,
        )  # fmt: skip
        told = pool.terms | {"share": terms.to_terms()}
        if weight.estimated:
            named = {"missing": {"tenant_id": who[0], "subscription": who[1]}}
            yield common | share | _unallocated(pool, who) | {"terms": told | named}, hours[who]
        else:
            yield common | share | _of_subscriber(pool, who) | {"terms": told}, hours[who]


def _common(service_code: str, month: date, pool: _Pool, now: datetime) -> Row:
    return {
        "month": month,
        "since": pool.since,
        "host_id": NO_HOST,
        "workload_id": service_id(service_code),
        "revision": OPEN_REVISION,
        "service_code": service_code,
        "site": pool.site,
        "hours": max(line.hours for line in pool.lines),
        "reckoned_at": now,
    }


def _of_subscriber(pool: _Pool, who: Subscriber) -> Row:
    """The claim tells sites apart, and subscriptions of an adherent that takes a service twice."""
    tenant_id, number = who
    return {
        "tenant_id": tenant_id,
        "kind": LineKind.SHARE,
        "subscription": number,
        "claim_id": stable_id(f"share:{pool.site or ''}:{number}"),
    }


def _unallocated(pool: _Pool, who: Subscriber | None) -> Row:
    """What stays with the operator, for one that told no volume or for nobody."""
    name = f"{who[0]}:{who[1]}" if who else ""
    return {
        "tenant_id": OPERATOR_TENANT,
        "kind": LineKind.UNALLOCATED,
        "subscription": None,
        "claim_id": stable_id(f"unallocated:{pool.site or ''}:{name}"),
    }


def _replace(
    session: Session, service_code: str, month: date, rows: Sequence[tuple[Row, KnownHours]], now: datetime
) -> None:
    """Put these shares, priced, in the place of those there were, of those who subscribe no more as well."""
    line = b.MonthLine
    of_service = (
        line.month == month,
        line.revision == OPEN_REVISION,
        line.kind.in_(SHARED),
        line.service_code == service_code,
    )
    before = set(session.scalars(select(line.tenant_id).where(*of_service).distinct()))
    if before:
        priced = b.CarbonLine
        session.execute(
            delete(priced).where(
                priced.tenant_id.in_(before),
                priced.month == month,
                priced.revision == OPEN_REVISION,
                priced.kind.in_(SHARED),
                priced.service_code == service_code,
            )
        )
        session.execute(delete(line).where(line.tenant_id.in_(before), *of_service))
    if rows:
        closed = _closed(session, month)
        lines = [row | {"counts": row["tenant_id"] not in closed} for row, _ in rows]
        add_rows(session, line, lines)
        prices = Prices(session)
        add_rows(
            session,
            b.CarbonLine,
            [
                carbon_row(told, basis, priced, now)
                for told, (_, known) in zip(map(_told, lines), rows, strict=True)
                for basis, priced in prices.of(told, {told.key: known})
            ],
        )


def _told(row: Row) -> b.MonthLine:
    """A line as it was stored, which the session need not know."""
    return b.MonthLine(**row)


def _closed(session: Session, month: date) -> set[int]:
    """Whose month is closed: what is shown of it is a revision, and no longer what is known now."""
    row = b.CarbonMonth
    return set(session.scalars(select(row.tenant_id).where(row.month == month).distinct()))
