"""What was embodied in the equipment that a month line used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from console.actions.making import AMOUNTS
from console.store.models import carbon as b
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
    """The part of a workload's month that falls to some of its hours, and what the site's technical equipment
    adds by its energy. Rounded down: the operator's line of the site has what that leaves.

    Where nothing is known of the host, nothing is told: a part of the site alone would look like all of it.
    """
    row = session.get(q.WorkloadMonth, (site_month, host_id, workload_id))
    if row is None or row.embodied_ug is None or not row.hours:
        return Embodied()
    technical = _technical(session, site, site_month)

    def part(name: str) -> int | None:
        amount: int | None = getattr(row, name)
        if amount is None or (technical and technical[name] is None):
            return None
        return amount * min(hours, row.hours) // row.hours + technical_part({"embodied": terms}, name)

    terms = {**row.terms, "hours": hours, "of_hours": row.hours}
    if technical:
        terms |= {"technical": technical, "energy_mj": energy_mj}
    return Embodied(**{name: part(name) for name in AMOUNTS}, terms=terms)


def technical_part(terms: Mapping[str, Any], name: str) -> int:
    """What of an amount of a line, by the name of its column, is of the technical equipment of its site."""
    embodied = terms.get("embodied", {})
    technical = embodied.get("technical")
    amount: int = technical[name] * embodied["energy_mj"] // technical["it_mj"] if technical else 0
    return amount


def _technical(session: Session, site: str | None, month: date) -> dict[str, Any] | None:
    row = session.get(b.SiteMonth, (site, month)) if site else None
    return row.terms.get("technical") if row else None
