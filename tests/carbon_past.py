"""Hours of hosts in the ledger, told at once: what month lines are reckoned from."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from console.actions import facility
from console.actions.posting import post
from console.actions.pricing import portions, restate
from console.actions.reckoning import months_due, reckon_month
from console.actions.reckoning_due import Step, steps_due
from console.actions.sharing_due import take_changes
from console.domain.facility import NO_POINT, Quantity
from console.domain.hours import HOUR, month_bounds
from console.domain.site_measures import Measure, Quality
from console.jobs import RECKONINGS
from console.store.models import catalogue as c
from console.store.models import measurement as m
from console.store.models import site as s

PARIS = ZoneInfo("Europe/Paris")
NOW = datetime(2027, 1, 15, tzinfo=UTC)
FINAL = "definitive"  # of figures of a grid


def a_source(session: Session, quality: str = "measured") -> int:
    """The instrument of the hours that are told, made once for each quality."""
    found = session.scalar(select(c.EnergySource.source_id).where(c.EnergySource.quality == quality))
    if found is None:
        row = c.EnergySource(name="bmc", authority="bmc", boundary="server_input", quality=quality)
        session.add(row)
        session.flush()
        found = row.source_id
    return found


def a_host(session: Session, name: str, site: str | None = "tls", vcpu: int = 8) -> int:
    """A host of a site; its number."""
    host_id = m.stable_id(name)
    if session.get(m.Host, host_id) is None:
        at = datetime(2026, 1, 1, tzinfo=UTC)
        session.add(
            m.Host(
                host_id=host_id, name=name, agent="test", vcpu=vcpu, gaps=[], site=site,
                first_seen_at=at, last_seen_at=at,
            )
        )  # fmt: skip
        session.flush()
        for workload_id, kind in ((m.IDLE_KEPT, "idle_kept"), (m.UNATTRIBUTED, "unattributed")):
            session.add(m.Workload(host_id=host_id, workload_id=workload_id, name=kind, kind=kind))
        session.flush()
    return host_id


def hours_of(
    session: Session,
    host: str,
    start: datetime,
    hours: int,
    used_mj: Mapping[str, int],
    *,
    quality: str = "measured",
    kept_mj: int = 0,
    reserved: Mapping[str, tuple[int, int]] | None = None,
) -> int:
    """Hours in which each workload used as much, posted to whom they are claimed by; the host's number.

    `kept_mj` is idle energy that the operator keeps in each hour; `reserved` has mCPU and MB.
    """
    host_id, source_id = a_host(session, host), a_source(session, quality)
    for name in used_mj:
        if session.get(m.Workload, (host_id, m.stable_id(name))) is None:
            session.add(m.Workload(host_id=host_id, workload_id=m.stable_id(name), name=name, kind="vm"))
    session.flush()
    lines = {
        m.stable_id(name): (mj, (reserved or {}).get(name, (None, None))) for name, mj in used_mj.items()
    }
    lines[m.IDLE_KEPT] = kept_mj, (None, None)
    for hour in (start + n * HOUR for n in range(hours)):
        total_mj = sum(mj for mj, _ in lines.values())
        session.add(
            m.HostHour(
                hour=hour, host_id=host_id, energy_mj=total_mj, gpu_mj=0, covered_ms=3_600_000,
                stretches=None, policy="reserved/1",
            )
        )  # fmt: skip
        session.add_all(
            m.WorkloadHour(
                hour=hour, host_id=host_id, workload_id=workload_id, source_id=source_id, energy_mj=mj,
                idle_mj=mj // 2, low_mj=mj, high_mj=mj, gpu_mj=0, cpu_ms=1000,
                reserved_mcpu=mcpu, reserved_mb=mb,
            )
            for workload_id, (mj, (mcpu, mb)) in lines.items()
        )  # fmt: skip
    session.flush()
    post(session, host_id, start, start + hours * HOUR, now=NOW - timedelta(days=1))
    return host_id


def a_meter(
    session: Session,
    site: str,
    month: date,
    quantity: Quantity,
    amount: int,
    category: int = NO_POINT,
    meter: str = "site",
) -> None:
    """What a meter of a site told of a whole month, in mJ or mL."""
    start, end = month_bounds(month, PARIS)
    measure = Measure(
        started_at=start, ended_at=end, quantity=quantity, category=category, meter=meter,
        amount=amount, quality=Quality.MEASURED,
    )  # fmt: skip
    facility.record_measure(session, site, measure, now=NOW, by="test")


def intensity(
    session: Session, start: datetime, hours: int, mg_per_kwh: int, zone: str = "FR", *, state: str = FINAL
) -> None:
    """Hours of a grid whose direct intensity is known."""
    session.add_all(
        s.GridHour(
            grid_zone=zone, basis="direct_production", hour=start + n * HOUR,
            intensity_mg_per_kwh=mg_per_kwh, state=state,
        )
        for n in range(hours)
    )  # fmt: skip
    session.flush()


def reckon_all(session: Session, now: datetime = NOW) -> None:
    """Do what the job does, until nothing is due."""
    for _ in range(5):
        worked = False
        take_changes(session, now=now)
        for step in (Step.SITE, Step.HOST):
            worked |= _work(session, step, now)
        for tenant_id, month in months_due(session, now=now):
            worked |= reckon_month(session, tenant_id, month, now=now)
        worked |= _work(session, Step.SERVICE, now)
        for month, tenants in portions(steps_due(session, Step.PRICES, now=now)):
            worked |= bool(restate(session, month, tenants, now=now))
        worked |= _work(session, Step.REST, now)
        session.flush()
        if not worked:
            return


def _work(session: Session, step: Step, now: datetime) -> bool:
    work = RECKONINGS.get(step)
    due = steps_due(session, step, now=now) if work else []
    for subject, month in due:
        assert work is not None
        work(session, subject, month, now=now)
    return bool(due)
