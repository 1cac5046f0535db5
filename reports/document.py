"""A report before its format: titled sections of notices, figures, tables and charts.

Texts are already in the reader's language; values keep their type and their stored unit, so that each format
shows or exports them in its own way.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from reports.quantities import Kind, Scale, Value, column_scale

Row = tuple[Value, ...]


class Tone(StrEnum):
    """How much a notice asks of the reader."""

    INFORMATION = "information"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Running text."""

    text: str


@dataclass(frozen=True, slots=True)
class Notice:
    """Something to know before the figures are used."""

    tone: Tone
    title: str
    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Fact:
    """A labelled value, with a note under it."""

    label: str
    value: Value
    kind: Kind = Kind.TEXT
    note: str = ""


@dataclass(frozen=True, slots=True)
class KeyFigures:
    """The few figures read first."""

    facts: tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """A list of labelled values under a caption."""

    caption: str
    facts: tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class Column:
    """One column; one that is not `printed` serves recomputation and goes to data formats only."""

    title: str
    kind: Kind = Kind.TEXT
    printed: bool = True


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of typed values; `empty` says what an absence of rows means.

    One that is not `printed` serves recomputation and goes to data formats only, as its columns may.
    """

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    total: Row | None = None
    empty: str = ""
    printed: bool = True

    def __post_init__(self) -> None:
        for row in self.body():
            if len(row) != len(self.columns):
                raise ValueError(f"{self.caption}: {len(row)} values for {len(self.columns)} columns")

    def body(self) -> tuple[Row, ...]:
        """The rows and the total, if there is one."""
        return self.rows if self.total is None else (*self.rows, self.total)

    def scales(self) -> tuple[Scale | None, ...]:
        """For each column, the unit and decimals its values share."""
        return tuple(
            column_scale(column.kind, (row[place] for row in self.body()))
            for place, column in enumerate(self.columns)
        )


@dataclass(frozen=True, slots=True)
class Series:
    """One thing followed over the chart's moments; `None` is unknown."""

    label: str
    amounts: tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """Amounts over days, hours or classes, stacked; its table holds the same values.

    `moments` are dates, aware datetimes on the reader's wall clock, or the names of classes such as ages.
    """

    title: str
    description: str
    kind: Kind
    moment_title: str
    moments: tuple[date | str, ...]
    series: tuple[Series, ...]

    def __post_init__(self) -> None:
        for series in self.series:
            if len(series.amounts) != len(self.moments):
                raise ValueError(
                    f"{series.label}: {len(series.amounts)} amounts for {len(self.moments)} moments"
                )

    def table(self) -> Table:
        """The chart's values as a table: a row for each moment."""
        columns = [Column(series.label, self.kind) for series in self.series]
        return Table(
            caption=self.title,
            columns=(Column(self.moment_title, self.moment_kind()), *columns),
            rows=tuple(zip(self.moments, *(series.amounts for series in self.series), strict=True)),
        )

    def moment_kind(self) -> Kind:
        """Whether it follows days, instants or classes."""
        if any(isinstance(moment, str) for moment in self.moments):
            return Kind.TEXT
        return Kind.DATE if all(type(moment) is date for moment in self.moments) else Kind.INSTANT


Block = Paragraph | Notice | KeyFigures | Facts | Table | Chart


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and what stands under it; the first section of a document may have none."""

    title: str
    blocks: tuple[Block, ...]

    def printed(self) -> tuple[Block, ...]:
        """What is read on a page or on paper."""
        return tuple(one for one in self.blocks if not isinstance(one, Table) or one.printed)


@dataclass(frozen=True, slots=True)
class Document:
    """A whole report; `name` is a file name without its extension, `marks` qualify it (draft)."""

    name: str
    title: str
    subtitle: str
    marks: tuple[str, ...]
    author: str
    footer: str
    sections: tuple[Section, ...]

    def charts(self) -> Iterator[Chart]:
        """Every chart, in reading order."""
        for section in self.sections:
            yield from (block for block in section.blocks if isinstance(block, Chart))
