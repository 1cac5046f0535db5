"""A chart is drawn to scale, with its gaps, for every reader and under a strict content policy."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.document import Chart, Series
from reports.drawing import PLOT_HEIGHT, svg
from reports.language import ENGLISH, FRENCH
from reports.quantities import Kind

WH = 3_600_000
SVG = "{http://www.w3.org/2000/svg}"


def chart(*series: tuple[int | None, ...], labels: tuple[str, ...] = (), hours: bool = False) -> Chart:
    count = len(series[0]) if series else 0
    start = datetime(2026, 11, 24, 5, tzinfo=UTC)
    return Chart(
        title="Energy by workload",
        description="Two days",
        kind=Kind.ENERGY_MJ,
        moment_title="Hour",
        moments=tuple(
            start + timedelta(hours=place) if hours else date(2026, 11, 1) + timedelta(days=place)
            for place in range(count)
        ),
        series=tuple(
            Series(labels[place] if labels else f"workload {place}", amounts)
            for place, amounts in enumerate(series)
        ),
    )


def drawn(made: Chart, prefix: str = "chart") -> ET.Element:
    return ET.fromstring(svg(made, ENGLISH, prefix=prefix))  # noqa: S314 - our own drawing


def heights(root: ET.Element, paint: str) -> list[float]:
    return [
        float(rect.attrib["height"])
        for rect in root.iter(f"{SVG}rect")
        if rect.attrib.get("fill") == paint and rect.attrib.get("x", "").endswith("%")
    ]


def texts(root: ET.Element) -> list[str]:
    return [text.text or "" for text in root.iter(f"{SVG}text")]


def test_bars_are_to_scale_from_zero() -> None:
    root = drawn(chart((WH, 2 * WH, 4 * WH)))
    assert heights(root, "#0b5c8a") == [PLOT_HEIGHT / 4, PLOT_HEIGHT / 2, PLOT_HEIGHT]
    assert texts(root)[:6] == ["0", "1", "2", "3", "4", "Wh"]


def test_stacked_bars_stand_on_each_other() -> None:
    root = drawn(chart((WH,), (3 * WH,)))
    below, above = (
        rect
        for rect in root.iter(f"{SVG}rect")
        if rect.attrib.get("x", "").endswith("%")
        if rect.attrib["fill"] != "url(#chart-unknown)"
    )
    assert float(above.attrib["y"]) + float(above.attrib["height"]) == float(below.attrib["y"])
    assert above.attrib["fill"] == "url(#chart-2)"


def test_unknown_is_a_gap_and_zero_is_not() -> None:
    assert len(heights(drawn(chart((WH, None, WH))), "url(#chart-unknown)")) == 1
    assert "unknown" in texts(drawn(chart((WH, None, WH))))
    assert heights(drawn(chart((WH, 0, WH))), "url(#chart-unknown)") == []
    assert "unknown" not in texts(drawn(chart((WH, 0, WH))))


def test_it_speaks_to_those_who_do_not_see_it() -> None:
    root = drawn(chart((WH, None)), prefix="day")
    named = {element.attrib["id"]: element.text for element in root.iter() if "id" in element.attrib}
    assert root.attrib["role"] == "img"
    assert [named[name] for name in root.attrib["aria-labelledby"].split()] == [
        "Energy by workload",
        "Two days",
    ]
    titles = [title.text for group in root.iter(f"{SVG}g") for title in group.findall(f"{SVG}title")]
    assert "1 Nov · 1.00\u00a0Wh" in titles
    assert "2 Nov · unknown" in titles


def test_a_strict_content_policy_lets_it_through() -> None:
    text = str(svg(chart((WH, None), (WH, WH)), FRENCH))
    assert not re.search(r"<script|<style|\sstyle=|\son\w+=|javascript:|href=", text)


def test_charts_of_one_page_share_no_id() -> None:
    names = [
        {name for element in drawn(chart((WH,), (WH,)), prefix).iter() if (name := element.attrib.get("id"))}
        for prefix in ("first", "second")
    ]
    assert names[0] & names[1] == set()


def test_beyond_seven_series_the_smallest_are_drawn_together_and_nothing_is_lost() -> None:
    sizes = [9, 1, 8, 2, 7, 6, 5, 4, 3]
    root = drawn(chart(*((size * WH,) for size in sizes)))
    names = texts(root)[-7:]
    assert names == [f"workload {sizes.index(size)}" for size in (9, 8, 7, 6, 5, 4)] + ["3 others"]
    bars = [
        float(rect.attrib["height"])
        for rect in root.iter(f"{SVG}rect")
        if rect.attrib.get("x", "").endswith("%")
    ]
    assert sum(bars) == pytest.approx(PLOT_HEIGHT * 45 / 60, abs=0.05)


@pytest.mark.parametrize("count", [1, 2, 5, 12, 24, 31, 48, 168, 744])
@pytest.mark.parametrize("hours", [True, False])
def test_few_enough_moments_are_labelled_for_a_narrow_screen(count: int, hours: bool) -> None:
    root = drawn(chart((WH,) * count, hours=hours))
    on_axis = [text for text in root.iter(f"{SVG}text") if text.attrib["y"] == "234"]
    assert len(on_axis) <= 6
    assert on_axis or count < 5


def test_an_axis_over_two_years_says_the_years() -> None:
    months = tuple(date(2025 + place // 12, place % 12 + 1, 1) for place in range(6, 18))
    made = replace(chart((WH,) * len(months)), moments=months)
    root = drawn(made)
    on_axis = [text.text for text in root.iter(f"{SVG}text") if text.attrib["y"] == "234"]
    assert on_axis == ["1 Jul 2025", "1 Dec", "1 May 2026"]
    assert any((title.text or "").startswith("1 Dec 2025") for title in root.iter(f"{SVG}title"))
    within = drawn(replace(made, moments=tuple(date(2026, place + 1, 1) for place in range(12))))
    assert "2026" not in "".join(texts(within))


def test_classes_are_all_named_in_their_order_and_their_table_says_the_same() -> None:
    ages = ("0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10+")
    made = replace(chart(tuple(range(11))), kind=Kind.COUNT, moments=ages)

    assert texts(drawn(made))[-11:] == list(ages)
    table = made.table()
    assert table.columns[0].kind is Kind.TEXT
    assert table.rows[10] == ("10+", 10)


def test_texts_from_elsewhere_stay_texts() -> None:
    name = "<script>alert(1)</script>\x07\" onload='x' & 😀"
    root = drawn(chart((WH,), (WH,), labels=(name, "b")))
    assert root.find(f".//{SVG}script") is None
    assert any((text or "").startswith("<script>") and "\ufffd" in text for text in texts(root))


def test_a_chart_of_nothing_is_still_a_drawing() -> None:
    assert heights(drawn(chart()), "#0b5c8a") == []
    assert heights(drawn(chart((0, 0))), "#0b5c8a") == []
    assert len(heights(drawn(chart((None, None))), "url(#chart-unknown)")) == 2


@given(st.lists(st.none() | st.integers(min_value=0, max_value=10**19), min_size=1, max_size=40))
def test_no_bar_leaves_the_plot_and_at_most_five_lines_cross_it(amounts: list[int | None]) -> None:
    root = drawn(chart(tuple(amounts)))
    assert all(0 <= height <= PLOT_HEIGHT + 0.01 for height in heights(root, "#0b5c8a"))
    assert 2 <= len(list(root.iter(f"{SVG}line"))) <= 5


def test_a_fixed_width_is_kept() -> None:
    assert 'width="720"' in svg(chart((WH,)), ENGLISH, width=720)
    assert 'width="100%"' in svg(chart((WH,)), ENGLISH)
