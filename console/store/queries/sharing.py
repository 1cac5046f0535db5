"""How a shared service is split: its keys, its months, and a month with who carries what of it.

Pools and what is unallocated are the operator's: a scope of adherents finds its own shares alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from typing import Any

from sqlalchemy import ColumnExpressionArgument, case, func, select
from sqlalchemy.orm import Session

from console.domain.claims import OPERATOR_TENANT
from console.domain.errors import NotFound
from console.domain.facility import Quantity
from console.domain.factors import Basis
from console.domain.month_lines import OPEN_REVISION, LineKind, ShareTerms
from console.domain.sharing import Key, Origin, key_for
from console.store.models import carbon as b
from console.store.models import catalogue as c
from console.store.models import site as s
from console.store.queries.carbon_months import closed_in
from console.store.queries.service_names import ServiceName, name_of

SHARED = (LineKind.SHARE, LineKind.UNALLOCATED)
MONTHS_SHOWN = 24


@dataclass(frozen=True, slots=True)
class KeySet:
    """A key with who set it; `in_force`: that of this month, `replaced`: its month has a later version."""

    key: Key
    note: str
    set_by: str
    set_at: datetime
    in_force: bool
    replaced: bool


@dataclass(frozen=True, slots=True)
class SharedMonth:
    """A month of a service: what it used and who carries it; None: not for the reader, or unknown.

    `missing` are the subscriptions whose volume is not known.
    """

    month: date
    pool_mj: int | None
    overhead_mj: int | None
    shared_mj: int
    unallocated_mj: int
    shares: int
    missing: int


@dataclass(frozen=True, slots=True)
class SharingPage:
    """A service with its unit, its keys, the latest to begin first, and its months, the latest first."""

    service: ServiceName
    unit_fr: str
    unit_en: str
    key: Key
    keys: Sequence[KeySet]
    months: Sequence[SharedMonth]


@dataclass(frozen=True, slots=True)
class Share:
    """What falls to a subscription, of all sites together; without a name it is nobody's, for `reason`."""

    tenant_id: int | None
    name: str | None
    subscription: int | None
    weight: int | None
    weights: int | None
    origin: Origin | None
    energy_mj: int
    overhead_mj: int | None
    carbon_ug: int | None
    embodied_ug: int | None
    reason: str | None = None

    @property
    def part(self) -> Fraction | None:
        """Its part of the whole, from its weight."""
        return Fraction(self.weight, self.weights) if self.weight is not None and self.weights else None


@dataclass(frozen=True, slots=True)
class ShareSeen:
    """A share as it is shown: as it was frozen where the month of who carries it is `closed`.

    `now` is the share as it is known now; None: there is none any more. One that came after the month was
    closed was not `in_closing`.
    """

    share: Share
    now: Share | None
    closed: bool
    in_closing: bool = True

    @property
    def moved(self) -> bool:
        """Whether what is known now is not what was closed."""
        return self.closed and (not self.in_closing or self.now != self.share)


@dataclass(frozen=True, slots=True)
class MonthPage:
    """A month with the key that split it, its pool for those who may see it, and its shares by name."""

    service: ServiceName
    unit_fr: str
    unit_en: str
    month: date
    terms: ShareTerms | None
    shared_out_mj: int | None  # what all subscribers share, as the shares that the scope finds tell it
    summary: SharedMonth
    shares: Sequence[ShareSeen]
    unallocated: Sequence[ShareSeen]


@dataclass(frozen=True, slots=True)
class Assigned:
    """From a month on, a meter of a site is of a service; None: of none."""

    quantity: Quantity
    valid_from: date
    service: ServiceName | None
    recorded_by: str
    recorded_at: datetime


def sharing_page(session: Session, service_code: str, today: date) -> SharingPage:
    """The keys and the months of a service, as far as the scope reaches; raises `NotFound`."""
    service = _service(session, service_code)
    row = b.SharingKey
    rows = session.scalars(
        select(row)
        .where(row.service_code == service_code)
        .order_by(row.valid_from.desc(), row.version.desc())
    ).all()
    keys = [Key(one.kind, one.valid_from, one.version) for one in rows]
    held = key_for(keys, today.replace(day=1))
    latest = {
        key.valid_from: max(one.version for one in keys if one.valid_from == key.valid_from) for key in keys
    }
    return SharingPage(
        service=name_of(service),
        unit_fr=service.unit_fr,
        unit_en=service.unit_en,
        key=held,
        keys=[
            KeySet(key, one.note, one.set_by, one.set_at, key == held, key.version < latest[key.valid_from])
            for key, one in zip(keys, rows, strict=True)
        ],
        months=_months(session, service_code),
    )


