"""A chart as SVG text: stacked bars over days, hours or classes, with gaps where nobody knows.

Positions along the time axis are percentages and heights are pixels, so the drawing fills its container and
its letters keep their size from a telephone to a desk. It holds no script and no inline style: colours are
presentation attributes that classes may override, and each series also has its own pattern.

    chart-series-1 ... chart-series-7   the colour of a series        chart-unknown   the hatching of gaps
    chart-axis, chart-grid              lines                         chart-text      letters
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction

from markupsafe import Markup, escape

from reports.document import Chart, Series
from reports.language import Language
from reports.quantities import Scale, Unit, column_scale, text

MOST_SERIES = 6
PLOT_HEIGHT = 190
TOP = 26
AXIS = 26
LEGEND_ROW = 22
LEFT, RIGHT = Decimal(12), Decimal("99.5")
LONGEST_LABEL = 42
MOST_TICKS = 5
BAR_SHARE = Decimal("0.78")
COLOURS = ("#0b5c8a", "#b4530a", "#2f6b2f", "#8a2f72", "#6b5b00", "#3d3d99", "#5f6368")
PATTERNS = (
    "",
    "M0 8L8 0M-2 2L2 -2M6 10L10 6",
    "M4 0V8",
    "M2 2h2v2h-2zM6 6h2v2h-2z",
    "M0 4H8",
    "M0 0L8 8M0 8L8 0",
    "M0 0L8 8M-2 6L2 10M6 -2L10 2",
)
NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class _Frame:
    """What all parts of one drawing share; `amounts_top` is the amount at the top of the plot."""

    chart: Chart
    language: Language
    prefix: str
    scale: Scale
    step: int
    amounts_top: int

    @property
    def slot(self) -> Decimal:
        return (RIGHT - LEFT) / max(len(self.chart.moments), 1)

    def left_of(self, place: int) -> Decimal:
        return LEFT + self.slot * place

    def height_of(self, amount: int) -> Decimal:
        return Decimal(PLOT_HEIGHT) * amount / self.amounts_top


def svg(chart: Chart, language: Language, *, width: int | None = None, prefix: str = "chart") -> Markup:
    """The chart as one `svg` element; `width` in pixels, or as wide as its container.

    `prefix` begins every id in it and must differ between the charts of a page. Beyond seven series
    the smallest are drawn together.
    """
    frame = _frame(_gathered(chart, language), language, prefix)
    height = TOP + PLOT_HEIGHT + AXIS + LEGEND_ROW * len(list(_legend_rows(frame)))
    parts = (*_heading(frame), _patterns(frame), *_grid(frame), *_bars(frame), *_axis(frame), *_legend(frame))
    return _element(
        "svg",
        *parts,
        xmlns="http://www.w3.org/2000/svg",
        class_="chart",
        role="img",
        aria_labelledby=f"{prefix}-title {prefix}-description",
        width=str(width) if width else "100%",
        height=str(height),
        font_size="13",
        font_family="system-ui, 'Libertinus Serif', sans-serif",
    )


def _gathered(chart: Chart, language: Language) -> Chart:
    if len(chart.series) <= MOST_SERIES + 1:
        return chart
    by_size = sorted(chart.series, key=lambda series: -sum(amount or 0 for amount in series.amounts))
    largest = by_size[:MOST_SERIES]
    kept = [series for series in chart.series if series in largest]
    rest = [series for series in chart.series if series not in largest]
    columns = zip(*(series.amounts for series in rest), strict=True)
    others = language.gettext("%(count)s autres", count=language.number(len(rest)))
    return replace(chart, series=(*kept, Series(others, tuple(map(_sum_or_unknown, columns)))))


def _sum_or_unknown(amounts: Iterable[int | None]) -> int | None:
    known = [amount for amount in amounts if amount is not None]
    return sum(known) if known else None


def _frame(chart: Chart, language: Language, prefix: str) -> _Frame:
    tallest = max((sum(amount or 0 for amount in column) for column in _columns(chart)), default=0)
    scale = column_scale(chart.kind, [tallest]) or Scale(Unit("", 1), 0)
    step = _round_step(tallest, scale.unit.size)
    ticks = max(-(-tallest // step), 1)
    return _Frame(chart, language, prefix, _tick_scale(scale, step), step, step * ticks)


def _round_step(tallest: int, size: int) -> int:
    """The least step of 1, 2 or 5 times a power of ten of the unit that needs four lines at most."""
    steps = (size * digit * Fraction(10) ** power for power in range(-6, 15) for digit in (1, 2, 5))
    return next(int(step) for step in steps if step.denominator == 1 and step * 4 >= (tallest or size))


def _tick_scale(scale: Scale, step: int) -> Scale:
    exponent = (Decimal(step) / scale.unit.size).normalize().as_tuple().exponent
    return Scale(scale.unit, min(max(-int(exponent), 0), 4))


def _columns(chart: Chart) -> list[tuple[int | None, ...]]:
    return list(zip(*(series.amounts for series in chart.series), strict=True)) if chart.series else []


def _heading(frame: _Frame) -> Iterator[Markup]:
    chart, prefix = frame.chart, frame.prefix
    yield _element("title", chart.title, id=f"{prefix}-title")
    yield _element("desc", chart.description, id=f"{prefix}-description")


def _patterns(frame: _Frame) -> Markup:
    patterned = (place for place in range(len(frame.chart.series)) if PATTERNS[place])
    hatching = _pattern(f"{frame.prefix}-unknown", "chart-unknown", "#f1f1f1", PATTERNS[1], "#8a8a8a")
    return _element("defs", *(_series_pattern(frame.prefix, place) for place in patterned), hatching)


def _series_pattern(prefix: str, place: int) -> Markup:
    name = f"{prefix}-{place + 1}"
    return _pattern(name, f"chart-series-{place + 1}", COLOURS[place], PATTERNS[place], "#fff")


def _series_paint(prefix: str, place: int) -> dict[str, str]:
    """How a series is filled: its pattern, or its plain colour."""
    if PATTERNS[place]:
        return {"fill": f"url(#{prefix}-{place + 1})"}
    return {"fill": COLOURS[place], "class_": f"chart-series-{place + 1}"}


def _pattern(name: str, class_: str, colour: str, lines: str, ink: str) -> Markup:
    ground = _element("rect", class_=class_, width="8", height="8", fill=colour)
    drawn = _element("path", d=lines, stroke=ink, stroke_width="1.4", fill="none")
    return _element("pattern", ground, drawn, id=name, width="8", height="8", patternUnits="userSpaceOnUse")


def _grid(frame: _Frame) -> Iterator[Markup]:
    for tick in range(0, frame.amounts_top + 1, frame.step):
        y = _number(TOP + PLOT_HEIGHT - frame.height_of(tick))
        class_, shade = ("chart-grid", "#d0d4d8") if tick else ("chart-axis", "#5f6368")
        yield _element(
            "line", class_=class_, x1=f"{LEFT}%", x2="100%", y1=y, y2=y, stroke=shade, stroke_width="1"
        )
        yield _text(frame.scale.number(tick, frame.language), f"{LEFT - 1}%", y, "end", dy="4")
    yield _text(frame.scale.unit.symbol, "0", "14", "start")


def _bars(frame: _Frame) -> Iterator[Markup]:
    for place, amounts in enumerate(_columns(frame.chart)):
        yield _element("g", _element("title", _spoken(frame, place, amounts)), *_stack(frame, place, amounts))


def _spoken(frame: _Frame, place: int, amounts: Sequence[int | None]) -> str:
    total = _sum_or_unknown(amounts)
    moments = frame.chart.moments
    moment = _moment_text(moments[place], frame.language, full=True, year=_spans_years(moments))
    return f"{moment} · {text(frame.chart.kind, total, frame.language)}"


def _stack(frame: _Frame, place: int, amounts: Sequence[int | None]) -> Iterator[Markup]:
    left = frame.left_of(place)
    if None in amounts:
        yield _bar(
            left, frame.slot, Decimal(TOP), Decimal(PLOT_HEIGHT), {"fill": f"url(#{frame.prefix}-unknown)"}
        )
    base = Decimal(TOP + PLOT_HEIGHT)
    for number, amount in enumerate(amounts):
        height = frame.height_of(amount or 0)
        base -= height
        if height:
            x = left + frame.slot * (1 - BAR_SHARE) / 2
            yield _bar(x, frame.slot * BAR_SHARE, base, height, _series_paint(frame.prefix, number))


def _bar(x: Decimal, width: Decimal, y: Decimal, height: Decimal, paint: Mapping[str, str]) -> Markup:
    return _element(
        "rect", x=f"{_number(x)}%", width=f"{_number(width)}%", y=_number(y), height=_number(height), **paint
    )


def _axis(frame: _Frame) -> Iterator[Markup]:
    moments = frame.chart.moments
    spans_years = _spans_years(moments)
    said: int | None = None
    for place in _labelled(moments):
        x = f"{_number(frame.left_of(place) + frame.slot / 2)}%"
        moment = moments[place]
        year = None if isinstance(moment, str) else moment.year
        label = _moment_text(moment, frame.language, year=spans_years and year != said)
        said = year
        anchor = "end" if place > len(moments) * 0.93 else "middle"
        yield _text(label, x, _number(TOP + PLOT_HEIGHT + 18), anchor)


def _labelled(moments: Sequence[date | str]) -> Iterator[int]:
    """The places that carry a label: few enough for a narrow screen, at round hours or evenly spread.

    Classes carry one each: whoever draws them keeps their names short.
    """
    hours = next((step for step in (1, 2, 3, 6, 12, 24, 48) if len(moments) <= step * MOST_TICKS), 168)
    for place, moment in enumerate(moments):
        if isinstance(moment, datetime):
            if moment.minute == 0 and (moment.hour % hours == 0 and (hours <= 24 or place % hours < 24)):
                yield place
        elif isinstance(moment, str) or place % _even(len(moments)) == 0:
            yield place


def _even(count: int) -> int:
    return next(
        step for step in (1, 2, 5, 7, 10, 14, 30, count) if count <= step * MOST_TICKS or step == count
    )


def _spans_years(moments: Sequence[date | str]) -> bool:
    return len({moment.year for moment in moments if not isinstance(moment, str)}) > 1


def _moment_text(moment: date | str, language: Language, *, full: bool = False, year: bool = False) -> str:
    if isinstance(moment, str):
        return moment
    if not isinstance(moment, datetime):
        return language.short_day(moment, year=year)
    if full or moment.hour == 0:
        return language.short_instant(moment) if full else language.short_day(moment)
    return language.hour(moment)


def _legend_rows(frame: _Frame) -> Iterator[tuple[Mapping[str, str], str]]:
    series = frame.chart.series
    gaps = any(None in one.amounts for one in series)
    if len(series) > 1 or gaps:
        for place, one in enumerate(series):
            yield _series_paint(frame.prefix, place), one.label
    if gaps:
        yield {"fill": f"url(#{frame.prefix}-unknown)"}, frame.language.gettext("inconnu")


def _legend(frame: _Frame) -> Iterator[Markup]:
    for row, (paint, label) in enumerate(_legend_rows(frame)):
        y = TOP + PLOT_HEIGHT + AXIS + LEGEND_ROW * row
        swatch = _element("rect", x="0", y=str(y + 3), width="22", height="14", **paint)
        yield _element(
            "g", _element("title", label), swatch, _text(_short(label), "30", str(y + 15), "start")
        )


def _short(label: str) -> str:
    return label if len(label) <= LONGEST_LABEL else label[: LONGEST_LABEL - 1] + "…"


def _text(content: str, x: str, y: str, anchor: str, dy: str = "0") -> Markup:
    return _element(
        "text", content, class_="chart-text", x=x, y=y, dy=dy, text_anchor=anchor, fill="currentColor"
    )


def _element(name: str, *content: str, **attributes: str) -> Markup:
    """One element; texts are escaped unless they are elements already."""
    names = ((key.rstrip("_").replace("_", "-"), value) for key, value in attributes.items())
    opened = Markup("").join(Markup(' {}="{}"').format(key, value) for key, value in names)
    inside = Markup("").join(part if isinstance(part, Markup) else escape(_xml(part)) for part in content)
    return Markup("<{0}{1}>{2}</{0}>").format(name, opened, inside)


def _xml(text: str) -> str:
    return NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)


def _number(value: int | Decimal) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
