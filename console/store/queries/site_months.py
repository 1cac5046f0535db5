"""The months of a data centre as they were settled: what its energy is made of, with the residue, or why not.

hosts + shared services that are metered + IT not attributed + overhead, losses within = total
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from console.domain.hours import month_bounds
from console.domain.month_lines import NO_HOST, OPEN_REVISION, LineKind
from console.domain.site_months import METERED
from console.store.models import carbon as b
from console.store.queries.generation import is_partly_before_ledger

CARRIED = (LineKind.OWN, LineKind.UNCLAIMED, LineKind.POOL, LineKind.IT_REST, LineKind.SITE_REST)


@dataclass(frozen=True, slots=True)
class SiteBalance:
    """A month of a data centre, in millijoules. None: unknown.

    `hosts_mj`, `pools_mj` and `it_rest_mj` are the energy of its lines, `overhead_mj` what they carry
    besides; `losses_mj` are within it. `residue_mj` is what the meters told and no line carries: 0 where all
    adds up; unknown of a month that is not whole in the ledger. `refused` says why contradicting meters are
    not taken, with their values.
    """

    month: date
    hosts_mj: int
    pools_mj: int
    it_rest_mj: int
    overhead_mj: int | None
    losses_mj: int | None
    total_mj: int | None
    category: int
    origin: str | None
    provisional: bool
    refused: str | None
    values: Mapping[str, int]
    is_whole: bool = True

    @property
    def residue_mj(self) -> int | None:
        """Only where the overhead is metered: a declared PUE makes a total, and meters none."""
        if not self.is_whole or self.total_mj is None or self.overhead_mj is None or self.origin != METERED:
            return None
        return self.total_mj - self.hosts_mj - self.pools_mj - self.it_rest_mj - self.overhead_mj


def site_balances(session: Session, code: str, zone: ZoneInfo, months: Sequence[date]) -> list[SiteBalance]:
    """The settled months of a site among these, in order."""
    row = b.SiteMonth
    settled = session.scalars(select(row).where(row.site == code, row.month.in_(months)).order_by(row.month))
    return [
        replace(
            _balance(one, _carried(session, code, zone, one.month)),
            is_whole=not is_partly_before_ledger(session, month_bounds(one.month, zone)[0]),
        )
        for one in settled
    ]


def _carried(session: Session, code: str, zone: ZoneInfo, month: date) -> Sequence[Any]:
    """What the lines of a month of a site carry, by kind and whether a host told it."""
    line = b.MonthLine
    start, end = month_bounds(month, zone)
    metered = line.host_id == NO_HOST
    return session.execute(
        select(
            line.kind,
            metered.label("metered"),
            func.sum(line.energy_mj).label("energy_mj"),
            func.sum(line.overhead_mj).label("overhead_mj"),
        )
        .where(
            line.site == code,
            line.since >= start,
            line.since < end,
            line.revision == OPEN_REVISION,
            line.kind.in_(CARRIED),
        )
        .group_by(line.kind, metered)
    ).all()


def _balance(row: b.SiteMonth, carried: Sequence[Any]) -> SiteBalance:
    overheads = [int(one.overhead_mj) for one in carried if one.overhead_mj is not None]
    return SiteBalance(
        month=row.month,
        hosts_mj=_sum(one for one in carried if not one.metered),
        pools_mj=_sum(one for one in carried if one.metered and one.kind == LineKind.POOL),
        it_rest_mj=_sum(one for one in carried if one.kind == LineKind.IT_REST),
        overhead_mj=sum(overheads) if overheads else None,
        losses_mj=row.losses_mj,
        total_mj=row.total_mj,
        category=row.category,
        origin=row.origin,
        provisional=row.provisional,
        refused=row.terms.get("refused"),
        values=row.terms.get("values", {}),
    )


def _sum(rows: Iterable[Any]) -> int:
    return sum(int(one.energy_mj) for one in rows)
