"""Months of carbon: what one is made of as it is known now, and those that are closed."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from console.domain.carbon_causes import causes
from console.domain.carbon_months import (
    CarbonHeld,
    Doubt,
    FactorHeld,
    Figures,
    Inputs,
    LineHeld,
    MonthState,
    PartHeld,
    doubts,
    figures,
    unnamed,
)
from console.domain.claims import OPERATOR_ZONE
from console.domain.contract import Amendment, from_plain
from console.domain.hours import month_bounds
from console.domain.month_lines import OPEN_REVISION, Facility, LineKind, ShareTerms, SharingKeyKind
from console.domain.renewal import add_months
from console.domain.sharing import terms_in
from console.store.models import carbon as b
from console.store.models import catalogue as c
from console.store.models import contract as k
from console.store.models import measurement as m
from console.store.models import site as s
from console.store.models import tenant as t
from console.store.queries.coverage import coverage_of
from reports import canonical

Names = Mapping[tuple[int, int, int], tuple[str, str]]


@dataclass(frozen=True, slots=True)
class ClosedMonth:
    """A revision of a closed month, with its inputs as they were frozen."""

    tenant_id: int
    month: date
    revision: int
    sha256: str
    inputs: Inputs
    provisional: bool
    causes: Mapping[str, Mapping[str, int]]
    closed_at: datetime
    closed_by: str
    reason: str | None


@dataclass(frozen=True, slots=True)
class MonthSeen:
    """A month of an adherent: what is shown of it, and what would change if it were closed anew.

    `inputs` are those that are shown: of the last revision of a closed month, else as they are known now.
    `moved` is by target and cause, what a new revision would change; empty where nothing would.
    """

    month: date
    state: MonthState
    doubts: Sequence[Doubt]
    inputs: Inputs
    figures: Figures
    revisions: Sequence[ClosedMonth]
    moved: Mapping[str, Mapping[str, int]]

    @property
    def closed(self) -> ClosedMonth | None:
        """Its last revision."""
        return self.revisions[-1] if self.revisions else None

    @property
    def changes_figures(self) -> bool:
        """Whether a new revision would change a figure, and not only what is told of where it is from."""
        return any(any(by_cause.values()) for by_cause in self.moved.values())

    @property
    def revision(self) -> int:
        return self.revisions[-1].revision if self.revisions else OPEN_REVISION


def shown_revision(session: Session, tenant_id: int, month: date) -> int:
    """The revision that figures of the month are taken from: 0 while it is open."""
    row = b.CarbonMonth
    found = session.scalar(
        select(func.max(row.revision)).where(row.tenant_id == tenant_id, row.month == month)
    )
    return found or OPEN_REVISION


def revisions_of(session: Session, tenant_id: int, months: Collection[date]) -> dict[date, list[ClosedMonth]]:
    """Every revision of each closed month, the first first."""
    row = b.CarbonMonth
    found: dict[date, list[ClosedMonth]] = defaultdict(list)
    for one in session.scalars(
        select(row).where(row.tenant_id == tenant_id, row.month.in_(months)).order_by(row.month, row.revision)
    ):
        found[one.month].append(_closed(one))
    return found


def all_closed(session: Session, tenant_id: int) -> Sequence[b.CarbonMonth]:
    """Every closed month of an adherent as it is stored, in order."""
    row = b.CarbonMonth
    return session.scalars(
        select(row).where(row.tenant_id == tenant_id).order_by(row.month, row.revision)
    ).all()


def month_seen(session: Session, tenant_id: int, month: date, now: datetime) -> MonthSeen:
    """One month, open or closed."""
    return months_seen(session, tenant_id, [month], now)[0]


def months_seen(session: Session, tenant_id: int, months: Sequence[date], now: datetime) -> list[MonthSeen]:
    """Months of an adherent, each with the revision that is shown."""
    zone = _zone(session, tenant_id)
    known, closed = inputs_of(session, tenant_id, months), revisions_of(session, tenant_id, months)
    return [_seen(month, known[month], closed.get(month, []), zone, now) for month in months]


def _seen(
    month: date, known: Inputs, revisions: Sequence[ClosedMonth], zone: ZoneInfo, now: datetime
) -> MonthSeen:
    if not revisions:
        why = doubts(known)
        state = MonthState.PROVISIONAL if why else MonthState.FINAL
        if month_bounds(month, zone)[1] > now:
            state = MonthState.RUNNING
        return MonthSeen(month, state, why, known, figures(known), revisions, {})
    held = revisions[-1].inputs
    moved = causes(held, known) if unnamed(held) != unnamed(known) else {}
    return MonthSeen(month, MonthState.CLOSED, doubts(held), held, figures(held), revisions, moved)


def inputs_of(
    session: Session, tenant_id: int, months: Sequence[date], revision: int = OPEN_REVISION
) -> dict[date, Inputs]:
    """What months are made from, as the lines of a revision have it."""
    zone = _zone(session, tenant_id)
    rows = _lines(session, tenant_id, months, revision)
    priced = _carbon(session, tenant_id, months, revision)
    names = _names(session, rows)
    missing = missing_volumes(session, tenant_id, months)
    found = {}
    for month in months:
        lines = tuple(
            _held(row, priced.get((month, *row.key), ()), names) for row in rows if row.month == month
        )
        start, end = month_bounds(month, zone)
        coverage = coverage_of(session, tenant_id, start, end)
        found[month] = Inputs(
            month=month,
            zone=zone.key,
            lines=lines,
            factors=tuple(_factors(session, lines)),
            policies=tuple(_policies(session, tenant_id, start, end)),
            hours=coverage.elapsed_hours,
            covered_hours=coverage.covered_hours,
            missing_volumes=tuple(missing[month]),
        )
    return found


def pool_lines(session: Session, tenant_id: int, month: date, revision: int) -> list[LineHeld]:
    """Shared services as a whole, which are the operator's and count by their shares alone."""
    line = b.MonthLine
    rows = session.scalars(
        select(line)
        .where(
            line.tenant_id == tenant_id,
            line.month == month,
            line.revision == revision,
            line.kind == LineKind.POOL,
        )
        .order_by(line.service_code, line.site, line.host_id, line.workload_id, line.claim_id, line.since)
    ).all()
    priced, names = _carbon(session, tenant_id, [month], revision), _names(session, rows)
    return [_held(row, priced.get((month, *row.key), ()), names) for row in rows]


