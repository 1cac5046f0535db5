"""Impacts that things may have by the name of their model, which wait for a person."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select, tuple_
from sqlalchemy.orm import Session

from console.domain.equipment import EquipmentKind
from console.store.models import equipment as q


@dataclass(frozen=True, slots=True)
class Proposal:
    """An impact, of one piece, that a thing may have by the name of its model; it waits for a person."""

    equipment_id: int
    version: int
    name: str
    kind: EquipmentKind
    manufacturer: str | None
    model: str | None
    reference: str
    confidence_ppm: int | None
    gwp_ug: int
    gwp_low_ug: int | None
    gwp_high_ug: int | None


def proposals(session: Session) -> list[Proposal]:
    """The last impacts of things that wait for a person, the surest first."""
    row, thing = q.EmbodiedImpact, q.Equipment
    last = select(row.equipment_id, func.max(row.version)).group_by(row.equipment_id)
    found = session.execute(
        select(
            thing.equipment_id, row.version, thing.name, thing.kind, thing.manufacturer, thing.model,
            row.reference, row.confidence_ppm, row.gwp_ug, row.gwp_low_ug, row.gwp_high_ug,
        )
        .join(row, row.equipment_id == thing.equipment_id)
        .where(tuple_(row.equipment_id, row.version).in_(last), ~row.confirmed, row.refused_at.is_(None))
        .order_by(func.coalesce(row.confidence_ppm, 0).desc(), thing.name)
    )  # fmt: skip
    return [Proposal(*values) for values in found]
