"""`emissions.csv`: what CodeCarbon wrote of a machine, in every layout since 2021, as readings of its host.

    columns  since  what was added
    11       2021   timestamp, project_name, duration, emissions, energy_consumed, country...
    29       2022   run_id, powers and energies of CPU, GPU and RAM, the machine
    30, 31   2023   codecarbon_version, pue
    32       2025   experiment_id
    34, 38   2025   water, wue; utilisation

Columns are found by their names. A row is one flush of a run: its timestamp is the end, without a zone, and
its energies are those since the run began. So a row tells what it has more than the row before of its run,
over the time that it has more. Rows without `run_id` are of one run where they began at the same moment.

What is read: `energy_consumed`, which is that of CPU, RAM and GPU, told apart where they have columns; never
`emissions_rate` (1 000 times too large in files of some versions) nor `emissions`. Energies hold the PUE of
the row, powers do not: it is taken out, for the console has that of the site.

Left out, with the line and the reason: rows without energy or duration; a run that is lower than before;
parts that do not add up to the whole; rows that measure a process, for those are not of the host; two runs at
one time, for both measure the same machine; times that come twice when clocks change, or never. What a row of
a run that is left out would have told comes with the next one.
"""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal, InvalidOperation
from pathlib import Path

from collectors.reading import LARGEST, MOST_VCPU, Authority, Boundary, Measurement, Quality, Reading

NEEDED = ("timestamp", "duration", "energy_consumed")
PARTS = ("cpu_energy", "ram_energy", "gpu_energy")
MJ_PER_KWH = 3_600_000_000
LARGEST_FILE = 64 * 1024 * 1024
MOST_DIGITS = 40
SAME_MOMENT = timedelta(seconds=2)
"""Timestamps are cut to whole seconds: two that are nearer may be one."""
LONGEST_MS = 3_600_000
APART = Decimal("1e-6")
POINTER = "version https://git-lfs.github.com/spec/"
OWN, CARDS = "codecarbon_csv", "codecarbon_csv_gpu"
TIMESTAMP = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(\.\d{1,6})?(Z|[+-]\d{2}:?\d{2})?")


class BadEmissions(ValueError):
    """The file as a whole cannot be read; the message says why, and what would be right."""


class LeftOut(ValueError):
    """One row does not count; the message says why."""


@dataclass(frozen=True, slots=True)
class Row:
    """One flush: totals since its run began, without the facility's share; `gpu_mj` None where untold."""

    line: int
    run: str
    ended_at: datetime
    total_ms: int
    own_mj: Decimal
    gpu_mj: Decimal | None
    vcpu: int
    load: Decimal | None

    @property
    def began_at(self) -> datetime:
        return self.ended_at - timedelta(milliseconds=self.total_ms)


@dataclass(frozen=True, slots=True)
class Span:
    """What a row has more than the one before of its run."""

    row: Row
    started_at: datetime
    duration_ms: int
    own_mj: int
    gpu_mj: int | None


@dataclass(frozen=True, slots=True)
class Emissions:
    """The readings of a file, oldest first, and why rows were left out, by line."""

    readings: tuple[Reading, ...]
    left_out: tuple[tuple[int, str], ...]


def read_emissions(path: Path, zone: tzinfo) -> Emissions:
    """The readings of a file whose timestamps are of a zone; raises `BadEmissions`."""
    left_out: list[tuple[int, str]] = []
    try:
        rows = [*_rows(_lines(path), zone, left_out)]
    except csv.Error as error:
        raise BadEmissions(f"{path}: not a CSV file: {error}") from None
    spans = sorted(
        (span for run in _runs(rows).values() for span in _spans(run, left_out)),
        key=lambda span: (span.started_at, span.row.line),
    )
    readings = [reading for span in _apart(spans, left_out) for reading in _readings(span)]
    return Emissions(tuple(readings), tuple(sorted(left_out)))