def missing_volumes(session: Session, tenant_id: int, months: Sequence[date]) -> dict[date, Sequence[int]]:
    """By month, the subscriptions to services shared by volumes that told none of that month.

    One that does not run in the month, such as a draft, has none to tell.
    """
    shared, amendments = _shared_by_volume(session, months), _amendments(session, tenant_id)
    volume = k.VolumeMonth
    told: dict[tuple[int, date], int | None] = {
        (number, month): amount
        for number, month, amount in session.execute(
            select(volume.subscription, volume.month, volume.volume)
            .where(volume.tenant_id == tenant_id, volume.month.in_(months))
            .order_by(volume.revision)
        )
    }
    held = session.scalars(select(t.Subscription).where(t.Subscription.tenant_id == tenant_id)).all()
    return {
        month: sorted(
            one.number
            for one in held
            if one.service_code in shared[month]
            and one.starts_on < add_months(month, 1)
            and (one.ends_on is None or one.ends_on >= month)
            and told.get((one.number, month)) is None
            and terms_in(amendments[one.number], month) is not None
        )
        for month in months
    }


def _amendments(session: Session, tenant_id: int) -> Mapping[int, list[Amendment]]:
    """Those of each subscription of an adherent, in order."""
    row = k.SubscriptionAmendment
    found: dict[int, list[Amendment]] = defaultdict(list)
    for one in session.scalars(
        select(row).where(row.tenant_id == tenant_id).order_by(row.subscription, row.number)
    ):
        found[one.subscription].append(Amendment(one.number, one.effective_on, from_plain(one.changes)))
    return found


