"""A platform that adherents share: who takes it, what they told of it, what it used."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from console.actions.claims import claim_for_service
from console.actions.reckoning_due import Step, make_due
from console.actions.subscriptions import subscribe
from console.actions.volumes import record_month
from console.domain.facility import Quantity
from console.domain.month_lines import OPEN_REVISION, LineKind
from console.store.models import carbon as b
from console.store.models import contract as k
from console.store.models import measurement as m
from console.store.models import site as s
from tests.carbon_past import NOW, a_meter, hours_of

SERVICE = "payroll"
AMOUNTS = (
    *("energy_mj", "measured_mj", "modelled_mj", "declared_mj", "low_mj", "high_mj"),
    *("overhead_mj", "water_ml", "embodied_ug"),
)


def sites_again(session: Session) -> None:
    """The two data centres, after the database was emptied."""
    for code, name in (("tls", "Toulouse"), ("ami", "Amiens")):
        if session.get(s.Site, code) is None:
            session.add(s.Site(code=code, name=name, zone="Europe/Paris", country="FR", grid_zone="FR"))
    session.flush()


def takes(
    session: Session,
    tenant_id: int,
    service_code: str = SERVICE,
    starts_on: date = date(2026, 1, 1),
    **terms: object,
) -> int:
    """An adherent takes the service; the number of its subscription."""
    return subscribe(session, tenant_id, service_code, starts_on=starts_on, now=NOW, **terms)


def tells(session: Session, tenant_id: int, number: int, month: date, volume: int | None) -> None:
    """How many units a subscription used in a month."""
    source = k.VolumeSource.FORM
    record_month(session, tenant_id, number, month, volume, source=source, now=NOW, by="test")


def a_platform(
    session: Session,
    start: datetime,
    hours: int,
    used_mj: int,
    *,
    service_code: str = SERVICE,
    host: str = "platform-01",
    workload: str = "shared-db",
    site: str = "tls",
) -> None:
    """Hours of a workload that serves all subscribers of a service."""
    hours_of(session, host, start, hours, {workload: used_mj})
    session.get_one(m.Host, m.stable_id(host)).site = site
    claim_for_service(
        session,
        service_code=service_code,
        host_id=m.stable_id(host),
        workload_id=m.stable_id(workload),
        first_day=date(2026, 1, 1),
        now=NOW,
        by="test",
    )


def a_metered_month(
    session: Session, site: str, month: date, it_mj: int, total_mj: int, **pools: int
) -> None:
    """What the meters of a site told of a month; `pools` as `storage=…`."""
    a_meter(session, site, month, Quantity.IT, it_mj, category=3)
    a_meter(session, site, month, Quantity.TOTAL, total_mj)
    for name, amount in pools.items():
        a_meter(session, site, month, Quantity[name.upper()], amount)
    make_due(session, Step.SITE, [(site, month)], now=NOW)


def lines_of(session: Session, *kinds: LineKind, service_code: str = SERVICE) -> list[b.MonthLine]:
    """The open lines of a service, by adherent and number."""
    line = b.MonthLine
    rows = session.scalars(
        select(line)
        .where(line.kind.in_(kinds), line.service_code == service_code, line.revision == OPEN_REVISION)
        .order_by(line.month, line.since, line.site, line.tenant_id, line.subscription, line.claim_id)
        .execution_options(populate_existing=True)
    )
    return list(rows)


def pool(session: Session, **wanted: object) -> list[b.MonthLine]:
    return lines_of(session, LineKind.POOL, **wanted)  # type: ignore[arg-type]


def shared(session: Session, **wanted: object) -> list[b.MonthLine]:
    """The shares and what is unallocated."""
    return lines_of(session, LineKind.SHARE, LineKind.UNALLOCATED, **wanted)  # type: ignore[arg-type]


def total(rows: list[b.MonthLine], name: str) -> int | None:
    """A sum of an amount; None where it is unknown in all of them."""
    values = [value for row in rows if (value := getattr(row, name)) is not None]
    return sum(values) if values else None
