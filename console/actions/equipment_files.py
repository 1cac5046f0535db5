"""An inventory from a table: looked at first, then stored; what a row does not tell stays as it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from console.actions.equipment import (
    Impact,
    check_retirement,
    check_thing,
    held,
    mark_due,
    record_impact,
    record_thing,
)
from console.actions.facility import site_called
from console.domain.boavizta import best_match
from console.domain.claims import OPERATOR_TENANT
from console.domain.equipment import Disk, EndOfLife, ImpactSource, Thing
from console.domain.equipment_files import EquipmentFile, ThingRow
from console.domain.errors import DomainError, Invalid
from console.domain.tables import RefusedRow
from console.store.audit import record
from console.store.models import equipment as q


class Fate(StrEnum):
    """What becomes of a row."""

    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Planned:
    """A row with what becomes of it; `changes` are the facts that it tells otherwise, before and after."""

    row: ThingRow
    fate: Fate
    thing: Thing | None = None
    changes: Mapping[str, tuple[Any, Any]] | None = None
    refusal: DomainError | None = None


@dataclass(frozen=True, slots=True)
class Looked:
    """What a file would change."""

    file: EquipmentFile
    planned: Sequence[Planned]

    @property
    def to_store(self) -> int:
        return sum(one.fate in (Fate.NEW, Fate.CHANGED) for one in self.planned)

    def counts(self) -> Counter[Fate]:
        """How many of each fate; a row that cannot be read is refused."""
        found = Counter(one.fate for one in self.planned)
        found[Fate.REFUSED] += len(self.file.refusals)
        return found

    def refused(self) -> list[RefusedRow]:
        """Every refusal in the order of the file."""
        judged = [
            RefusedRow(one.row.line, one.refusal) for one in self.planned if isinstance(one.refusal, Invalid)
        ]
        return sorted([*self.file.refusals, *judged], key=lambda one: one.line)


def look_at(session: Session, file: EquipmentFile, *, planned_months: int | None, now: datetime) -> Looked:
    """What storing a table would do; `planned_months` holds where a new thing tells no planned life."""
    known = {row.name: row for row in session.scalars(select(q.Equipment))}
    return Looked(file, [_plan(session, known.get(row.name), row, planned_months, now) for row in file.rows])


def store_file(
    session: Session, file: EquipmentFile, *, planned_months: int | None, now: datetime, by: str
) -> Looked:
    """Store what of a table is new or changed; repeated, it changes nothing.

    The model of a new thing is looked up among manufacturers' sheets: what is found waits to be confirmed.
    """
    looked = look_at(session, file, planned_months=planned_months, now=now)
    for one in looked.planned:
        if one.thing is not None and one.fate in (Fate.NEW, Fate.CHANGED):
            _store(session, one, one.thing, now, by)
    return looked


def note_import(session: Session, file_name: str, looked: Looked) -> None:
    """Write down, with the transaction, that an inventory came in."""
    facts = {f"rows_{fate.value}": count for fate, count in sorted(looked.counts().items())}
    record(session, OPERATOR_TENANT, "equipment.imported", f"equipment/{file_name}"[:200], facts)


def propose_match(session: Session, equipment_id: int, *, now: datetime, by: str) -> int | None:
    """Look a model up among manufacturers' sheets; the version that waits, None where none is like it."""
    row = held(session, equipment_id)
    match = best_match(row.manufacturer, row.model)
    if match is None:
        return None
    sheet = match.sheet
    told = Impact(
        ImpactSource.BOAVIZTA,
        f"Boavizta : {sheet.manufacturer} {sheet.name}, {sheet.reported}, {sheet.address}",
        sheet.gwp_ug, sheet.gwp_low_ug, sheet.gwp_high_ug,
        confidence_ppm=match.confidence_ppm, confirmed=False,
    )  # fmt: skip
    return record_impact(session, equipment_id, told, now=now, by=by)


def _plan(
    session: Session, stored: q.Equipment | None, row: ThingRow, planned_months: int | None, now: datetime
) -> Planned:
    facts = {name: value for name, value in row.facts.items() if name != "retired_on"}
    try:
        if "site" in facts:
            facts["site"] = site_called(session, facts["site"]).code
        if stored is None:
            if "kind" not in facts:
                raise Invalid("kind", "Un choix de la liste est attendu.")
            thing = _in_use(Thing(row.name, **({"planned_months": planned_months} | facts)))
            _check(session, thing, row, now)
            return Planned(row, Fate.NEW, thing)
        before = thing_of(stored)
        thing = _in_use(replace(before, **facts))
        _check(session, thing, row, now)
    except DomainError as refusal:
        return Planned(row, Fate.REFUSED, refusal=refusal)
    changes = {
        name: (getattr(before, name), getattr(thing, name))
        for name in Thing.__slots__
        if getattr(before, name) != getattr(thing, name)
    }
    retired_on = row.facts.get("retired_on")
    if retired_on is not None and retired_on != stored.retired_on:
        changes["retired_on"] = stored.retired_on, retired_on
    return Planned(row, Fate.CHANGED if changes else Fate.UNCHANGED, thing, changes)


def _in_use(thing: Thing) -> Thing:
    """One of which nobody ever told when it came into use was in use from its purchase on."""
    used = thing.commissioned_on or thing.purchased_on
    return replace(thing, commissioned_on=used)


def _check(session: Session, thing: Thing, row: ThingRow, now: datetime) -> None:
    check_thing(session, thing, now)
    retired_on = row.facts.get("retired_on")
    if retired_on is not None:
        check_retirement(retired_on, thing.commissioned_on, now)


def _store(session: Session, one: Planned, thing: Thing, now: datetime, by: str) -> None:
    equipment_id = record_thing(session, thing, now=now, by=by)
    retired_on = one.row.facts.get("retired_on")
    if retired_on is not None:
        row = held(session, equipment_id)
        row.retired_on, row.end_of_life = retired_on, row.end_of_life or EndOfLife.UNKNOWN
        session.flush()
        mark_due(session, row, now=now)
    if one.fate is Fate.NEW:
        propose_match(session, equipment_id, now=now, by=by)


def thing_of(row: q.Equipment) -> Thing:
    """What is stored of a thing, as it would be told."""
    facts = {name: getattr(row, name) for name in Thing.__slots__ if name != "disks"}
    return Thing(**facts, disks=tuple(Disk(**one) for one in row.disks))
