"""The monthly volumes of a subscription, as they hold now."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from console.store.models import contract as k


@dataclass(frozen=True, slots=True)
class MonthVolume:
    """A month with its volume, None where it was withdrawn; `revision` 1 was never corrected."""

    month: date
    volume: int | None
    source: str
    revision: int
    recorded_at: datetime
    recorded_by: str


def volumes_of(session: Session, tenant_id: int, number: int, months: Collection[date]) -> list[MonthVolume]:
    """Those of some months of which something was told, the last first."""
    row = k.VolumeMonth
    rows = session.scalars(
        select(row)
        .where(row.tenant_id == tenant_id, row.subscription == number, row.month.in_(months))
        .order_by(row.month, row.revision)
    )
    last = {one.month: one for one in rows}
    return [
        MonthVolume(
            month=one.month,
            volume=one.volume,
            source=one.source.value,
            revision=one.revision,
            recorded_at=one.recorded_at,
            recorded_by=one.recorded_by,
        )
        for one in sorted(last.values(), key=lambda one: one.month, reverse=True)
    ]