def _lines(path: Path) -> list[str]:
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise BadEmissions(f"{path}: larger than {LARGEST_FILE} bytes")
        text = path.read_text(encoding="utf-8-sig", errors="replace")
    except OSError as error:
        raise BadEmissions(f"{path}: {error.strerror}") from None
    if not text.strip():
        raise BadEmissions(f"{path}: empty: CodeCarbon wrote nothing, or its run was stopped")
    if text.startswith(POINTER):
        raise BadEmissions(f"{path}: a pointer of Git LFS, not the file: git lfs pull")
    lines = text.splitlines()
    columns = next(csv.reader(lines[:1]))
    if missing := [name for name in NEEDED if name not in columns]:
        raise BadEmissions(
            f"{path}: not an emissions.csv of CodeCarbon: the column {missing[0]!r} is missing"
        )
    return lines


def _rows(lines: list[str], zone: tzinfo, left_out: list[tuple[int, str]]) -> Iterator[Row]:
    reader = csv.DictReader(lines)
    for fields in reader:
        try:
            yield _row(reader.line_num, {name: value or "" for name, value in fields.items() if name}, zone)
        except LeftOut as reason:
            left_out.append((reader.line_num, str(reason)))


def _row(line: int, fields: Mapping[str, str], zone: tzinfo) -> Row:
    if (mode := fields.get("tracking_mode", "")) not in ("", "machine"):
        raise LeftOut(f'tracking_mode: {mode!r} is not the host: run with tracking_mode="machine"')
    pue = _number(fields, "pue") if fields.get("pue") else Decimal(1)
    if pue < 1:
        raise LeftOut(f"pue: {pue} is below 1")
    total_mj = _number(fields, "energy_consumed") * MJ_PER_KWH / pue
    gpu_mj = _cards_mj(fields, total_mj, pue)
    load = _number(fields, "cpu_utilization_percent") if fields.get("cpu_utilization_percent") else None
    vcpu = _number(fields, "cpu_count") if fields.get("cpu_count") else Decimal(1)
    return Row(
        line=line,
        run=fields.get("run_id", ""),
        ended_at=_instant(fields["timestamp"], zone),
        total_ms=round(_number(fields, "duration") * 1000),
        own_mj=total_mj - (gpu_mj or 0),
        gpu_mj=gpu_mj,
        vcpu=min(max(int(vcpu), 1), MOST_VCPU),
        load=None if load is None else min(load / 100, Decimal(1)),
    )


def _cards_mj(fields: Mapping[str, str], total_mj: Decimal, pue: Decimal) -> Decimal | None:
    """The energy of the cards where the parts have columns, which add up to the whole."""
    if any(part not in fields for part in PARTS):
        return None
    cpu_mj, ram_mj, gpu_mj = (_number(fields, part) * MJ_PER_KWH / pue for part in PARTS)
    if abs(cpu_mj + ram_mj + gpu_mj - total_mj) > APART * total_mj + 1:
        raise LeftOut("energy_consumed: not the sum of cpu_energy, ram_energy and gpu_energy")
    return gpu_mj


def _number(fields: Mapping[str, str], name: str) -> Decimal:
    text = fields.get(name, "")
    try:
        value = Decimal(text) if len(text) <= MOST_DIGITS else Decimal("NaN")
    except InvalidOperation:
        raise LeftOut(
            f"{name}: no value" if not text.strip() else f"{name}: {text!r} is not a number"
        ) from None
    if not value.is_finite() or value < 0 or value.adjusted() > 15:
        raise LeftOut(f"{name}: {text!r} is not a number that makes sense")
    return value


