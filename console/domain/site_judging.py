"""What is told by the meters of a site: what is new in it, what corrects, and what cannot be.

told -> its place on the meter's time line -> against the others -> new, changed, unchanged or refused
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from console.domain.errors import Invalid
from console.domain.site_contradictions import OF_THESE, contradictions
from console.domain.site_measures import Line, Measure, shown


@dataclass(frozen=True, slots=True)
class Told:
    """A measure with the line of its file."""

    line: int
    measure: Measure


class Verdict(StrEnum):
    """What becomes of a measure that is told."""

    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


@dataclass(slots=True)
class Judged:
    """A measure with what becomes of it; `before` is the one that it corrects."""

    told: Told
    verdict: Verdict
    before: Measure | None = None
    refusal: Invalid | None = None

    @property
    def to_store(self) -> bool:
        return self.verdict in (Verdict.NEW, Verdict.CHANGED)


def judge(told: Sequence[Told], known: Iterable[Measure]) -> list[Judged]:
    """What storing these measures of one site would do, beside those that are known around them."""
    lines = _Lines()
    for measure in known:
        lines.put(measure)
    judged = [_place(one, lines) for one in told]
    while _refuse_contradictions(judged, lines):
        pass  # what is refused leaves its place to what was there before, which is held against the rest
    return judged


@dataclass(slots=True)
class _Lines:
    """The time line of each meter: measures in order, none of which overlap."""

    measures: dict[Line, list[Measure]] = field(default_factory=dict)
    told_on: dict[Measure, int] = field(default_factory=dict)  # the line of those of the file

    def put(self, measure: Measure) -> None:
        insort(self.measures.setdefault(measure.line, []), measure)

    def take_out(self, measure: Measure) -> None:
        line = self.measures[measure.line]
        del line[bisect_left(line, measure)]
        if not line:
            del self.measures[measure.line]
        self.told_on.pop(measure, None)

    def meeting(self, measure: Measure) -> list[Measure]:
        """Those of its meter whose time it shares."""
        line = self.measures.get(measure.line, [])
        place = bisect_left(line, measure.started_at, key=lambda one: one.started_at)
        found = [one for one in line[max(0, place - 1) : place] if one.ended_at > measure.started_at]
        while place < len(line) and line[place].started_at < measure.ended_at:
            found.append(line[place])
            place += 1
        return found


def _place(told: Told, lines: _Lines) -> Judged:
    """A measure beside those of its meter; what is accepted takes its place among them."""
    measure = told.measure
    meeting = lines.meeting(measure)
    same = next((one for one in meeting if one.period == measure.period), None)
    if same == measure:
        return Judged(told, Verdict.UNCHANGED)
    if same is not None and same not in lines.told_on:
        lines.take_out(same)
    elif meeting:
        return Judged(told, Verdict.REFUSED, refusal=_overlap(measure, meeting[0], lines))
    lines.put(measure)
    lines.told_on[measure] = told.line
    return Judged(told, Verdict.NEW if same is None else Verdict.CHANGED, before=same)


def _overlap(measure: Measure, other: Measure, lines: _Lines) -> Invalid:
    values: dict[str, object] = {
        "meter": measure.meter,
        "value": shown(measure.quantity, measure.amount),
        "before": shown(other.quantity, other.amount),
        "start": f"{other.started_at:%Y-%m-%d %H:%M}Z",
        "end": f"{other.ended_at:%Y-%m-%d %H:%M}Z",
    }
    if (line := lines.told_on.get(other)) is not None:
        return Invalid(
            "file",
            "Le compteur %(meter)s dit %(value)s ici, mais la ligne %(line)s dit %(before)s du %(start)s au "
            "%(end)s : ces périodes se recouvrent.",
            line=line,
            **values,
        )
    return Invalid(
        "file",
        "Le compteur %(meter)s dit %(value)s ici, mais %(before)s est enregistré du %(start)s au %(end)s : "
        "ces périodes se recouvrent.",
        **values,
    )


def _refuse_contradictions(judged: Sequence[Judged], lines: _Lines) -> bool:
    """Refuse all that was to be stored over a stretch whose part is above its whole; whether any was."""
    held = {one.told.measure: one for one in judged if one.to_store and one.told.measure.quantity in OF_THESE}
    if not held:
        return False
    first, last = min(one.started_at for one in held), max(one.ended_at for one in held)
    refused: dict[Measure, Invalid] = {}
    for measures, error in contradictions(lines.measures, first, last):
        for measure in measures:
            if measure in held:
                refused.setdefault(measure, error)
    for measure, error in refused.items():
        one = held[measure]
        one.verdict, one.refusal = Verdict.REFUSED, error
        lines.take_out(measure)
        if one.before is not None:
            lines.put(one.before)
    return bool(refused)