def _shared_by_volume(session: Session, months: Sequence[date]) -> dict[date, set[str]]:
    """By month, the services that workloads or meters of the operator serve to all, split by volumes."""
    claims = session.scalars(select(k.ServiceClaim)).all()
    meters = session.scalars(select(s.SitePool).order_by(s.SitePool.valid_from)).all()
    keys: dict[str, list[b.SharingKey]] = defaultdict(list)
    for key in session.scalars(select(b.SharingKey).order_by(b.SharingKey.valid_from, b.SharingKey.version)):
        keys[key.service_code].append(key)
    found = {}
    for month in months:
        start, end = month_bounds(month, OPERATOR_ZONE)
        run = {
            one.service_code
            for one in claims
            if one.valid_from < end and (one.valid_to is None or one.valid_to > start)
        } | _metered_in(meters, month)
        kinds = {
            code: next((key.kind for key in reversed(keys[code]) if key.valid_from <= month), None)
            for code in run
        }
        found[month] = {code for code in run if kinds[code] in (None, SharingKeyKind.VOLUME)}
    return found


def _metered_in(meters: Iterable[s.SitePool], month: date) -> set[str]:
    """The services to which a meter of a site is assigned in a month: the last word holds."""
    held = {(one.site, one.quantity): one.service_code for one in meters if one.valid_from <= month}
    return {code for code in held.values() if code is not None}


def adherents_with_lines(session: Session, month: date) -> list[int]:
    """Those of whom anything is known of a month."""
    line = b.MonthLine
    return list(
        session.scalars(
            select(line.tenant_id)
            .where(line.month == month, line.revision == OPEN_REVISION)
            .distinct()
            .order_by(line.tenant_id)
        )
    )


def adherents_closed(session: Session) -> list[int]:
    """Those of whom any month is closed, the operator within."""
    row = b.CarbonMonth
    return list(session.scalars(select(row.tenant_id).distinct().order_by(row.tenant_id)))


def closed_in(session: Session, month: date) -> dict[int, int]:
    """The last revision of a month by adherent, where it is closed."""
    row = b.CarbonMonth
    rows = session.execute(
        select(row.tenant_id, func.max(row.revision)).where(row.month == month).group_by(row.tenant_id)
    )
    return {row[0]: row[1] for row in rows}


def _lines(session: Session, tenant_id: int, months: Sequence[date], revision: int) -> Sequence[b.MonthLine]:
    line = b.MonthLine
    return session.scalars(
        select(line)
        .where(
            line.tenant_id == tenant_id,
            line.month.in_(months),
            line.revision == revision,
            line.kind != LineKind.POOL,
        )
        .order_by(line.month, line.since, line.host_id, line.workload_id, line.claim_id)
    ).all()


def _carbon(
    session: Session, tenant_id: int, months: Sequence[date], revision: int
) -> Mapping[tuple[Any, ...], list[b.CarbonLine]]:
    line = b.CarbonLine
    found: dict[tuple[Any, ...], list[b.CarbonLine]] = defaultdict(list)
    for row in session.scalars(
        select(line)
        .where(line.tenant_id == tenant_id, line.month.in_(months), line.revision == revision)
        .order_by(line.basis)
    ):
        found[row.month, *row.key].append(row)
    return found


def _names(session: Session, rows: Sequence[b.MonthLine]) -> Names:
    """What lines are called: by their claims, or by the fleet where they are the operator's."""
    wanted = {row.claim_id for row in rows if row.claim_id > 0}
    claims = select(c.WorkloadClaim).where(c.WorkloadClaim.claim_id.in_(wanted))
    named = {
        (one.host_id, one.workload_id, one.claim_id): (one.host_name, one.workload_name)
        for one in session.scalars(claims)
    }
    own = [row for row in rows if row.host_id and row.kind in (LineKind.UNCLAIMED, LineKind.POOL)]
    if own:
        on_hosts = (
            select(m.Workload.host_id, m.Workload.workload_id, m.Host.name, m.Workload.name)
            .join(m.Host, m.Host.host_id == m.Workload.host_id)
            .where(m.Workload.host_id.in_({row.host_id for row in own}))
        )
        found = {(row[0], row[1]): (row[2], row[3]) for row in session.execute(on_hosts)}
        named |= {
            (row.host_id, row.workload_id, row.claim_id): found[row.host_id, row.workload_id]
            for row in own
            if (row.host_id, row.workload_id) in found
        }
    return named


