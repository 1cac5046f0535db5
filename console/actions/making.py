"""What of making the things of the inventory is booked in a month: the equipment of a host, or of a site.

Each thing counts by its last confirmed impact, times its quantity, over its life. One that was bought second
hand counts what was declared of it alone (its refurbishing, its transport): its first owner has booked its
making. A thing whose impact or life nobody told is unknown, and named.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from console.domain.amortisation import Life, booked
from console.domain.embodied_shares import FRAME
from console.domain.equipment import TECHNICAL, EquipmentKind
from console.domain.month_lines import EMBODIED
from console.domain.proportion import apportion
from console.store.models import equipment as q
from console.store.models import measurement as m
from console.store.queries.equipment import life_of, standing_impact, whole_of
from console.store.queries.stays import homes

OF_IMPACT = ("gwp_ug", "gwp_low_ug", "gwp_high_ug", "adpe_ug", "primary_mj")


@dataclass(slots=True)
class Making:
    """A month's amounts by the names of their columns; None: not told of every thing."""

    amounts: dict[str, int | None] = field(default_factory=lambda: dict.fromkeys(EMBODIED, 0))
    parts: dict[str, int] = field(default_factory=dict)
    things: list[dict[str, Any]] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)

    @property
    def embodied_ug(self) -> int:
        return self.amounts["embodied_ug"] or 0


def making_of_host(session: Session, name: str, month: date) -> Making | None:
    """What is booked of a host in a month; None: nothing is known of it."""
    things = session.scalars(select(q.Equipment).where(func.lower(q.Equipment.host_name) == name.lower()))
    return making_in(session, things, month)


def making_of_site(session: Session, site: str, month: date, *, technical: bool) -> Making | None:
    """What is booked of a site's technical equipment, or of all that stands there; None: nothing is known.

    A host that moved within the month is booked where it stood last.
    """
    return making_in(session, _things_at(session, site, month, technical=technical), month)


def making_of_kind(session: Session, site: str, kind: EquipmentKind, month: date) -> Making | None:
    """What is booked of a site's storage, backup or network, but what is a host; None: nothing is known."""
    hosts = {name.lower() for name in session.scalars(select(m.Host.name))}
    things = [
        one
        for one in _things_at(session, site, month, technical=False)
        if one.kind is kind and (one.host_name or "").lower() not in hosts
    ]
    return making_in(session, things, month)


def making_in(session: Session, things: Iterable[q.Equipment], month: date) -> Making | None:
    """What is booked of things in a month; None where there is none, or nothing is known of any."""
    found = Making()
    for thing in sorted(things, key=lambda one: one.name):
        impact, life = standing_impact(session, thing.equipment_id), life_of(thing)
        if impact is None or life is None:
            found.unknown.append(thing.name)
        else:
            _add(found, thing, impact, life, month)
    return found if found.things else None


def _add(found: Making, thing: q.Equipment, impact: q.EmbodiedImpact, life: Life, month: date) -> None:
    for name, of_impact in zip(EMBODIED, OF_IMPACT, strict=True):
        whole, before = whole_of(thing, impact, of_impact), found.amounts[name]
        if whole is None or before is None:
            found.amounts[name] = None
        else:
            found.amounts[name] = before + booked(whole, life, month)
    whole_ug = whole_of(thing, impact) or 0
    month_ug = booked(whole_ug, life, month)
    known = {part: amount for part, amount in impact.parts.items() if amount} or {FRAME: 1}
    for part, amount in apportion(month_ug, known).items():
        found.parts[part] = found.parts.get(part, 0) + amount
    found.things.append(
        {
            "name": thing.name,
            "version": impact.version,
            "source": impact.source.value,
            "reference": impact.reference,
            "whole_ug": whole_ug,
            "month_ug": month_ug,
            "plan_months": life.plan,
        }
    )


def _things_at(session: Session, site: str, month: date, *, technical: bool) -> Sequence[q.Equipment]:
    """What stood on a site last in a month: where its host stood, else where the inventory says."""
    hosts = homes(session, month)
    things = session.scalars(select(q.Equipment)).all()
    return [
        one
        for one in things
        if hosts.get((one.host_name or "").lower(), one.site) == site
        and (not technical or one.kind in TECHNICAL)
    ]
