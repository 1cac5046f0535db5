"""What holds for hosts at an hour: what the operator declared, and the calibrations in force."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from console.domain.attribution import IdlePolicy
from console.domain.calibration import Line
from console.domain.intervals import Calibrated, Rules
from console.store.models import fleet as f

Dated = TypeVar("Dated", f.HostTerms, f.Calibration)


@dataclass(slots=True)
class RuleBook:
    """The terms and calibrations of some hosts, by their first hour: what comes later never holds before."""

    terms: dict[int, list[f.HostTerms]] = field(default_factory=dict)
    calibrations: dict[int, dict[str, list[f.Calibration]]] = field(default_factory=dict)

    def at(self, host_id: int, hour: datetime) -> Rules:
        """The latest terms before an hour or at it, and so the calibration of each instrument."""
        calibrations = {
            source: calibrated(row)
            for source, rows in self.calibrations.get(host_id, {}).items()
            if (row := _latest(rows, hour)) is not None
        }
        terms = _latest(self.terms.get(host_id, ()), hour)
        if terms is None:
            return Rules(calibrations=calibrations)
        policy = None if terms.idle_policy is None else IdlePolicy(terms.idle_policy)
        return Rules(terms.idle_power_mw, policy, terms.source, calibrations)


def rule_book(session: Session, host_ids: Collection[int] | None = None) -> RuleBook:
    """The rules of some hosts, or of all of them."""
    book = RuleBook()
    terms = select(f.HostTerms).order_by(f.HostTerms.valid_from)
    lines = select(f.Calibration).order_by(f.Calibration.valid_from)
    if host_ids is not None:
        terms = terms.where(f.HostTerms.host_id.in_(host_ids))
        lines = lines.where(f.Calibration.host_id.in_(host_ids))
    for one in session.scalars(terms):
        book.terms.setdefault(one.host_id, []).append(one)
    for line in session.scalars(lines):
        book.calibrations.setdefault(line.host_id, {}).setdefault(line.source, []).append(line)
    return book


def calibrated(row: f.Calibration) -> Calibrated:
    """A stored calibration in the terms of the domain."""
    line = Line(row.slope_ppm, row.offset_mw, row.error_ppm, row.intervals)
    return Calibrated(row.reference, row.boundary, line, row.beside_gpu)


def _latest(rows: Sequence[Dated], hour: datetime) -> Dated | None:
    place = bisect_right(rows, hour, key=lambda row: row.valid_from)
    return rows[place - 1] if place else None