def _held(row: b.MonthLine, priced: Iterable[b.CarbonLine], names: Names) -> LineHeld:
    host, workload = names.get((row.host_id, row.workload_id, row.claim_id), (None, None))
    embodied = row.terms.get("embodied")
    return LineHeld(
        since=row.since,
        host_id=row.host_id,
        workload_id=row.workload_id,
        claim_id=row.claim_id,
        kind=row.kind,
        host=host,
        workload=workload,
        subscription=row.subscription,
        service_code=row.service_code,
        site=row.site,
        hours=row.hours,
        energy_mj=row.energy_mj,
        measured_mj=row.measured_mj,
        modelled_mj=row.modelled_mj,
        declared_mj=row.declared_mj,
        low_mj=row.low_mj,
        high_mj=row.high_mj,
        overhead_mj=row.overhead_mj,
        water_ml=row.water_ml,
        embodied_ug=row.embodied_ug,
        embodied_low_ug=row.embodied_low_ug,
        embodied_high_ug=row.embodied_high_ug,
        adpe_ug=row.adpe_ug,
        primary_mj=row.primary_mj,
        facility=Facility.of_terms(row.terms),
        share=ShareTerms.of_terms(row.terms),
        embodied_terms=json.dumps(embodied, sort_keys=True, ensure_ascii=False) if embodied else "",
        carbon=tuple(_carbon_held(one) for one in sorted(priced, key=lambda one: one.basis)),
    )


def _carbon_held(row: b.CarbonLine) -> CarbonHeld:
    return CarbonHeld(
        basis=row.basis,
        covered_mj=row.covered_mj,
        carbon_ug=row.carbon_ug,
        low_ug=row.low_ug,
        high_ug=row.high_ug,
        factor_id=row.factor_id,
        intensity_mg_per_kwh=row.intensity_mg_per_kwh,
        provisional=row.provisional,
        known_mj=row.terms.get("known_mj"),
        mg_mj=row.terms.get("mg_mj"),
        realtime_mj=row.terms.get("realtime_mj", 0),
        parts=tuple(
            PartHeld(
                part["share_ppm"], part["intensity_mg_per_kwh"], part.get("contract"), part.get("factor_id")
            )
            for part in row.terms.get("parts", ())
        ),
    )


def _factors(session: Session, lines: Iterable[LineHeld]) -> Iterable[FactorHeld]:
    held = [one for line in lines for one in line.carbon]
    wanted = {one.factor_id for one in held} | {part.factor_id for one in held for part in one.parts}
    row = b.EmissionFactor
    for one in session.scalars(select(row).where(row.factor_id.in_(wanted - {None}))):
        yield FactorHeld(
            factor_id=one.factor_id,
            publisher=one.publisher,
            title=one.title,
            vintage=one.vintage,
            intensity_mg_per_kwh=one.intensity_mg_per_kwh,
            low_mg_per_kwh=one.low_mg_per_kwh,
            high_mg_per_kwh=one.high_mg_per_kwh,
            confirmed=one.confirmed,
        )


def _policies(session: Session, tenant_id: int, start: datetime, end: datetime) -> Iterable[str]:
    told = t.CoverageHour
    joined = session.scalars(
        select(told.policy)
        .where(told.tenant_id == tenant_id, told.hour >= start, told.hour < end, told.policy != "")
        .distinct()
    )
    return sorted({policy for one in joined for policy in one.split("+")})


def _zone(session: Session, tenant_id: int) -> ZoneInfo:
    zone = session.scalars(select(c.Adherent.zone).where(c.Adherent.tenant_id == tenant_id)).one()
    return ZoneInfo(zone)


def _closed(row: b.CarbonMonth) -> ClosedMonth:
    return ClosedMonth(
        tenant_id=row.tenant_id,
        month=row.month,
        revision=row.revision,
        sha256=row.sha256,
        inputs=canonical.decode(Inputs, row.inputs),
        provisional=row.provisional,
        causes=row.causes,
        closed_at=row.closed_at,
        closed_by=row.closed_by,
        reason=row.reason,
    )