def _instant(text: str, zone: tzinfo) -> datetime:
    """When a row was written; raises `LeftOut` where the local time is not one moment."""
    if not TIMESTAMP.fullmatch(text):
        raise LeftOut(f"timestamp: {text!r} is not a time such as 2025-05-30T00:50:12")
    try:
        told = datetime.fromisoformat(text)
    except ValueError:
        raise LeftOut(f"timestamp: {text!r} is not a time") from None
    if told.tzinfo is not None:
        return told.astimezone(UTC)
    first, second = (told.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    if first.utcoffset() != second.utcoffset():
        exists = first.astimezone(UTC).astimezone(zone).replace(tzinfo=None) == told
        raise LeftOut(f"timestamp: {text} comes {'twice' if exists else 'never'} as clocks change")
    return first.astimezone(UTC)


def _runs(rows: Iterable[Row]) -> dict[object, list[Row]]:
    """The rows of each run; those that name none are of one run where they began together."""
    runs: defaultdict[object, list[Row]] = defaultdict(list)
    unnamed: list[tuple[datetime, int]] = []
    for row in rows:
        if row.run:
            runs[row.run].append(row)
            continue
        known = (number for began_at, number in unnamed if abs(began_at - row.began_at) <= SAME_MOMENT)
        number = next(known, len(unnamed))
        if number == len(unnamed):
            unnamed.append((row.began_at, number))
        runs[number].append(row)
    return runs


def _spans(run: list[Row], left_out: list[tuple[int, str]]) -> Iterator[Span]:
    """What each row of a run has more than the last one that was believed."""
    before: Row | None = None
    for row in sorted(run, key=lambda row: (row.total_ms, row.line)):
        more_ms = row.total_ms - (before.total_ms if before else 0)
        more_mj = row.own_mj - (before.own_mj if before else 0)
        more_gpu_mj = None if row.gpu_mj is None else row.gpu_mj - ((before.gpu_mj or 0) if before else 0)
        if more_ms < 1:
            left_out.append((row.line, "duration: not longer than the row before of its run"))
        elif more_mj < 0 or (more_gpu_mj or 0) < 0:
            left_out.append((row.line, "energy_consumed: lower than the row before of its run"))
        elif before and row.ended_at <= before.ended_at:
            left_out.append((row.line, "timestamp: not after the row before of its run"))
        else:
            started_at = row.ended_at - timedelta(milliseconds=more_ms)
            if before and abs(started_at - before.ended_at) <= SAME_MOMENT:
                started_at = before.ended_at
            cards_mj = None if more_gpu_mj is None else round(more_gpu_mj)
            yield Span(row, started_at, more_ms, round(more_mj), cards_mj)
            before = row


def _apart(spans: list[Span], left_out: list[tuple[int, str]]) -> Iterator[Span]:
    """The spans that do not measure the same machine twice at one time."""
    last: Span | None = None
    for span in spans:
        if last is not None and span.started_at < last.row.ended_at:
            if last.row.ended_at - span.started_at > SAME_MOMENT or span.row.ended_at <= last.row.ended_at:
                left_out.append((span.row.line, f"timestamp: at one time with line {last.row.line}"))
                continue
            last = replace(span, started_at=last.row.ended_at)
        else:
            last = span
        yield last


def _readings(span: Span) -> Iterator[Reading]:
    """A span in equal parts of an hour at most; its energy is theirs to the millijoule."""
    label_ms = (span.row.ended_at - span.started_at) // timedelta(milliseconds=1)
    parts = -(-max(span.duration_ms, label_ms + 1) // LONGEST_MS)
    length = (span.row.ended_at - span.started_at) / parts
    for part in range(parts):
        started_at = span.started_at + length * part
        ended_at = span.row.ended_at if part == parts - 1 else started_at + length
        duration_ms = _part(span.duration_ms, part, parts)
        busy_ms = int((span.row.load or 0) * duration_ms * span.row.vcpu)
        measured = [_measurement(OWN, _part(span.own_mj, part, parts))]
        if span.gpu_mj is not None:
            measured.append(_measurement(CARDS, _part(span.gpu_mj, part, parts)))
        yield Reading(
            sequence=min(round(started_at.timestamp() * 1000), LARGEST),
            started_at=started_at,
            ended_at=ended_at,
            duration_ms=duration_ms,
            vcpu=span.row.vcpu,
            busy_cpu_ms=busy_ms,
            measurements=tuple(measured),
            gaps=(),
            workloads=(),
        )


def _part(whole: int, part: int, parts: int) -> int:
    return whole * (part + 1) // parts - whole * part // parts


def _measurement(source: str, energy_mj: int) -> Measurement:
    cards = source == CARDS
    return Measurement(
        source=source,
        authority=Authority.GPU if cards else Authority.MODEL,
        boundary=Boundary.GPU if cards else Boundary.PACKAGE_DRAM,
        quality=Quality.DECLARED,
        energy_mj=energy_mj,
    )
