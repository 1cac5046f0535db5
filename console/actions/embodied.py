"""What was embodied in the equipment that a month line used."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from console.store.models import equipment as q


@dataclass(frozen=True, slots=True)
class Embodied:
    """What falls to a line; None: unknown. `terms` says of what it is made."""

    embodied_ug: int | None = None
    embodied_low_ug: int | None = None
    embodied_high_ug: int | None = None
    adpe_ug: int | None = None
    primary_mj: int | None = None
    terms: dict[str, Any] = field(default_factory=dict)

    def amounts(self) -> dict[str, int | None]:
        """Its amounts by the names of their columns."""
        return {name: value for name, value in asdict(self).items() if name != "terms"}


def embodied_of(
    session: Session,
    host_id: int,
    workload_id: int,
    site_month: date,
    site: str | None,
    hours: int,
    energy_mj: int,
) -> Embodied:
    """The part of a workload's month that falls to some of its hours, rounded down."""
    row = session.get(q.WorkloadMonth, (site_month, host_id, workload_id))
    if row is None or row.embodied_ug is None:
        return Embodied()

    def part(amount: int | None) -> int | None:
        return None if amount is None else amount * hours // row.hours

    return Embodied(
        part(row.embodied_ug),
        part(row.embodied_low_ug),
        part(row.embodied_high_ug),
        part(row.adpe_ug),
        part(row.primary_mj),
        dict(row.terms),
    )