def month_page(session: Session, service_code: str, month: date) -> MonthPage:
    """A month of a service, empty where the scope finds nothing of it; raises `NotFound`."""
    service = _service(session, service_code)
    lines = _lines(session, service_code, month, b.MonthLine.revision == OPEN_REVISION)
    nothing = SharedMonth(month, None, None, shared_mj=0, unallocated_mj=0, shares=0, missing=0)
    summary = next(iter(_months(session, service_code, month)), nothing)
    found = _seen(
        session, service_code, month, _shares(session, lines, _carbon(session, service_code, month))
    )
    terms = next((one for line in lines if (one := ShareTerms.of_terms(line.terms))), None)
    return MonthPage(
        service=name_of(service),
        unit_fr=service.unit_fr,
        unit_en=service.unit_en,
        month=month,
        terms=terms,
        shared_out_mj=_shared_out(lines),
        summary=summary,
        shares=[one for kind, one in found if kind is LineKind.SHARE],
        unallocated=[one for kind, one in found if kind is LineKind.UNALLOCATED],
    )


def assigned_meters(session: Session, site: str) -> list[Assigned]:
    """Which services the storage, the backup and the network of a site are of, the latest first."""
    row = s.SitePool
    rows = session.execute(
        select(row, c.Service)
        .outerjoin(c.Service, c.Service.code == row.service_code)
        .where(row.site == site)
        .order_by(row.valid_from.desc(), row.quantity)
    )
    return [
        Assigned(one.quantity, one.valid_from, name_of(of) if of else None, one.recorded_by, one.recorded_at)
        for one, of in rows
    ]


def services_to_share(session: Session) -> list[ServiceName]:
    """Every service of the catalogue, by name."""
    return [name_of(row) for row in session.scalars(select(c.Service).order_by(c.Service.name_fr))]


def _service(session: Session, service_code: str) -> c.Service:
    row = session.get(c.Service, service_code)
    if row is None:
        raise NotFound("Service introuvable.")
    return row


def _months(session: Session, service_code: str, month: date | None = None) -> list[SharedMonth]:
    """What is known now; what a closed month shows of it elsewhere is its revision."""
    line = b.MonthLine
    kinds = (LineKind.POOL, *SHARED)
    of_service = [line.service_code == service_code, line.revision == OPEN_REVISION, line.kind.in_(kinds)]
    if month is not None:
        of_service.append(line.month == month)
    rows = session.execute(
        select(
            line.month,
            line.kind,
            func.sum(line.energy_mj).label("energy_mj"),
            case((func.count(line.overhead_mj) == func.count(), func.sum(line.overhead_mj))).label(
                "overhead_mj"
            ),
            func.count().label("lines"),
        )
        .where(*of_service)
        .group_by(line.month, line.kind)
        .order_by(line.month.desc())
    ).all()
    by_month: dict[date, dict[LineKind, Any]] = {}
    for row in rows:
        by_month.setdefault(row.month, {})[row.kind] = row
    missing = _missing(session, service_code)
    return [
        _shared_month(of_month, by_kind, missing[of_month])
        for of_month, by_kind in list(by_month.items())[:MONTHS_SHOWN]
    ]


def _shared_month(month: date, by_kind: dict[LineKind, Any], missing: int) -> SharedMonth:
    pool = by_kind.get(LineKind.POOL)

    def energy(kind: LineKind) -> int:
        return int(by_kind[kind].energy_mj) if kind in by_kind else 0

    return SharedMonth(
        month=month,
        pool_mj=int(pool.energy_mj) if pool else None,
        overhead_mj=None if pool is None or pool.overhead_mj is None else int(pool.overhead_mj),
        shared_mj=energy(LineKind.SHARE),
        unallocated_mj=energy(LineKind.UNALLOCATED),
        shares=by_kind[LineKind.SHARE].lines if LineKind.SHARE in by_kind else 0,
        missing=missing,
    )


def _missing(session: Session, service_code: str) -> Counter[date]:
    """How many subscriptions told no volume, by month; those of all sites once."""
    line = b.MonthLine
    rows = session.execute(
        select(line.month, line.terms).where(
            line.service_code == service_code,
            line.revision == OPEN_REVISION,
            line.kind == LineKind.UNALLOCATED,
        )
    )
    named = {
        (month, terms["missing"]["tenant_id"], terms["missing"]["subscription"])
        for month, terms in rows
        if "tenant_id" in terms["missing"]
    }
    return Counter(month for month, _, _ in named)


