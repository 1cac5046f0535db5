"""What the meters of a site tell: what is new in it, what corrects, and what cannot be.

    told -> its place on the meter's time line -> E_DC against E_IT -> new, changed, unchanged or refused

A meter is a measuring point that tells one quantity over stretches of time which never overlap; the amounts
of the meters of one quantity add up.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise

from console.domain.errors import Invalid
from console.domain.facility import Quantity

MJ_PER_KWH = 3_600_000_000
ML_PER_L = 1_000
LARGEST = 2**63 - 1
Point = tuple[Quantity, int]  # with the category of the PUE, 0 where it has none
Line = tuple[Quantity, int, str]  # of a meter


class Quality(StrEnum):
    """How an amount was come by."""

    MEASURED = "measured"
    DECLARED = "declared"


@dataclass(frozen=True, slots=True, order=True)
class Measure:
    """An amount over `[started_at, ended_at)`: energy in millijoules, water in millilitres."""

    started_at: datetime
    ended_at: datetime
    quantity: Quantity
    category: int
    meter: str
    amount: int
    quality: Quality

    @property
    def point(self) -> Point:
        return self.quantity, self.category

    @property
    def line(self) -> Line:
        return self.quantity, self.category, self.meter

    @property
    def period(self) -> tuple[datetime, datetime]:
        return self.started_at, self.ended_at


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
    _refuse_more_it_than_all(judged, lines)
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

    def of(self, point: Point) -> dict[Line, list[Measure]]:
        return {line: measures for line, measures in self.measures.items() if line[:2] == point}


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


def _refuse_more_it_than_all(judged: Sequence[Judged], lines: _Lines) -> None:
    """Refuse both where, over a stretch that both cover, the IT would draw more than the whole site."""
    energies = (Quantity.TOTAL, Quantity.IT)
    stored = [one.told.measure for one in judged if one.to_store and one.told.measure.quantity in energies]
    if not stored:
        return
    first, last = min(one.started_at for one in stored), max(one.ended_at for one in stored)
    wrong: dict[tuple[datetime, datetime], Invalid] = {}
    points = {line[:2] for line in lines.measures if line[0] is Quantity.IT}
    total = lines.of((Quantity.TOTAL, 0))
    for point in sorted(points):
        of_it = lines.of(point)
        for start, end in _between_cuts([*total.values(), *of_it.values()]):
            if start >= last or end <= first:
                continue
            e_dc, e_it = amount_over(total, start, end), amount_over(of_it, start, end)
            if e_dc is not None and e_it is not None and e_dc < e_it:
                wrong[start, end] = less_than_it(e_dc, e_it, point[1])
    _refuse_within(judged, wrong)


def _between_cuts(lines: Iterable[Sequence[Measure]]) -> Iterable[tuple[datetime, datetime]]:
    """The stretches between the instants at which a measure of every line starts or ends.

    Whatever all lines cover is made of such stretches: what holds over each of them holds over any sum.
    """
    cuts = [{instant for one in measures for instant in one.period} for measures in lines if measures]
    return pairwise(sorted(set[datetime].intersection(*cuts))) if cuts else ()


def _refuse_within(judged: Sequence[Judged], wrong: Mapping[tuple[datetime, datetime], Invalid]) -> None:
    """Refuse what of either energy was to be stored within these periods."""
    energies = (Quantity.TOTAL, Quantity.IT)
    stored = [one for one in judged if one.to_store and one.told.measure.quantity in energies]
    stored.sort(key=lambda one: one.told.measure.started_at)
    starts = [one.told.measure.started_at for one in stored]
    for (start, end), error in wrong.items():
        for one in stored[bisect_left(starts, start) : bisect_left(starts, end)]:
            if one.told.measure.ended_at <= end:
                one.verdict, one.refusal = Verdict.REFUSED, error


def less_than_it(e_dc: int, e_it: int, category: int) -> Invalid:
    """That the whole is less than its part, with both."""
    return Invalid(
        "amount",
        "L'énergie totale (%(total)s) serait sous celle de l'IT, catégorie %(category)s (%(it)s) : l'une des "
        "deux est fausse.",
        total=shown(Quantity.TOTAL, e_dc),
        category=category,
        it=shown(Quantity.IT, e_it),
    )


def amount_over(lines: Mapping[Line, Sequence[Measure]], start: datetime, end: datetime) -> int | None:
    """The amounts of all meters over `[start, end)`; None where one of them does not tell all of it.

    A measure that reaches over either end tells nothing of the part within.
    """
    total = 0
    for measures in lines.values():
        place = bisect_left(measures, start, key=lambda one: one.started_at)
        time, at = timedelta(), place
        while at < len(measures) and measures[at].ended_at <= end:
            time += measures[at].ended_at - measures[at].started_at
            total += measures[at].amount
            at += 1
        if time != end - start:
            return None
    return total if lines else None


def shown(quantity: Quantity, amount: int) -> str:
    """An amount as a message tells it, to a millionth of its unit."""
    size, unit = (ML_PER_L, "L") if quantity.is_water else (MJ_PER_KWH, "kWh")
    text = f"{Decimal(amount) / size:.6f}"
    return f"{text.rstrip('0').rstrip('.') if '.' in text else text} {unit}"
