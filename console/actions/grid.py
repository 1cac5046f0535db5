"""Intensities of a grid taken in, some days at a time: a more final figure goes before a less final one.

    file -> portions of whole days -> settle each against what is stored -> store -> their hours again

A portion is one transaction. Repeated, it changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from console.actions.grid_hours import settle_hours
from console.domain.claims import OPERATOR_TENANT
from console.domain.facility import Basis
from console.domain.grid import Intensity, Settled, State, settle
from console.domain.hours import HOUR, hour_of
from console.store.audit import record
from console.store.models import site as s
from console.store.upsert import upsert

PORTION: Final = 30  # days of a transaction
ONE_DAY: Final = timedelta(days=1)
MOMENT: Final = timedelta(microseconds=1)
ASKED_AT_ONCE: Final = 500  # keys of one statement


@dataclass(slots=True)
class Tally:
    """How many figures met each fate."""

    added: int = 0
    replaced: int = 0  # by those of the file
    unchanged: int = 0
    kept_out: int = 0  # what is known is more final, or of another publisher

    def count(self, settled: Settled) -> None:
        self.added += len(settled.added)
        self.replaced += len(settled.replacing)
        self.unchanged += settled.unchanged
        self.kept_out += settled.kept_out

    @property
    def to_store(self) -> int:
        return self.added + self.replaced


def portions(intensities: Sequence[Intensity]) -> Iterator[list[Intensity]]:
    """The figures of a file in portions that may be stored without each other: no figure spans two days."""
    for _key, run in groupby(sorted(intensities, key=_portion), key=_portion):
        yield list(run)


def compare(session: Session, zone: str, portion: Sequence[Intensity]) -> Settled:
    """What storing a portion would do now; all of it is of one basis."""
    if not portion:
        return Settled((), (), (), 0, 0)
    start = min(one.started_at for one in portion)
    end = max(one.ended_at for one in portion)
    return settle(portion, _known(session, zone, portion[0].basis, start, end))


def take(session: Session, zone: str, portion: Sequence[Intensity], *, now: datetime) -> Settled:
    """Store a portion, as `compare` tells it, and make its hours again."""
    settled = compare(session, zone, portion)
    row = s.GridIntensity
    gone = [one.started_at for one in settled.replaced]
    for place in range(0, len(gone), ASKED_AT_ONCE):
        some = gone[place : place + ASKED_AT_ONCE]
        of_zone = (row.grid_zone == zone, row.basis == portion[0].basis)
        session.execute(delete(row).where(*of_zone, row.started_at.in_(some)))
    rows = [_row(zone, one, now) for one in (*settled.added, *settled.replacing)]
    upsert(session, row, rows)
    touched = [*settled.added, *settled.replacing, *settled.replaced]
    if touched:
        start = hour_of(min(one.started_at for one in touched))
        end = hour_of(max(one.ended_at for one in touched) - MOMENT) + HOUR
        settle_hours(session, zone, portion[0].basis, start, end, now=now)
    return settled


def note_import(session: Session, zone: str, file_name: str, tally: Tally) -> None:
    """Write down, with the transaction, that a file of intensities came in."""
    counted = {
        "measures_new": tally.added,
        "measures_changed": tally.replaced,
        "measures_unchanged": tally.unchanged,
        "measures_kept_out": tally.kept_out,
    }
    record(session, OPERATOR_TENANT, "grid.imported", f"{zone}/{file_name}"[:200], counted)


def _portion(one: Intensity) -> tuple[Basis, int]:
    return one.basis, one.started_at.astimezone(UTC).date().toordinal() // PORTION


def _known(session: Session, zone: str, basis: Basis, start: datetime, end: datetime) -> list[Intensity]:
    row = s.GridIntensity
    rows = session.scalars(
        select(row).where(
            row.grid_zone == zone,
            row.basis == basis,
            row.started_at >= start - ONE_DAY,
            row.started_at < end,
        )
    )
    found = (
        Intensity(
            basis=one.basis,
            started_at=one.started_at,
            duration=timedelta(seconds=one.duration_s),
            intensity_mg_per_kwh=one.intensity_mg_per_kwh,
            publisher=one.publisher,
            state=State(one.state),
        )
        for one in rows
    )
    return [one for one in found if one.ended_at > start]


def _row(zone: str, one: Intensity, now: datetime) -> dict[str, object]:
    return {
        "grid_zone": zone,
        "basis": one.basis,
        "started_at": one.started_at,
        "duration_s": one.duration // timedelta(seconds=1),
        "intensity_mg_per_kwh": one.intensity_mg_per_kwh,
        "publisher": one.publisher,
        "state": one.state.value,
        "retrieved_at": now,
    }