def _seen(
    session: Session, service_code: str, month: date, known: Sequence[tuple[LineKind, Share]]
) -> list[tuple[LineKind, ShareSeen]]:
    """Each share of the month, as it was closed where it is, beside what is known now; the largest first."""
    closed = set(closed_in(session, month))
    held = _lines(session, service_code, month, b.MonthLine.counts, b.MonthLine.revision != OPEN_REVISION)
    frozen = {_whose(one): one for one in _shares(session, held, _carbon(session, service_code, month))}
    now = {_whose(one): one for one in known}
    found = []
    for key in {**now, **frozen}:
        kind, share = frozen.get(key) or now[key]
        owner = share.tenant_id if kind is LineKind.SHARE else OPERATOR_TENANT
        of_now = now[key][1] if key in now else None
        is_closed = owner in closed
        found.append((kind, ShareSeen(share, of_now, is_closed, in_closing=key in frozen or not is_closed)))
    return sorted(found, key=lambda one: _by_size(one[1].share))


def _whose(one: tuple[LineKind, Share]) -> tuple[LineKind, int | None, int | None, str | None]:
    kind, share = one
    return kind, share.tenant_id, share.subscription, share.reason


def _by_size(share: Share) -> tuple[int, str, int]:
    return -share.energy_mj, share.name or "", share.subscription or 0


def _lines(
    session: Session, service_code: str, month: date, *revision: ColumnExpressionArgument[bool]
) -> Sequence[b.MonthLine]:
    line = b.MonthLine
    return session.scalars(
        select(line)
        .where(line.service_code == service_code, line.month == month, line.kind.in_(SHARED), *revision)
        .order_by(line.tenant_id, line.subscription, line.since, line.claim_id)
    ).all()


def _carbon(session: Session, service_code: str, month: date) -> dict[tuple[Any, ...], int | None]:
    """The carbon of the use on the yearly average, by line of any revision."""
    row = b.CarbonLine
    rows = session.execute(
        select(row.revision, row.tenant_id, row.since, row.workload_id, row.claim_id, row.carbon_ug).where(
            row.service_code == service_code,
            row.month == month,
            row.kind.in_(SHARED),
            row.basis == Basis.YEARLY_AVERAGE,
        )
    )
    return {tuple(key): carbon_ug for *key, carbon_ug in rows}


def _shares(
    session: Session, lines: Sequence[b.MonthLine], carbon: dict[tuple[Any, ...], int | None]
) -> list[tuple[LineKind, Share]]:
    """The lines by whom they are of, those of several sites together."""
    by_who: dict[tuple[LineKind, int | None, int | None, str | None], list[b.MonthLine]] = {}
    for line in lines:
        by_who.setdefault((line.kind, *_who(line)), []).append(line)
    tenants = {tenant_id for _, tenant_id, _, _ in by_who if tenant_id is not None}
    names = dict(
        session.execute(
            select(c.Adherent.tenant_id, c.Adherent.name).where(c.Adherent.tenant_id.in_(tenants))
        ).all()
    )
    found = []
    for (kind, tenant_id, number, reason), held in by_who.items():
        terms = ShareTerms.of_terms(held[0].terms)
        found.append(
            (
                kind,
                Share(
                    tenant_id=tenant_id,
                    name=names.get(tenant_id) if tenant_id is not None else None,
                    subscription=number,
                    weight=terms.weight if terms else None,
                    weights=terms.weights if terms else None,
                    origin=Origin(terms.origin) if terms else None,
                    energy_mj=sum(line.energy_mj for line in held),
                    overhead_mj=_whole([line.overhead_mj for line in held]),
                    carbon_ug=_whole([carbon.get(_key(line)) for line in held]),
                    embodied_ug=_whole([line.embodied_ug for line in held]),
                    reason=reason,
                ),
            )
        )
    return found


def _shared_out(lines: Sequence[b.MonthLine]) -> int | None:
    """The pools of all sites and stretches that these lines are of, each once; None: none of them says."""
    pools = {
        (line.site, line.since): terms.pool_mj
        for line in lines
        if (terms := ShareTerms.of_terms(line.terms)) is not None and terms.pool_mj is not None
    }
    return sum(pools.values()) if pools else None


def _who(line: b.MonthLine) -> tuple[int | None, int | None, str | None]:
    if line.kind is LineKind.SHARE:
        return line.tenant_id, line.subscription, None
    missing = line.terms["missing"]
    return missing.get("tenant_id"), missing.get("subscription"), missing.get("reason")


def _whole(values: Sequence[int | None]) -> int | None:
    """A sum, unknown where a part is."""
    return None if None in values else sum(value or 0 for value in values)


def _key(line: b.MonthLine) -> tuple[Any, ...]:
    return line.revision, line.tenant_id, line.since, line.workload_id, line.claim_id
