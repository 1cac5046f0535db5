"""What was embodied in the equipment that a month line used."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from console.actions.making import making_of_kind
from console.domain.equipment import EquipmentKind
from console.domain.hours import HOUR
from console.domain.month_lines import EMBODIED
from console.domain.spans import Span
from console.domain.stretches import spread
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

    def over(self, stretches: Sequence[Span]) -> list[Embodied]:
        """It over the stretches of its month, by their time; they add up to it."""
        parts = {
            name: [None] * len(stretches) if amount is None else spread(amount, stretches)
            for name, amount in self.amounts().items()
        }
        return [
            Embodied(
                **{name: of[place] for name, of in parts.items()}, terms=self._terms_of(place, stretches)
            )
            for place in range(len(stretches))
        ]

    def _terms_of(self, place: int, stretches: Sequence[Span]) -> dict[str, Any]:
        """Its terms, with the hours of a stretch among those of the month where that is cut."""
        if len(stretches) == 1 or not self.terms:
            return self.terms
        hours = [(end - start) // HOUR for start, end in stretches]
        return self.terms | {"stretch_hours": hours[place], "month_hours": sum(hours)}


def workload_months(
    session: Session, months: Iterable[date], hosts: Iterable[int], workloads: Iterable[int]
) -> Mapping[tuple[date, int, int], q.WorkloadMonth]:
    """What falls to workloads of the making of their hosts, by month, host and workload."""
    row = q.WorkloadMonth
    found = session.scalars(
        select(row).where(
            row.month.in_(set(months)),
            row.host_id.in_(set(hosts)),
            row.workload_id.in_(set(workloads)),
        )
    )
    return {(one.month, one.host_id, one.workload_id): one for one in found}


def embodied_of(
    row: q.WorkloadMonth | None, technical: Mapping[str, Any] | None, hours: int, energy_mj: int
) -> Embodied:
    """The part of a workload's month that falls to some of its hours, and what the site's technical equipment
    adds by its energy. Rounded down: the operator's line of the site has what that leaves.

    Where nothing is known of the host, nothing is told: a part of the site alone would look like all of it.
    """
    if row is None or row.embodied_ug is None or not row.hours:
        return Embodied()

    def part(name: str) -> int | None:
        amount: int | None = getattr(row, name)
        if amount is None or (technical and technical[name] is None):
            return None
        return amount * min(hours, row.hours) // row.hours + technical_part({"embodied": terms}, name)

    terms = {**row.terms, "hours": hours, "of_hours": row.hours}
    if technical:
        terms |= {"technical": technical, "energy_mj": energy_mj}
    return Embodied(**{name: part(name) for name in EMBODIED}, terms=terms)


def technical_part(terms: Mapping[str, Any], name: str) -> int:
    """What of an amount of a line, by the name of its column, is of the technical equipment of its site."""
    embodied = terms.get("embodied", {})
    technical = embodied.get("technical")
    amount: int = technical[name] * embodied["energy_mj"] // technical["it_mj"] if technical else 0
    return amount


def embodied_of_kind(
    session: Session,
    site: str,
    kind: EquipmentKind,
    site_month: date,
    stretches: Sequence[Span],
    energies_mj: Sequence[int],
) -> list[Embodied]:
    """What is booked of a site's storage, backup or network, over stretches of its month by their time, and
    what the technical equipment adds by the energy of each.

    Where nothing is known of that equipment, nothing is told.
    """
    made = making_of_kind(session, site, kind, site_month)
    if made is None:
        return [Embodied() for _ in stretches]
    terms = {"things": made.things, "unknown": made.unknown, "of_ug": made.embodied_ug}
    parts = Embodied(**made.amounts, terms=terms).over(stretches)
    technical = _technical(session, site, site_month)
    if technical is None:
        return parts
    return [
        _with_technical(part, technical, energy_mj)
        for part, energy_mj in zip(parts, energies_mj, strict=True)
    ]


def _with_technical(part: Embodied, technical: Mapping[str, Any], energy_mj: int) -> Embodied:
    terms = part.terms | {"technical": technical, "energy_mj": energy_mj}
    amounts = {
        name: None
        if amount is None or technical[name] is None
        else amount + technical_part({"embodied": terms}, name)
        for name, amount in part.amounts().items()
    }
    return Embodied(**amounts, terms=terms)


def _technical(session: Session, site: str | None, month: date) -> dict[str, Any] | None:
    row = session.get(b.SiteMonth, (site, month)) if site else None
    return row.terms.get("technical") if row else None
