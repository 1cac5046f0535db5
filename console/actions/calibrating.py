"""Calibrations of hosts: from intervals that a weak and a strong instrument both measured."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from console.actions.host_sources import LONGEST_NAME
from console.domain.calibration import Line, Pair, Unfit, fit
from console.domain.hours import HOUR, hour_of
from console.domain.intervals import AUTHORITIES, GPU, HOLDING_CARDS, Calibrated, Interval, Measured
from console.store.models import fleet as f
from console.store.models import measurement as m
from console.store.queries.readings import interval_of_row
from console.store.upsert import upsert

WINDOW = timedelta(days=7)  # of readings that a line is fitted to
LASTS = timedelta(days=7)  # before the job fits another
WEAK = "rapl"
STRONG = AUTHORITIES[: AUTHORITIES.index(WEAK)]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one instrument of a host: a line, or why there is none."""

    source: str
    reference: str
    line: Line | None
    unfit: Unfit | None = None


def calibrations_due(session: Session, *, now: datetime) -> list[tuple[int]]:
    """Hosts that have both kinds of instruments, and no line that was fitted of late."""
    weak, strong = f.HostSource, f.HostSource
    of_weak = select(weak.host_id).where(weak.authority == WEAK, weak.boundary.not_in(HOLDING_CARDS))
    of_strong = select(strong.host_id).where(
        strong.authority.in_(STRONG), strong.boundary.in_(HOLDING_CARDS), strong.last_at > now - WINDOW
    )
    fitted = select(f.Calibration.host_id).where(f.Calibration.fitted_to > now - LASTS)
    rows = session.scalars(
        select(m.Host.host_id)
        .where(
            m.Host.host_id.in_(of_weak),
            m.Host.host_id.in_(of_strong),
            m.Host.host_id.not_in(fitted),
            m.Host.retired_at.is_(None),
        )
        .order_by(m.Host.host_id)
    )
    return [(host_id,) for host_id in rows]


def calibrate(session: Session, host_id: int, *, now: datetime) -> list[Outcome]:
    """Fit a line for each weak instrument of a host to each strong one; what fits holds from the next hour.

    No hour that has begun changes by it, so that an hour metered again is what it was. Where several strong
    instruments give a line, the one with the least error is kept.
    """
    intervals = _intervals(session, host_id, now)
    beside_gpu = any(one.authority == GPU for interval in intervals for one in interval.measurements)
    outcomes = []
    for source, references in sorted(_candidates(intervals).items()):
        found = [_fitted(intervals, source, name, beside_gpu) for name in sorted(references)]
        outcomes += found
        lines = {one.reference: one.line for one in found if one.line is not None}
        if lines:
            best = min(lines, key=lambda name: (lines[name].error_ppm, name))
            to = Calibrated(best, references[best], lines[best], beside_gpu)
            _keep(session, host_id, source, to, intervals, now)
    return outcomes


def _intervals(session: Session, host_id: int, now: datetime) -> list[Interval]:
    rows = session.scalars(
        select(m.Reading)
        .where(m.Reading.host_id == host_id, m.Reading.started_at >= now - WINDOW)
        .order_by(m.Reading.started_at)
    )
    return [interval_of_row(row) for row in rows]


def _candidates(intervals: Iterable[Interval]) -> dict[str, dict[str, str]]:
    """The strong instruments beside each weak one, with their boundary."""
    found: dict[str, dict[str, str]] = {}
    for interval in intervals:
        strong = {
            one.source: one.boundary
            for one in interval.measurements
            if one.authority in STRONG and one.boundary in HOLDING_CARDS and len(one.source) <= LONGEST_NAME
        }
        for one in interval.measurements:
            is_weak = one.authority == WEAK and one.boundary not in HOLDING_CARDS
            if is_weak and len(one.source) <= LONGEST_NAME:
                found.setdefault(one.source, {}).update(strong)
    return found


def _fitted(intervals: Iterable[Interval], source: str, reference: str, beside_gpu: bool) -> Outcome:
    pairs = [
        pair for interval in intervals if (pair := _pair(interval, source, reference, beside_gpu)) is not None
    ]
    try:
        return Outcome(source, reference, fit(pairs))
    except Unfit as unfit:
        return Outcome(source, reference, None, unfit)


def _pair(interval: Interval, source: str, reference: str, beside_gpu: bool) -> Pair | None:
    """What both measured; without the cards where there are some, and then only where they told."""
    told = {one.source: one for one in interval.measurements}
    cards: Measured | None = next((one for one in interval.measurements if one.authority == GPU), None)
    if source not in told or reference not in told or (cards is None) == beside_gpu:
        return None
    left_mj = told[reference].energy_mj - (0 if cards is None else cards.energy_mj)
    return Pair(told[source].energy_mj, left_mj, interval.duration_ms) if left_mj >= 0 else None


def _keep(
    session: Session,
    host_id: int,
    source: str,
    to: Calibrated,
    intervals: list[Interval],
    now: datetime,
) -> None:
    row = {
        "host_id": host_id,
        "source": source,
        "valid_from": hour_of(now) + HOUR,
        "reference": to.reference,
        "boundary": to.boundary,
        "slope_ppm": to.line.slope_ppm,
        "offset_mw": to.line.offset_mw,
        "error_ppm": to.line.error_ppm,
        "intervals": to.line.intervals,
        "beside_gpu": to.beside_gpu,
        "fitted_from": intervals[0].started_at,
        "fitted_to": intervals[-1].ended_at,
    }
    new = [name for name in row if name not in ("host_id", "source", "valid_from")]
    upsert(session, f.Calibration, [row], update=new)
